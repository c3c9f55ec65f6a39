/**
 * Opens the payload of one call and puts that into the access log, in this order: the caller must be an auditor of the
 * server, then it is opened in memory, then the reading is on disk, then it is given out. The one road to a payload.
 */
import type { Context } from 'hono';
import type { AccessEntry } from '../record/access.ts';
import type { CallDetailRow } from '../store/queries/call-row.ts';
import { dataKeys, sealedPayload } from '../store/queries/payload.ts';
import { ApiError } from './api-error.ts';
import type { CallPayload } from './contract.ts';
import type { ApiEnv, RouteDeps } from './deps.ts';
import { accessActor } from './deps.ts';
import type { SealedParts } from './payload-view.ts';
import { openParts } from './payload-view.ts';
import { recordAccess } from './record-access.ts';
import type { Visibility } from './visibility.ts';
import { payloadHidden, payloadRefusal } from './visibility.ts';

const REFUSAL = {
  not_auditor: 'Only auditors open payloads. Ask for a token with the role auditor.',
  other_server: 'Your auditor role does not cover the server of this call. /api/v1/me lists the ones it covers.',
} as const;

type PayloadAction = 'payload.read' | 'payload.search';
type Target = Pick<AccessEntry, 'targetCallId' | 'targetUserKey' | 'targetServer'>;

/** Throws ApiError `forbidden` for callers who are no auditors at all. @param target what was asked for, as far as known */
export async function requireAuditor(
  c: Context<ApiEnv>,
  deps: RouteDeps,
  target: Target,
  action: PayloadAction = 'payload.read'
): Promise<void> {
  if (c.get('visibility').payloads === false) throw await refuse(c, deps, 'not_auditor', target, action);
}

/** Throws ApiError `forbidden` for callers who are no auditors of this server. */
export async function requireAuditorOf(
  c: Context<ApiEnv>,
  deps: RouteDeps,
  server: string,
  target: Target,
  action: PayloadAction = 'payload.read'
): Promise<void> {
  const refusal = payloadRefusal(c.get('visibility'), server);
  if (refusal !== undefined) throw await refuse(c, deps, refusal, target, action);
}

/** @returns the payload, once the reading is recorded */
export async function readPayload(c: Context<ApiEnv>, deps: RouteDeps, call: CallDetailRow): Promise<CallPayload> {
  const visibility = c.get('visibility');
  await requireAuditorOf(c, deps, call.server, targetOf(call));
  const sealed = await readSealed(deps, visibility, call, c.req.raw.signal);
  const payload = await openParts(call, sealed, { ...deps, nowMs: deps.clock.wallMs() });
  await recordReading(c, deps, call, payload);
  return payload;
}

function targetOf(call: CallDetailRow): Target {
  return { targetCallId: call.call_id, targetUserKey: call.user_key, targetServer: call.server };
}

async function refuse(
  c: Context<ApiEnv>,
  deps: RouteDeps,
  reason: keyof typeof REFUSAL,
  target: Target,
  action: PayloadAction
): Promise<ApiError> {
  await deps.refusals.refused({ ...accessActor(c), ...target, action, reason });
  return new ApiError('forbidden', REFUSAL[reason], { reason });
}

/** @returns undefined when nothing was kept, so that nothing needs to be read */
async function readSealed(
  deps: RouteDeps,
  visibility: Visibility,
  call: CallDetailRow,
  signal: AbortSignal
): Promise<SealedParts | undefined> {
  if (payloadHidden(visibility, call.server, call.payload_state as CallPayload['state']) !== undefined)
    return undefined;
  const { call_id: callId, started_ns: startedNs, server } = call;
  const rows = await sealedPayload(deps.store, visibility, { callId, startedNs, server }, { signal });
  const keyIds = rows.map((row) => row.key_id);
  return { rows, keys: await dataKeys(deps.store, visibility, keyIds, { signal }) };
}

async function recordReading(
  c: Context<ApiEnv>,
  deps: RouteDeps,
  call: CallDetailRow,
  payload: CallPayload
): Promise<void> {
  const parts = [payload.request, payload.response];
  const opened = parts.some((part) => part.state === 'opened');
  const reason = parts.find(({ state }) => state === 'key_destroyed' || state === 'key_unavailable')?.state;
  const entry: AccessEntry = {
    ...accessActor(c),
    ...targetOf(call),
    action: 'payload.read',
    ...(!opened && (reason === 'key_destroyed' || reason === 'key_unavailable')
      ? { decision: 'refused', reason }
      : { decision: 'allowed' }),
    rows: opened ? 1 : 0,
    bytes: parts.reduce((sum, part) => sum + givenBytes(part), 0),
  };
  await recordAccess(deps, entry);
}

/** Body bytes in the answer; less than `bytes` where the body was cut. */
function givenBytes(part: CallPayload['request']): number {
  if (part.bodyText !== undefined) return Buffer.byteLength(part.bodyText);
  return part.bodyBase64 === undefined ? 0 : Buffer.byteLength(part.bodyBase64, 'base64');
}
