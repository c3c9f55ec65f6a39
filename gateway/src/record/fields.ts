/**
 * Record v1 as data: every column of `mcp.calls`, `mcp.access_log`, `mcp.tool_changes` and `mcp.health`, the span attribute (or span
 * field) it comes from, its type, unit, sensitivity, and whether the hash chain covers it. docs/record.md is generated
 * from here and the pin test holds DDL, SQL and dashboards against it. Order matters: the canonical form takes the
 * covered fields in this order, so the table stays in one piece. Nothing here may hold payload; see
 * record/payload-events.ts for that.
 */

/** How the embedded writer, the SQL view and the canonical form read a value. */
export type FieldType =
  | 'string'
  | 'lowcard'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'int32'
  | 'bool'
  | 'datetime_ns'
  | 'datetime_ms'
  | 'strings'
  | 'map';

/**
 * `pseudonymous`: a keyed hash that only the audit API can lead back to a person. `operational`: names and numbers of
 * systems. `network`: client addresses.
 */
export type Sensitivity = 'operational' | 'pseudonymous' | 'network';

export interface Field {
  readonly column: string;
  /** span attribute, or `span:<field>` for a field of the span itself, or `store:<how>` for what the store adds */
  readonly source: string;
  readonly type: FieldType;
  readonly unit?: 'ns' | 'By' | 's' | '{token}';
  readonly sensitivity: Sensitivity;
  /** covered by `record_hash` */
  readonly chained: boolean;
  readonly about: string;
}

function field(
  column: string,
  source: string,
  type: FieldType,
  about: string,
  more: { unit?: Field['unit']; sensitivity?: Sensitivity; chained?: boolean } = {}
): Field {
  return {
    column,
    source,
    type,
    about,
    sensitivity: more.sensitivity ?? 'operational',
    chained: more.chained ?? true,
    ...(more.unit === undefined ? {} : { unit: more.unit }),
  };
}

/** Shared by every chained record. */
const CHAIN_FIELDS: readonly Field[] = [
  field('record_version', 'gatelens.record.version', 'uint8', 'version of this contract: 1'),
  field('kind', 'gatelens.kind', 'lowcard', 'what the record is about'),
  field('chain_id', 'gatelens.chain.id', 'lowcard', 'the hash chain: one per data directory and writer'),
  field('seq', 'gatelens.chain.seq', 'uint64', 'position in the chain, from 1 without gaps'),
  field('record_hash', 'gatelens.chain.hash', 'string', 'hex SHA-256 over the previous hash and this record', {
    chained: false,
  }),
];

