/**
 * How an HTTP upstream fails, as a code of ours and a text for the client. The texts are fixed: nothing an upstream
 * wrote, no address and no name goes into them.
 */
import { isGatelensError } from '../../errors.ts';
import type { ErrorCode } from '../../errors.ts';

const FAILURE_TEXT: Partial<Record<ErrorCode, string>> = {
  upstream_unreachable:
    'The MCP server behind the gateway cannot be reached. Try again later or tell who runs the gateway.',
  upstream_timeout: 'The MCP server behind the gateway did not answer in time.',
  upstream_reset: 'The MCP server behind the gateway closed the connection before its answer was complete.',
  upstream_redirect:
    'The MCP server behind the gateway answered with a redirect, which the gateway does not follow. Tell who runs the gateway: mcpServers needs the final URL.',
  upstream_unauthorized:
    'The MCP server behind the gateway does not accept the credentials that the gateway sends it (HTTP status 401). Signing in does not help. Tell who runs the gateway: "headers" of this server in mcpServers need valid ones.',
  upstream_protocol: 'The MCP server behind the gateway sent an answer that cannot be read.',
  shutting_down: 'The gateway is shutting down. Send the request again.',
  audit_unavailable: 'This call cannot be recorded at the moment, so it was refused. Try again later.',
};

export function failureText(code: ErrorCode): string {
  return FAILURE_TEXT[code] ?? 'The gateway failed to handle this request.';
}

const TIMEOUTS = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT']);
const BROKEN_OFF = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH']);
const UNREADABLE = new Set(['UND_ERR_HEADERS_OVERFLOW', 'UND_ERR_RES_EXCEEDED_MAX_SIZE']);
const GATEWAY = new Set(['UND_ERR_DESTROYED', 'UND_ERR_CLOSED']);

/** @param error what undici or Node reported */
export function failureCode(error: unknown): ErrorCode {
  if (isGatelensError(error)) return error.code;
  if (error instanceof Error && error.name === 'HTTPParserError') return 'upstream_protocol';
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (TIMEOUTS.has(code)) return 'upstream_timeout';
  if (BROKEN_OFF.has(code)) return 'upstream_reset';
  if (UNREADABLE.has(code)) return 'upstream_protocol';
  if (GATEWAY.has(code)) return 'shutting_down';
  if (code.startsWith('UND_ERR_')) return 'internal';
  return 'upstream_unreachable';
}
