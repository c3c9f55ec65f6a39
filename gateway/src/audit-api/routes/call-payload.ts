/**
 * `/calls/{id}/payload`: opens what was sealed, for auditors within their servers. The access record is durable before
 * the first byte of the answer; when it cannot be made there is no answer. Refusals are recorded too.
 */
import type { OpenAPIHono } from '@hono/zod-openapi';
import { findCall } from '../../store/queries/call.ts';
import { callNotFound } from '../api-error.ts';
import { callPayloadRoute } from '../contract.ts';
import type { ApiEnv, RouteDeps } from '../deps.ts';
import { readPayload, requireAuditor } from '../read-payload.ts';
import { requireSight } from '../require-sight.ts';

/** What an id can look like; others are not repeated into the access log. */
const CALL_ID = /^[0-9A-Za-z_-]{1,64}$/;

export function registerCallPayload(api: OpenAPIHono<ApiEnv>, deps: RouteDeps): void {
  api.openapi(callPayloadRoute, async (c) => {
    const visibility = await requireSight(c, deps.refusals, 'payload.read');
    const { id } = c.req.valid('param');
    // before any look-up: whether the call exists makes no difference to who is no auditor
    await requireAuditor(c, deps, CALL_ID.test(id) ? { targetCallId: id } : {});
    const call = await findCall(deps.store, visibility, id, { signal: c.req.raw.signal });
    if (call === undefined) throw callNotFound();
    return c.json(await readPayload(c, deps, call), 200);
  });
}
