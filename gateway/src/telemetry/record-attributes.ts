/**
 * Names of the own span attributes (`gatelens.*`) that the record is made of, taken from record/fields.ts by column, so
 * that a name exists once. An unknown column fails at load, not in production data.
 */
import { ACCESS_FIELDS, CALL_FIELDS, HEALTH_FIELDS, TOOL_CHANGE_FIELDS, attributeOf } from '../record/fields.ts';

const call = (column: string): string => attributeOf(CALL_FIELDS, column);
const access = (column: string): string => attributeOf(ACCESS_FIELDS, column);
const toolChange = (column: string): string => attributeOf(TOOL_CHANGE_FIELDS, column);
const health = (column: string): string => attributeOf(HEALTH_FIELDS, column);

export const CALL_ATTR = {
  recordVersion: call('record_version'),
  kind: call('kind'),
  chainId: call('chain_id'),
  seq: call('seq'),
  hash: call('record_hash'),
  phase: call('phase'),
  callId: call('call_id'),
  parentCallId: call('parent_call_id'),
  upstreamDuration: call('upstream_duration'),
  ttfb: call('ttfb'),
  upstreamAttempts: call('upstream_attempts'),
  upstreamTransport: call('upstream_transport'),
  authMethod: call('auth_method'),
  keyName: call('key_name'),
  teams: call('teams'),
  clientName: call('client_name'),
  clientVersion: call('client_version'),
  server: call('server'),
  sessionKey: call('session_key'),
  sessionKind: call('session_kind'),
  outcome: call('outcome'),
  requestBytes: call('request_bytes'),
  responseBytes: call('response_bytes'),
  tokens: call('tokens_estimated'),
  captureMode: call('capture_mode'),
  payloadState: call('payload_state'),
  requestSha256: call('request_sha256'),
  responseSha256: call('response_sha256'),
  policyRule: call('policy_rule'),
  deniedBy: call('denied_by'),
  demo: call('demo'),
  /** EXTRA_ATTRIBUTES, no columns */
  httpTraceLinked: 'gatelens.http.trace_linked',
  goesOn: 'gatelens.goes_on',
  leftOutAttempts: 'gatelens.left_out.attempts',
  leftOutSources: 'gatelens.left_out.sources',
  leftOutSorts: 'gatelens.left_out.sorts',
} as const;

export const ACCESS_ATTR = {
  action: access('action'),
  decision: access('decision'),
  reason: access('reason'),
  actorKind: access('actor_kind'),
  actorName: access('actor_name'),
  roles: access('roles'),
  callId: access('target_call_id'),
  userKey: access('target_user_key'),
  server: access('target_server'),
  rows: access('rows'),
  bytes: access('bytes'),
  detail: access('detail'),
} as const;

export const TOOL_CHANGE_ATTR = {
  change: toolChange('change'),
  fingerprint: toolChange('fingerprint'),
  previousFingerprint: toolChange('previous_fingerprint'),
  tools: toolChange('tools'),
  added: toolChange('added'),
  removed: toolChange('removed'),
  changed: toolChange('changed'),
  parts: toolChange('parts'),
  protocolVersion: toolChange('protocol_version'),
  seenInCalls: toolChange('seen_in_calls'),
  previousCalls: toolChange('previous_calls'),
} as const;

export const HEALTH_ATTR = {
  component: health('component'),
  seen: health('seen'),
  recorded: health('recorded'),
  shipped: health('shipped'),
  lost: health('lost'),
  setAside: health('set_aside'),
  spoolBytes: health('spool_bytes'),
  oldestUnshipped: health('oldest_unshipped_at'),
  signingKeyId: health('signing_key_id'),
  signature: health('signature'),
  lastVerify: health('last_verify_at'),
  refused: health('refused'),
  attemptsLeftOut: health('attempts_left_out'),
  payloadsTruncated: health('payloads_truncated'),
  payloadsFailed: health('payloads_failed'),
} as const;
