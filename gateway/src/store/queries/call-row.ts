/**
 * A row of `mcp.calls` as the audit log and the call page read it: which columns, how they come back. 64-bit values
 * come as text, since JSON numbers end at 2^53. DDL: provisioning/clickhouse/0002_calls.sql.
 */

/** Aliases differ from the columns they are made of: ClickHouse would use the alias in WHERE too. */
export const CALL_COLUMNS = `
    call_id, parent_call_id, record_version, kind, phase, chain_id, toString(seq) AS seq_text, record_hash,
    toString(toUnixTimestamp64Nano(started_at)) AS started_ns, toString(toUnixTimestamp64Milli(ingested_at)) AS ingested_ms,
    duration, upstream_duration, ttfb, upstream_attempts, upstream_transport,
    user_key, auth_method, key_name, teams, client_name, client_version, client_address,
    server, operation, tool, prompt, resource_uri, rpc_id, session_key, session_kind, protocol_version, trace_id, span_id,
    outcome, error_type, error_code, http_status, request_bytes, response_bytes, tokens_estimated,
    capture_mode, payload_state, request_sha256, response_sha256, policy_rule, denied_by, demo`;

/** A 64-bit integer: a number or, depending on the server's JSON settings, text. */
type Int64 = number | string;

export interface CallRow {
  readonly call_id: string;
  readonly parent_call_id: string;
  readonly record_version: number;
  readonly kind: string;
  readonly phase: string;
  readonly chain_id: string;
  readonly seq_text: string;
  readonly record_hash: string;
  readonly started_ns: string;
  readonly ingested_ms: string;
  /** ns */
  readonly duration: Int64;
  /** ns */
  readonly upstream_duration: Int64;
  /** ns */
  readonly ttfb: Int64;
  readonly upstream_attempts: number;
  readonly upstream_transport: string;
  readonly user_key: string;
  readonly auth_method: string;
  readonly key_name: string;
  readonly teams: readonly string[];
  readonly client_name: string;
  readonly client_version: string;
  readonly client_address: string;
  readonly server: string;
  readonly operation: string;
  readonly tool: string;
  readonly prompt: string;
  readonly resource_uri: string;
  readonly rpc_id: string;
  readonly session_key: string;
  readonly session_kind: string;
  readonly protocol_version: string;
  readonly trace_id: string;
  readonly span_id: string;
  readonly outcome: string;
  readonly error_type: string;
  readonly error_code: number;
  readonly http_status: number;
  readonly request_bytes: Int64;
  readonly response_bytes: Int64;
  readonly tokens_estimated: number;
  readonly capture_mode: string;
  readonly payload_state: string;
  readonly request_sha256: string;
  readonly response_sha256: string;
  readonly policy_rule: string;
  readonly denied_by: string;
  readonly demo: boolean;
}

export interface CallDetailRow extends CallRow {
  readonly attributes: Readonly<Record<string, string>>;
}
