/** `/calls` and `/calls/{id}`: the audit log and one of its calls, metadata only, within the caller's visibility. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import { findCall } from '../../store/queries/call.ts';
import { listCalls } from '../../store/queries/audit-log.ts';
import { principalsOf } from '../../store/queries/principals.ts';
import { callNotFound } from '../api-error.ts';
import { callDetailView, callView } from '../call-view.ts';
import { callRoute, callsRoute } from '../contract.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import type { ApiEnv, RouteDeps } from '../deps.ts';
import { nowNs } from '../deps.ts';
import { requireSight } from '../require-sight.ts';
import { parseRange } from '../time-range.ts';
import { resolveUsers } from '../user-filter.ts';

export function registerCalls(api: OpenAPIHono<ApiEnv>, deps: RouteDeps): void {
  api.openapi(callsRoute, async (c) => {
    const visibility = await requireSight(c, deps.refusals, 'calls.read');
    const query = c.req.valid('query');
    const now = nowNs(deps.clock);
    const range = parseRange(query, now);
    const after = query.cursor === undefined ? {} : { after: decodeCursor(query.cursor) };
    const { signal } = c.req.raw;
    const userKeys = await resolveUsers(deps, visibility, query.user, { signal });
    const filter = {
      ...range,
      demo: query.demo === 'true',
      ...(userKeys === undefined ? {} : { userKeys }),
      ...(query.server === undefined ? {} : { servers: query.server }),
      ...(query.operation === undefined ? {} : { operations: query.operation }),
      ...(query.tool === undefined ? {} : { tools: query.tool }),
      ...(query.outcome === undefined ? {} : { outcomes: query.outcome }),
      ...(query.kind === undefined ? {} : { kinds: query.kind }),
    };
    const page = await listCalls(
      deps.store,
      visibility,
      filter,
      { limit: query.limit, nowNs: now, ...after },
      { signal }
    );
    const userKeysShown = page.rows.map((row) => row.user_key);
    const principals = await principalsOf(deps.store, visibility, userKeysShown, { signal });
    const items = page.rows.map((row) => callView(row, visibility, principals));
    return c.json({ items, nextCursor: page.next === undefined ? null : encodeCursor(page.next) }, 200);
  });

  api.openapi(callRoute, async (c) => {
    const visibility = await requireSight(c, deps.refusals, 'calls.read');
    const { signal } = c.req.raw;
    const row = await findCall(deps.store, visibility, c.req.valid('param').id, { signal });
    if (row === undefined) throw callNotFound();
    const principals = await principalsOf(deps.store, visibility, [row.user_key], { signal });
    return c.json(callDetailView(row, visibility, principals), 200);
  });
}
