/**
 * From a row of `mcp.calls` to a call as the contract has it, for this caller: names of people only where they may be
 * seen, and why a payload is hidden. Turns columns into JSON; decides nothing itself.
 */
import type {
  CaptureMode,
  DeniedBy,
  Outcome,
  PayloadState,
  Phase,
  SessionKind,
  AuthMethod,
} from '../record/vocabulary.ts';
import type { CallDetailRow, CallRow } from '../store/queries/call-row.ts';
import type { PrincipalRow } from '../store/queries/principals.ts';
import type { Call, CallDetail, User } from './contract.ts';
import { formatInstant } from './time-range.ts';
import { payloadHidden, type Visibility } from './visibility.ts';

export type Principals = ReadonlyMap<string, PrincipalRow>;

const NS_PER_MS = 1e6;

export function orNull(text: string): string | null {
  return text === '' ? null : text;
}

function numberOrNull(value: number): number | null {
  return value === 0 ? null : value;
}

function toMs(durationNs: number | string): number {
  return Number(durationNs) / NS_PER_MS;
}

export function userView(userKey: string, visibility: Visibility, principals: Principals): User | null {
  if (userKey === '') return null;
  const known = principals.get(userKey);
  if (known !== undefined) {
    const { email, login, name } = known;
    return {
      key: userKey,
      ...(email === '' ? {} : { email }),
      ...(login === '' ? {} : { login }),
      ...(name === '' ? {} : { name }),
    };
  }
  const own = userKey === visibility.userKey && visibility.ownEmail !== undefined;
  return { key: userKey, ...(own ? { email: visibility.ownEmail } : {}) };
}

function payloadView(row: CallRow, visibility: Visibility): Call['payload'] {
  const state = row.payload_state as PayloadState;
  const hiddenBecause = payloadHidden(visibility, row.server, state);
  return {
    state,
    requestSha256: orNull(row.request_sha256),
    responseSha256: orNull(row.response_sha256),
    visible: hiddenBecause === undefined,
    ...(hiddenBecause === undefined ? {} : { hiddenBecause }),
  };
}

/** The closed sets are the gateway's own (record/vocabulary.ts), so what the store holds is in them. */
export function callView(row: CallRow, visibility: Visibility, principals: Principals): Call {
  return {
    id: row.call_id,
    parentId: orNull(row.parent_call_id),
    recordVersion: row.record_version,
    kind: row.kind as Call['kind'],
    phase: row.phase as Phase,
    gatewayId: row.chain_id,
    seq: row.seq_text,
    recordHash: row.record_hash,
    startedAt: formatInstant(BigInt(row.started_ns)),
    ingestedAt: new Date(Number(row.ingested_ms)).toISOString(),
    durationMs: toMs(row.duration),
    upstreamDurationMs: toMs(row.upstream_duration),
    ttfbMs: toMs(row.ttfb),
    upstreamAttempts: row.upstream_attempts,
    upstreamTransport: row.upstream_transport,
    user: userView(row.user_key, visibility, principals),
    authMethod: row.auth_method as AuthMethod,
    keyName: orNull(row.key_name),
    teams: [...row.teams],
    client: {
      name: orNull(row.client_name),
      version: orNull(row.client_version),
      address: orNull(row.client_address),
    },
    server: row.server,
    operation: row.operation,
    tool: orNull(row.tool),
    prompt: orNull(row.prompt),
    resourceUri: orNull(row.resource_uri),
    rpcId: orNull(row.rpc_id),
    session: { key: orNull(row.session_key), kind: row.session_kind as SessionKind },
    protocolVersion: orNull(row.protocol_version),
    traceId: row.trace_id,
    spanId: row.span_id,
    outcome: orNull(row.outcome) as Outcome | null,
    errorType: orNull(row.error_type),
    errorCode: numberOrNull(row.error_code),
    httpStatus: numberOrNull(row.http_status),
    requestBytes: Number(row.request_bytes),
    responseBytes: Number(row.response_bytes),
    tokensEstimated: row.tokens_estimated,
    captureMode: row.capture_mode as CaptureMode,
    payload: payloadView(row, visibility),
    policyRule: orNull(row.policy_rule),
    deniedBy: orNull(row.denied_by) as Exclude<DeniedBy, ''> | null,
    demo: row.demo,
  };
}

/** @param rounds see store/queries/rounds.ts */
export function callDetailView(
  row: CallDetailRow,
  rounds: readonly CallRow[],
  visibility: Visibility,
  principals: Principals
): CallDetail {
  return {
    ...callView(row, visibility, principals),
    rounds: rounds.map((round) => ({
      id: round.call_id,
      operation: round.operation,
      phase: round.phase as Phase,
      outcome: orNull(round.outcome) as Outcome | null,
      errorType: orNull(round.error_type),
      startedAt: formatInstant(BigInt(round.started_ns)),
      durationMs: toMs(round.duration),
    })),
    attributes: { ...row.attributes },
  };
}