/** `mcp.calls` */
export const CALL_FIELDS: readonly Field[] = [
  ...CHAIN_FIELDS,
  field(
    'phase',
    'gatelens.phase',
    'lowcard',
    '`open` while a stream runs, and for a request that the server answered with questions; else `closed`'
  ),
  field('call_id', 'gatelens.call.id', 'string', 'UUIDv7, made at arrival'),
  field(
    'parent_call_id',
    'gatelens.call.parent_id',
    'string',
    'the call under which a server request or notification ran; of a request, the round before or the call of its task'
  ),
  field('started_at', 'span:start', 'datetime_ns', 'arrival at the gateway, by its clock', { unit: 'ns' }),
  field('ingested_at', 'store:now64(3)', 'datetime_ms', 'when the store got it', { chained: false }),
  field('duration', 'span:duration', 'uint64', 'arrival until the last byte was ready for the client', { unit: 'ns' }),
  field('upstream_duration', 'gatelens.upstream.duration', 'uint64', 'of which waiting for the upstream server', {
    unit: 'ns',
  }),
  field('ttfb', 'gatelens.upstream.ttfb', 'uint64', 'sending upstream until the first byte of its answer', {
    unit: 'ns',
  }),
  field('upstream_attempts', 'gatelens.upstream.attempts', 'uint8', 'how often it was sent upstream'),
  field('upstream_transport', 'gatelens.upstream.transport', 'lowcard', '`http`, `sse`, `stdio` or `none`'),
  field('user_key', 'user.hash', 'lowcard', 'keyed hash of who called; empty when nobody is known', {
    sensitivity: 'pseudonymous',
  }),
  field('auth_method', 'gatelens.auth.method', 'lowcard', 'how the caller was known'),
  field('key_name', 'gatelens.api_key.name', 'lowcard', 'name of the API key'),
  field('teams', 'gatelens.user.teams', 'strings', 'teams of the caller'),
  field('client_name', 'gatelens.client.name', 'lowcard', 'MCP clientInfo.name'),
  field('client_version', 'gatelens.client.version', 'lowcard', 'MCP clientInfo.version'),
  field('client_address', 'client.address', 'string', 'address of the caller', { sensitivity: 'network' }),
  field('server', 'gatelens.server.name', 'lowcard', 'key of the upstream server in mcpServers'),
  field('operation', 'mcp.method.name', 'lowcard', 'MCP method; `(unknown)` outside the schema'),
  field('tool', 'gen_ai.tool.name', 'lowcard', 'tool name; `(unlisted)` if the upstream does not know it'),
  field('prompt', 'gen_ai.prompt.name', 'lowcard', 'prompt name, likewise'),
  field('resource_uri', 'mcp.resource.uri', 'string', 'resource URI without query, fragment and user info, likewise'),
  field(
    'rpc_id',
    'jsonrpc.request.id',
    'string',
    'JSON-RPC id: numbers and UUIDs as sent, other strings as keyed hash'
  ),
  field(
    'session_key',
    'gatelens.session.key',
    'string',
    'keyed hash of the session id; the id itself is a capability',
    {
      sensitivity: 'pseudonymous',
    }
  ),
  field('session_kind', 'gatelens.session.kind', 'lowcard', 'what the session key was made from'),
  field('protocol_version', 'mcp.protocol.version', 'lowcard', 'MCP revision'),
  field('trace_id', 'span:trace_id', 'string', 'W3C trace id'),
  field('span_id', 'span:span_id', 'string', 'W3C span id of the SERVER span'),
  field('outcome', 'gatelens.outcome', 'lowcard', 'how it ended; empty while open'),
  field('error_type', 'error.type', 'lowcard', 'JSON-RPC code, `tool_error`, or a gateway error code; never a text'),
  field('error_code', 'rpc.response.status_code', 'int32', 'JSON-RPC error code, 0 if none'),
  field('http_status', 'http.response.status_code', 'uint16', 'HTTP status sent to the client, 0 if none'),
  field('request_bytes', 'gatelens.request.bytes', 'uint64', 'size of the request message', { unit: 'By' }),
  field('response_bytes', 'gatelens.response.bytes', 'uint64', 'size of what came back', { unit: 'By' }),
  field(
    'tokens_estimated',
    'gatelens.response.tokens',
    'uint32',
    'estimated tokens of the result: what it costs the agent',
    {
      unit: '{token}',
    }
  ),
  field('capture_mode', 'gatelens.capture.mode', 'lowcard', 'payload capture in force'),
  field('payload_state', 'gatelens.payload.state', 'lowcard', 'what became of the payload'),
  field(
    'request_sha256',
    'gatelens.payload.request.sha256',
    'string',
    'hex SHA-256 of the sealed request (ciphertext)'
  ),
  field(
    'response_sha256',
    'gatelens.payload.response.sha256',
    'string',
    'hex SHA-256 of the sealed response (ciphertext)'
  ),
  field('policy_rule', 'gatelens.policy.rule', 'lowcard', 'name or position of the rule that decided'),
  field('denied_by', 'gatelens.denied_by', 'lowcard', 'the gate that refused it'),
  field('demo', 'gatelens.demo', 'bool', 'made by `gatelens demo --history`, no real call'),
  field('attributes', 'store:rest', 'map', 'every other span attribute', { chained: false }),
];

