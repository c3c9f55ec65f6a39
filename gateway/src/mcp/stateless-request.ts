/**
 * What a POST of the stateless era (2026-07-28) must satisfy, checked on behalf of a server behind stdio: that one sees
 * no headers, so they are the gateway's to compare. Says only what is wrong, with code and status of the specification;
 * who refuses, and the record of it, is the bridge's business.
 */
import type { Exchange } from './exchange.ts';
import type { ReceivedMessage } from './message.ts';
import { decodeMirrored, HEADER_MISMATCH, mirroredName } from './mirrored-header.ts';

export interface StatelessRefusal {
  /** JSON-RPC code */
  readonly code: number;
  readonly httpStatus: number;
  readonly message: string;
  /** `error.data`; holds no value of the client but the version it asked for */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** The first revision without sessions. Revisions are dates, so they compare as texts. */
export const STATELESS_REVISION = '2026-07-28';

const INVALID_REQUEST = -32600;
const INVALID_PARAMS = -32602;
const UNSUPPORTED_VERSION = -32022;
const REVISION = /^\d{4}-\d{2}-\d{2}$/;

/**
 * A message says of itself that it is stateless; where it does not, the header decides.
 * @param sessionVersion what the session of the request agreed on, if it has one that is known
 */
export function isStateless(exchange: Pick<Exchange, 'header' | 'messages'>, sessionVersion?: string): boolean {
  if (exchange.messages.some((message) => message.enveloped)) return true;
  const version = exchange.header('mcp-protocol-version');
  if (version === undefined || version === sessionVersion) return false;
  return REVISION.test(version) && version >= STATELESS_REVISION;
}

/** What can be said before the server is asked which revisions it speaks. */
export function checkEnvelope(exchange: Exchange): StatelessRefusal | undefined {
  const [message] = exchange.messages;
  if (message === undefined || exchange.batch) {
    return badRequest(INVALID_REQUEST, 'This revision takes one message in each POST, not in an array.');
  }
  if (message.kind === 'response') {
    return badRequest(
      INVALID_REQUEST,
      'This revision takes requests. What a server asks is answered by a new request.'
    );
  }
  if (message.envelopeVersion === undefined) {
    return badRequest(INVALID_PARAMS, 'params._meta["io.modelcontextprotocol/protocolVersion"] is missing.');
  }
  if (message.kind === 'request' && !message.hasClientCapabilities) {
    return badRequest(INVALID_PARAMS, 'params._meta["io.modelcontextprotocol/clientCapabilities"] is missing.');
  }
  const version = exchange.header('mcp-protocol-version');
  if (version === undefined || version === message.envelopeVersion) return undefined;
  return badRequest(HEADER_MISMATCH, 'MCP-Protocol-Version does not match the request body.');
}

/** @param supported the revisions of the server */
export function checkVersion(message: ReceivedMessage, supported: readonly string[]): StatelessRefusal | undefined {
  const requested = message.envelopeVersion ?? '';
  return supported.includes(requested) ? undefined : unsupportedVersion(requested, supported);
}

export function unsupportedVersion(requested: string, supported: readonly string[], why = ''): StatelessRefusal {
  const message = `Unsupported protocol version. ${why}Supported are ${supported.join(', ')}.`;
  return { code: UNSUPPORTED_VERSION, httpStatus: 400, message, data: { supported, requested } };
}

/** The headers that every request has to have. That `Mcp-Method` tells the truth was seen at the door. */
export function checkHeaders(exchange: Exchange, message: ReceivedMessage): StatelessRefusal | undefined {
  if (message.kind !== 'request') return undefined;
  if (exchange.header('mcp-protocol-version') === undefined) return missing('MCP-Protocol-Version');
  if (exchange.header('mcp-method') === undefined) return missing('Mcp-Method');
  const expected = mirroredName(message);
  if (expected === undefined) return undefined;
  const name = exchange.header('mcp-name');
  if (name === undefined) return missing('Mcp-Name');
  return decodeMirrored(name) === expected ? undefined : mismatch('Mcp-Name');
}

export function mismatch(header: string): StatelessRefusal {
  return badRequest(HEADER_MISMATCH, `Header mismatch: ${header} does not match the request body.`);
}

export function missing(header: string): StatelessRefusal {
  return badRequest(HEADER_MISMATCH, `Header mismatch: ${header} is missing.`);
}

function badRequest(code: number, message: string): StatelessRefusal {
  return { code, httpStatus: 400, message };
}
