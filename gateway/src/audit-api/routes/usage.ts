/** `/usage/summary`: who uses what, how often, how fast, how well; one's own calls only for a viewer. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import { principalsOf } from '../../store/queries/principals.ts';
import { usage } from '../../store/queries/usage.ts';
import { callFilter } from '../call-filter.ts';
import { usageSummaryRoute } from '../contract.ts';
import type { ApiEnv, RouteDeps } from '../deps.ts';
import { nowNs } from '../deps.ts';
import { requireSight } from '../require-sight.ts';
import { formatInstant, recentRange } from '../time-range.ts';
import { usageView } from '../usage-view.ts';

export function registerUsage(api: OpenAPIHono<ApiEnv>, deps: RouteDeps): void {
  api.openapi(usageSummaryRoute, async (c) => {
    const visibility = await requireSight(c, deps.refusals, 'usage.read');
    const query = c.req.valid('query');
    const now = nowNs(deps.clock);
    const range = recentRange(query, now);
    const { signal } = c.req.raw;
    const filter = await callFilter(deps, visibility, query, { signal });
    const { limit } = query;
    const counted = await usage(deps.store, visibility, { range, filter, limit, nowNs: now }, { signal });
    const shown = counted.userRows.map((row) => row.user_key);
    const principals = await principalsOf(deps.store, visibility, shown, { signal });
    return c.json(
      {
        from: formatInstant(range.fromNs),
        to: formatInstant(range.toNs),
        scope: visibility.usage === 'all' ? ('all' as const) : ('own' as const),
        demo: filter.demo,
        lagSeconds: counted.lagSeconds,
        ...usageView(counted, { visibility, principals, limit }),
      },
      200
    );
  });
}