/** `mcp.access_log` */
export const ACCESS_FIELDS: readonly Field[] = [
  ...CHAIN_FIELDS,
  field('access_id', 'gatelens.call.id', 'string', 'UUIDv7'),
  field('started_at', 'span:start', 'datetime_ns', 'when it was asked for', { unit: 'ns' }),
  field('ingested_at', 'store:now64(3)', 'datetime_ms', 'when the store got it', { chained: false }),
  field('duration', 'span:duration', 'uint64', 'how long it took until the record was made', { unit: 'ns' }),
  field('action', 'gatelens.access.action', 'lowcard', 'closed set, record/access.ts'),
  field('decision', 'gatelens.access.decision', 'lowcard', '`allowed` or `refused`'),
  field('reason', 'gatelens.access.reason', 'lowcard', 'closed set of reasons, or empty'),
  field('actor_key', 'user.hash', 'string', 'keyed hash of the person; empty for automation without one', {
    sensitivity: 'pseudonymous',
  }),
  field(
    'actor_kind',
    'gatelens.access.actor_kind',
    'lowcard',
    '`token`, `grafana`, `mcp` (a caller of `/mcp/gatelens`) or `none`'
  ),
  field('actor_name', 'gatelens.access.actor_name', 'lowcard', 'name of the automation token'),
  field('roles', 'gatelens.access.roles', 'strings', 'roles in force'),
  field('client_address', 'client.address', 'string', 'address of the caller', { sensitivity: 'network' }),
  field('target_call_id', 'gatelens.access.call_id', 'string', 'the call whose payload was asked for'),
  field('target_user_key', 'gatelens.access.user_key', 'string', 'the person whose data was asked for', {
    sensitivity: 'pseudonymous',
  }),
  field('target_server', 'gatelens.access.server', 'lowcard', 'the upstream server whose data was asked for'),
  field('rows', 'gatelens.access.rows', 'uint64', 'rows given out'),
  field('bytes', 'gatelens.access.bytes', 'uint64', 'payload bytes given out', { unit: 'By' }),
  field(
    'detail',
    'gatelens.access.detail',
    'string',
    'JSON with pseudonymous filters or changes; no payload, no names'
  ),
  field('trace_id', 'span:trace_id', 'string', 'W3C trace id'),
  field('demo', 'gatelens.demo', 'bool', 'made by `gatelens demo --history`'),
];

/** `mcp.tool_changes` */
export const TOOL_CHANGE_FIELDS: readonly Field[] = [
  ...CHAIN_FIELDS,
  field('change_id', 'gatelens.call.id', 'string', 'UUIDv7'),
  field('started_at', 'span:start', 'datetime_ns', 'when the gateway noticed it', { unit: 'ns' }),
  field('ingested_at', 'store:now64(3)', 'datetime_ms', 'when the store got it', { chained: false }),
  field('server', 'gatelens.server.name', 'lowcard', 'key of the upstream server in mcpServers'),
  field('change', 'gatelens.tools.change', 'lowcard', 'closed set, record/tool-changes.ts'),
  field('fingerprint', 'gatelens.tools.fingerprint', 'string', 'keyed hash of the list, order apart'),
  field('previous_fingerprint', 'gatelens.tools.previous_fingerprint', 'string', 'of the list before; empty at first'),
  field('tools', 'gatelens.tools.count', 'uint32', 'tools in the list'),
  field('added', 'gatelens.tools.added', 'strings', 'names of new tools, the first 100'),
  field('removed', 'gatelens.tools.removed', 'strings', 'names of tools that are gone, the first 100'),
  field('changed', 'gatelens.tools.changed', 'strings', 'names of tools that differ, the first 100'),
  field('parts', 'gatelens.tools.parts', 'string', 'JSON: which members of each of these differ; never what they say'),
  field('client_name', 'gatelens.client.name', 'lowcard', 'the client that was shown the list'),
  field('client_version', 'gatelens.client.version', 'lowcard', 'its version'),
  field('protocol_version', 'mcp.protocol.version', 'lowcard', 'MCP revision'),
  field('seen_in_calls', 'gatelens.tools.seen_in_calls', 'strings', 'calls of tools/list whose answers hold the list'),
  field('previous_calls', 'gatelens.tools.previous_calls', 'strings', 'the same of the list before'),
  field('demo', 'gatelens.demo', 'bool', 'made by `gatelens demo --history`'),
];

