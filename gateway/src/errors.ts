/**
 * The closed set of local errors. Three kinds never mix: a tool error is a result and is forwarded unchanged; a protocol
 * error is JSON-RPC code + HTTP status (made from the table here); everything else is a GatelensError.
 * Messages tell the person what to do next and never hold a payload, a token or a name a client sent.
 */

/** How an error leaves the MCP endpoint: HTTP status and JSON-RPC code. */
export interface WireError {
  readonly status: number;
  readonly rpcCode: number;
}

/** Every code there is, and how it leaves. */
const WIRE = {
  config_invalid: { status: 500, rpcCode: -32603 },
  data_dir_unusable: { status: 503, rpcCode: -32603 },
  data_dir_locked: { status: 503, rpcCode: -32603 },
  store_unavailable: { status: 503, rpcCode: -32603 },
  engine_missing: { status: 503, rpcCode: -32603 },
  migration_failed: { status: 503, rpcCode: -32603 },
  audit_unavailable: { status: 503, rpcCode: -32003 },
  spool_full: { status: 503, rpcCode: -32003 },
  spool_corrupt: { status: 503, rpcCode: -32003 },
  seal_failed: { status: 503, rpcCode: -32003 },
  key_unknown: { status: 409, rpcCode: -32603 },
  unauthenticated: { status: 401, rpcCode: -32001 },
  forbidden: { status: 403, rpcCode: -32001 },
  policy_denied: { status: 200, rpcCode: -32001 },
  origin_denied: { status: 403, rpcCode: -32000 },
  rate_limited: { status: 429, rpcCode: -32000 },
  overloaded: { status: 503, rpcCode: -32000 },
  body_too_large: { status: 413, rpcCode: -32600 },
  headers_too_large: { status: 431, rpcCode: -32600 },
  media_type_unsupported: { status: 415, rpcCode: -32600 },
  parse_error: { status: 400, rpcCode: -32700 },
  invalid_request: { status: 400, rpcCode: -32600 },
  server_unknown: { status: 404, rpcCode: -32001 },
  session_unknown: { status: 404, rpcCode: -32001 },
  method_not_allowed: { status: 405, rpcCode: -32000 },
  on_hold: { status: 409, rpcCode: -32603 },
  not_found: { status: 404, rpcCode: -32601 },
  upstream_unreachable: { status: 502, rpcCode: -32002 },
  upstream_timeout: { status: 504, rpcCode: -32002 },
  upstream_reset: { status: 502, rpcCode: -32002 },
  upstream_redirect: { status: 502, rpcCode: -32002 },
  upstream_unauthorized: { status: 502, rpcCode: -32002 },
  upstream_protocol: { status: 502, rpcCode: -32002 },
  child_exited: { status: 502, rpcCode: -32002 },
  client_gone: { status: 499, rpcCode: -32000 },
  shutting_down: { status: 503, rpcCode: -32000 },
  internal: { status: 500, rpcCode: -32603 },
} as const satisfies Record<string, WireError>;
export type ErrorCode = keyof typeof WIRE;

export class GatelensError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'GatelensError';
    this.code = code;
  }
}

export function isGatelensError(error: unknown, code?: ErrorCode): error is GatelensError {
  return error instanceof GatelensError && (code === undefined || error.code === code);
}

export function wireError(code: ErrorCode): WireError {
  return WIRE[code];
}
