/**
 * The refusals of the MCP endpoint, a text each: what is wrong, and what to do next. Nothing of a request is in them.
 */
import { HEADER_MISMATCH } from '../mcp/mirrored-header.ts';
import type { Refusal } from './refusal.ts';
import type { HeadRefusal } from './request-guard.ts';

const INVALID_PARAMS = -32602;

export const HEAD_REFUSALS: Record<HeadRefusal, Refusal> = {
  headers_too_large: {
    code: 'headers_too_large',
    message: 'The request has too many or too long headers. Send fewer.',
    deniedBy: 'size_limit',
  },
  host_denied: {
    code: 'origin_denied',
    message: 'The gateway does not answer to this Host. Use its configured name, or add it to http.allowedHosts.',
    deniedBy: 'origin',
  },
  origin_denied: {
    code: 'origin_denied',
    message: 'Web pages of this Origin may not call the gateway. Add it to http.allowedOrigins if they should.',
    deniedBy: 'origin',
  },
  header_repeated: { code: 'invalid_request', message: 'A header that may be sent once was sent twice.' },
};

export const REFUSALS = {
  unauthenticated: {
    code: 'unauthenticated',
    message: 'Authentication is needed: send a valid API key or access token as "Authorization: Bearer".',
    deniedBy: 'authentication',
  },
  forbidden: {
    code: 'forbidden',
    message: 'The access token lacks the scopes that the gateway requires.',
    deniedBy: 'authentication',
  },
  serverUnknown: { code: 'server_unknown', message: 'No MCP server of this name is configured at the gateway.' },
  sessionForeign: {
    code: 'session_unknown',
    message: 'This session is not known, or not yours. Start a new one with "initialize".',
    deniedBy: 'authentication',
  },
  method: {
    code: 'method_not_allowed',
    message: 'MCP uses POST, GET and DELETE.',
    headers: { Allow: 'GET, POST, DELETE' },
  },
  notLegacy: {
    code: 'not_found',
    message:
      'This MCP server speaks Streamable HTTP, which the older HTTP+SSE transport cannot reach. Use /mcp/<name> without /sse, as type "http" (or "streamable-http") in the client; a client that knows only SSE can use mcp-remote.',
  },
  legacyStream: {
    code: 'method_not_allowed',
    message:
      'Here a client of the older HTTP+SSE transport opens its event stream with GET. Streamable HTTP is at /mcp/<name>.',
    headers: { Allow: 'GET' },
  },
  legacyMessage: {
    code: 'method_not_allowed',
    message:
      'Here a client of the older HTTP+SSE transport sends its messages with POST. Its event stream is at /mcp/<name>/sse.',
    headers: { Allow: 'POST' },
  },
  legacySessionMissing: {
    code: 'invalid_request',
    message:
      'The query names no sessionId. Open the event stream at /mcp/<name>/sse and use the endpoint that it names.',
  },
  tooLarge: {
    code: 'body_too_large',
    message: 'The request body is larger than the gateway accepts (limits.bodyBytes).',
    deniedBy: 'size_limit',
  },
  noRoom: {
    code: 'overloaded',
    message: 'The gateway holds as many request bodies as it may (limits.bufferedBodyBytes). Try again in a moment.',
    deniedBy: 'size_limit',
    headers: { 'Retry-After': '1' },
  },
  closing: {
    code: 'shutting_down',
    message: 'The gateway is ending and takes no new calls. Try again in a moment.',
    headers: { Connection: 'close', 'Retry-After': '5' },
  },
  malformed: { code: 'parse_error', message: 'The request body is not valid JSON in UTF-8.' },
  notRpc: { code: 'invalid_request', message: 'The request body is not a JSON-RPC 2.0 message.' },
  ambiguous: {
    code: 'invalid_request',
    message: 'A member that decides what the call does was sent twice or in another spelling.',
  },
  headerMismatch: {
    code: 'invalid_request',
    rpcCode: HEADER_MISMATCH,
    message: 'Mcp-Method or Mcp-Name does not match the request body.',
  },
  idRepeated: {
    code: 'invalid_request',
    message: 'Two requests of the body have the same id, so their answers could not be told apart.',
  },
  toolNameMissing: {
    code: 'invalid_request',
    rpcCode: INVALID_PARAMS,
    message: 'tools/call needs params.name as a string.',
  },
} as const satisfies Record<string, Refusal>;

export const BODY_REFUSALS = {
  too_large: REFUSALS.tooLarge,
  no_room: REFUSALS.noRoom,
  malformed: REFUSALS.malformed,
} as const;
