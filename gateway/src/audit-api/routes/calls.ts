/** `/calls` and `/calls/{id}`: the audit log and one of its calls, metadata only, within the caller's visibility. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import { findCall } from '../../store/queries/call.ts';
import { listCalls } from '../../store/queries/audit-log.ts';
import { principalsOf } from '../../store/queries/principals.ts';
import { roundsOf } from '../../store/queries/rounds.ts';
import { callNotFound } from '../api-error.ts';
import { callDetailView, callView } from '../call-view.ts';
import { callRoute, callsRoute } from '../contract.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import type { ApiEnv, RouteDeps } from '../deps.ts';
import { nowNs } from '../clock.ts';
import { limitOf } from '../guarded-store.ts';
import { askedFilter, noteNotOwn } from '../own-calls-only.ts';
import { requireSight } from '../require-sight.ts';
import { formatInstant, parseRange } from '../time-range.ts';

/** A page that is not full by then is given out as it is, with the time it reached. */
const PAGE_BUDGET_MS = 4000;

export function registerCalls(api: OpenAPIHono<ApiEnv>, deps: RouteDeps): void {
  api.openapi(callsRoute, async (c) => {
    const visibility = await requireSight(c, deps.refusals, 'calls.read');
    const query = c.req.valid('query');
    const now = nowNs(deps.clock);
    const range = parseRange(query, now);
    const after = query.cursor === undefined ? {} : { after: decodeCursor(query.cursor) };
    const { signal } = c.req.raw;
    const filter = await askedFilter(c, deps, visibility, query, { signal, action: 'calls.read' });
    const endMs = deps.clock.monotonicMs() + PAGE_BUDGET_MS;
    const timeIsUp = (): boolean => deps.clock.monotonicMs() > endMs;
    const request = { ...range, ...after, limit: query.limit, nowNs: now, timeIsUp, limitOf };
    const page = await listCalls(deps.store, visibility, filter, request, { signal });
    const shown = page.rows.map((row) => row.user_key);
    const principals = await principalsOf(deps.store, visibility, shown, { signal });
    return c.json(
      {
        items: page.rows.map((row) => callView(row, visibility, principals)),
        nextCursor: page.next === undefined ? null : encodeCursor(page.next),
        searchedTo: page.searchedToNs === undefined ? null : formatInstant(page.searchedToNs),
        ...(page.cutBy === undefined ? {} : { cutBy: page.cutBy }),
      },
      200
    );
  });

  api.openapi(callRoute, async (c) => {
    const visibility = await requireSight(c, deps.refusals, 'calls.read');
    const { signal } = c.req.raw;
    const { id } = c.req.valid('param');
    const row = await findCall(deps.store, visibility, id, { signal });
    if (row === undefined) {
      await noteNotOwn(c, deps, id);
      throw callNotFound();
    }
    const principals = await principalsOf(deps.store, visibility, [row.user_key], { signal });
    const rounds = await roundsOf(deps.store, visibility, row, { signal });
    return c.json(callDetailView(row, rounds, visibility, principals), 200);
  });
}
