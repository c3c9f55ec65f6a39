/** `/usage/summary`: who uses what, how often, how fast, how well; one's own calls only for a viewer. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import { principalsOf } from '../../store/queries/principals.ts';
import type { TimeWindow } from '../../store/queries/scope.ts';
import { usage, usageTotals } from '../../store/queries/usage.ts';
import { usageSummaryRoute } from '../contract.ts';
import type { ApiEnv, RouteDeps } from '../deps.ts';
import { totalsView, usageView } from '../usage-view.ts';
import { pricedHead, usageAsked } from './usage-range.ts';

export function registerUsage(api: OpenAPIHono<ApiEnv>, deps: RouteDeps): void {
  api.openapi(usageSummaryRoute, async (c) => {
    const { limit, compare, ...query } = c.req.valid('query');
    const asked = await usageAsked(c, deps, query);
    const { visibility, signal, range, prices } = asked;
    const [counted, previous] = await Promise.all([
      usage(deps.store, visibility, { ...asked, limit }, { signal }),
      compare === undefined
        ? undefined
        : usageTotals(deps.store, visibility, { ...asked, range: periodBefore(range) }, { signal }),
    ]);
    const shown = counted.userRows.map((row) => row.user_key);
    const principals = await principalsOf(deps.store, visibility, shown, { signal });
    return c.json(
      {
        ...pricedHead(asked),
        lagSeconds: counted.lagSeconds,
        ...usageView(counted, { visibility, principals, limit, prices }),
        previous: previous === undefined ? null : totalsView(previous, prices),
      },
      200
    );
  });
}

function periodBefore({ fromNs, toNs }: TimeWindow): TimeWindow {
  const startNs = fromNs - (toNs - fromNs);
  return { fromNs: startNs < 0n ? 0n : startNs, toNs: fromNs };
}