/** `mcp.health`; not chained itself, but it carries the signed head of a chain. */
export const HEALTH_FIELDS: readonly Field[] = [
  field('at', 'span:start', 'datetime_ns', 'when it was measured', { chained: false, unit: 'ns' }),
  field('ingested_at', 'store:now64(3)', 'datetime_ms', 'when the store got it', { chained: false }),
  field('component', 'gatelens.health.component', 'lowcard', '`gateway`, `audit-api` or `collector`', {
    chained: false,
  }),
  field('chain_id', 'gatelens.chain.id', 'lowcard', 'the chain of this component', { chained: false }),
  field('seen', 'gatelens.health.seen', 'uint64', 'records begun since start', { chained: false }),
  field('recorded', 'gatelens.health.recorded', 'uint64', 'records made durable since start', { chained: false }),
  field('shipped', 'gatelens.health.shipped', 'uint64', 'records taken by the store since start, earlier ones too', {
    chained: false,
  }),
  field('lost', 'gatelens.health.lost', 'uint64', 'records that could not be kept (onFailure: pass)', {
    chained: false,
  }),
  field('set_aside', 'gatelens.health.set_aside', 'uint64', 'poison batches set aside', { chained: false }),
  field('spool_bytes', 'gatelens.health.spool_bytes', 'uint64', 'bytes waiting on disk', {
    chained: false,
    unit: 'By',
  }),
  field(
    'oldest_unshipped_at',
    'gatelens.health.oldest_unshipped',
    'uint64',
    'start of the oldest record not shipped, 0 if none',
    {
      chained: false,
      unit: 'ns',
    }
  ),
  field('head_seq', 'gatelens.chain.seq', 'uint64', 'last position of the chain', { chained: false }),
  field('head_hash', 'gatelens.chain.hash', 'string', 'last hash of the chain', { chained: false }),
  field('signing_key_id', 'gatelens.checkpoint.key_id', 'lowcard', 'Ed25519 key of the signature', { chained: false }),
  field('signature', 'gatelens.checkpoint.signature', 'string', 'Ed25519 over `chain_id|seq|hash`, base64', {
    chained: false,
  }),
  field('last_verify_at', 'gatelens.health.last_verify', 'uint64', 'last successful verification, 0 if never', {
    chained: false,
    unit: 'ns',
  }),
  field('refused', 'gatelens.health.refused', 'uint64', 'calls refused since they could not be recorded', {
    chained: false,
  }),
  field(
    'attempts_left_out',
    'gatelens.health.attempts_left_out',
    'uint64',
    'refused attempts that stand in sums (limits.attempts)',
    { chained: false }
  ),
  field(
    'payloads_truncated',
    'gatelens.health.payloads_truncated',
    'uint64',
    'payloads cut for the record (capture.maxBytes); the call had them whole',
    { chained: false }
  ),
  field('payloads_failed', 'gatelens.health.payloads_failed', 'uint64', 'payloads that could not be sealed', {
    chained: false,
  }),
];

/** Own attributes that stand on spans but have no column of their own. */
export const EXTRA_ATTRIBUTES: readonly { readonly attribute: string; readonly about: string }[] = [
  { attribute: 'gen_ai.operation.name', about: '`execute_tool` on tools/call' },
  { attribute: 'network.transport', about: '`tcp` or `pipe`' },
  { attribute: 'network.protocol.name', about: '`http` on HTTP' },
  { attribute: 'server.address', about: 'host of the upstream server (CLIENT spans only)' },
  { attribute: 'server.port', about: 'port of the upstream server (CLIENT spans only)' },
  {
    attribute: 'gatelens.http.trace_linked',
    about: 'true when HTTP trace context became a link because _meta had one',
  },
  {
    attribute: 'gatelens.left_out.attempts',
    about:
      'on a record that stands for refused attempts without records of their own: how many, from its start to its end',
  },
  {
    attribute: 'gatelens.goes_on',
    about: '`input` when the server answered with questions (`input_required`), `task` when the request became a task',
  },
  { attribute: 'gatelens.left_out.sources', about: 'how many networks or callers they came from' },
  { attribute: 'gatelens.left_out.sorts', about: 'JSON: how many by `error_type`; the sealed request says the same' },
];

export const RECORD_VERSION = 1;

/** Attribute names by column, e.g. `ATTR.user_key === 'user.hash'`. */
export function attributeOf(fields: readonly Field[], column: string): string {
  const found = fields.find((one) => one.column === column);
  if (found === undefined) throw new TypeError(`no column "${column}" in record v${RECORD_VERSION}`);
  return found.source;
}
