/** `/usage/summary`: who uses what, how often, how fast, how well; one's own calls only for a viewer. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import { principalsOf } from '../../store/queries/principals.ts';
import { usage } from '../../store/queries/usage.ts';
import { badParameter } from '../api-error.ts';
import { usageSummaryRoute } from '../contract.ts';
import type { ApiEnv, RouteDeps } from '../deps.ts';
import { nowNs } from '../deps.ts';
import { requireSight } from '../require-sight.ts';
import { formatInstant, parseRange } from '../time-range.ts';
import { usageView } from '../usage-view.ts';
import { resolveUsers } from '../user-filter.ts';

const DAY_NS = 86_400_000_000_000n;

export function registerUsage(api: OpenAPIHono<ApiEnv>, deps: RouteDeps): void {
  api.openapi(usageSummaryRoute, async (c) => {
    const visibility = await requireSight(c, deps.refusals, 'usage.read');
    const query = c.req.valid('query');
    const now = nowNs(deps.clock);
    const { toNs = now, fromNs = now - DAY_NS } = parseRange(query, now);
    if (fromNs >= toNs) throw badParameter('from', 'must be before `to`; without it the range begins 24 hours ago');
    const { signal } = c.req.raw;
    const userKeys = await resolveUsers(deps, visibility, query.user, { signal });
    const demo = query.demo === 'true';
    const filter = {
      demo,
      ...(userKeys === undefined ? {} : { userKeys }),
      ...(query.server === undefined ? {} : { servers: query.server }),
      ...(query.operation === undefined ? {} : { operations: query.operation }),
      ...(query.tool === undefined ? {} : { tools: query.tool }),
    };
    const { limit } = query;
    const counted = await usage(
      deps.store,
      visibility,
      { range: { fromNs, toNs }, filter, limit, nowNs: now },
      { signal }
    );
    const shown = counted.userRows.map((row) => row.user_key);
    const principals = await principalsOf(deps.store, visibility, shown, { signal });
    return c.json(
      {
        from: formatInstant(fromNs),
        to: formatInstant(toNs),
        scope: visibility.usage === 'all' ? ('all' as const) : ('own' as const),
        demo,
        lagSeconds: counted.lagSeconds,
        ...usageView(counted, { visibility, principals, limit }),
      },
      200
    );
  });
}
