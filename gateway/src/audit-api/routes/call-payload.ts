/**
 * `/calls/{id}/payload`: opens what was sealed, for auditors within their servers. The access record is durable before
 * the first byte of the answer; when it cannot be made there is no answer. Refusals are recorded too.
 */
import type { Context } from 'hono';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { AccessEntry } from '../../record/access.ts';
import type { CallDetailRow } from '../../store/queries/call-row.ts';
import { findCall } from '../../store/queries/call.ts';
import { dataKeys, sealedPayload } from '../../store/queries/payload.ts';
import { ApiError, callNotFound } from '../api-error.ts';
import type { CallPayload } from '../contract.ts';
import { callPayloadRoute } from '../contract.ts';
import type { ApiEnv, RouteDeps } from '../deps.ts';
import { accessActor } from '../deps.ts';
import type { SealedParts } from '../payload-view.ts';
import { openParts } from '../payload-view.ts';
import { recordAccess } from '../record-access.ts';
import { requireSight } from '../require-sight.ts';
import type { Visibility } from '../visibility.ts';
import { payloadHidden, payloadRefusal } from '../visibility.ts';

const REFUSAL = {
  not_auditor: 'Only auditors open payloads. Ask for a token with the role auditor.',
  other_server: 'Your auditor role does not cover the server of this call. /api/v1/me lists the ones it covers.',
} as const;
/** What an id can look like; others are not repeated into the access log. */
const CALL_ID = /^[0-9A-Za-z_-]{1,64}$/;

export function registerCallPayload(api: OpenAPIHono<ApiEnv>, deps: RouteDeps): void {
  api.openapi(callPayloadRoute, async (c) => {
    const visibility = await requireSight(c, deps.refusals, 'payload.read');
    const { id } = c.req.valid('param');
    // before any look-up: whether the call exists makes no difference to who is no auditor
    if (visibility.payloads === false)
      throw await refuse(c, deps, 'not_auditor', CALL_ID.test(id) ? { targetCallId: id } : {});
    const { signal } = c.req.raw;
    const call = await findCall(deps.store, visibility, id, { signal });
    if (call === undefined) throw callNotFound();
    const refusal = payloadRefusal(visibility, call.server);
    if (refusal !== undefined) throw await refuse(c, deps, refusal, targetOf(call));
    const sealed = await readSealed(deps, visibility, call, signal);
    const payload = await openParts(call, sealed, { ...deps, nowMs: deps.clock.wallMs() });
    await recordReading(c, deps, call, payload);
    return c.json(payload, 200);
  });
}

function targetOf(call: CallDetailRow): Pick<AccessEntry, 'targetCallId' | 'targetUserKey' | 'targetServer'> {
  return { targetCallId: call.call_id, targetUserKey: call.user_key, targetServer: call.server };
}

async function refuse(
  c: Context<ApiEnv>,
  deps: RouteDeps,
  reason: keyof typeof REFUSAL,
  target: Partial<ReturnType<typeof targetOf>>
): Promise<ApiError> {
  await deps.refusals.refused({ ...accessActor(c), ...target, action: 'payload.read', reason });
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
