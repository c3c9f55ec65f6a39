/**
 * The closed sets of record v1: kinds, phases, outcomes, capture modes. A value outside these sets is a bug in the
 * gateway, never data. Used by every layer; imports nothing. Changing a set is a change of the contract (docs/record.md).
 */

/** What a record is about. Only `request` counts in Usage. */
export const RECORD_KINDS = [
  /** client → server JSON-RPC request that reached an upstream server */
  'request',
  /** JSON-RPC notification in either direction */
  'notification',
  /** server → client request: sampling, elicitation, roots */
  'server_request',
  /** a GET or listen stream: an `open` record, replaced by a `closed` one at its end */
  'stream',
  /** something that never reached an upstream server: denied, unauthenticated, too large, malformed, unknown server */
  'attempt',
  /** somebody read or changed something through the audit API */
  'access',
  /** an upstream server offers other tools than before */
  'catalog',
  /** a process reporting on itself every 15 s */
  'health',
] as const;
export type RecordKind = (typeof RECORD_KINDS)[number];

export const PHASES = ['open', 'closed'] as const;
export type Phase = (typeof PHASES)[number];

/** How a call ended. `denied` is not an error. A JSON-RPC error or `isError` is never `success`. */
export const OUTCOMES = [
  'success',
  /** a result with `isError: true` */
  'tool_error',
  /** a JSON-RPC error, whoever made it */
  'rpc_error',
  /** refused by authentication, policy or limits */
  'denied',
  /** the gateway gave up waiting for the upstream server */
  'timeout',
  /** the client went away or sent notifications/cancelled */
  'cancelled',
  /** no connection, reset, child died, or an answer that is no MCP */
  'upstream_unreachable',
  /** the gateway died mid-call; written by recovery */
  'interrupted',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Which outcomes count as an error in rates and alerts. */
export const ERROR_OUTCOMES = ['tool_error', 'rpc_error', 'timeout', 'upstream_unreachable', 'interrupted'] as const;

export const CAPTURE_MODES = ['full', 'redacted', 'hash', 'off'] as const;
export type CaptureMode = (typeof CAPTURE_MODES)[number];

/** What became of the payload: `sealed` can be opened by an auditor, the others say why not. */
export const PAYLOAD_STATES = ['none', 'sealed', 'sealed_truncated', 'hashed', 'off', 'failed'] as const;
export type PayloadState = (typeof PAYLOAD_STATES)[number];

/** Where `session_key` comes from: the MCP session header, the TCP connection, or caller+client identity. */
export const SESSION_KINDS = ['none', 'mcp', 'connection', 'identity'] as const;
export type SessionKind = (typeof SESSION_KINDS)[number];

/** Which gate refused a `denied` record. */
export const DENIED_BY = ['', 'authentication', 'policy', 'rate_limit', 'size_limit', 'origin', 'audit'] as const;
export type DeniedBy = (typeof DENIED_BY)[number];

export const AUTH_METHODS = ['none', 'api_key', 'jwt', 'anonymous'] as const;
export type AuthMethod = (typeof AUTH_METHODS)[number];

/** Shown in metadata in place of a name that the upstream server neither listed nor answered with a result. */
export const UNLISTED = '(unlisted)';
/** Shown in metadata in place of a JSON-RPC method outside the MCP schema. */
export const UNKNOWN_METHOD = '(unknown)';
