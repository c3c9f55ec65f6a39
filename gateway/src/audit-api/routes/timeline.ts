/** `/timeline`: the whole range in buckets, by outcome, within the caller's visibility. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { OutcomeRow, RequestRow } from '../../store/queries/over-time.ts';
import { recordsOverTime } from '../../store/queries/timeline.ts';
import type { Timeline } from '../contract.ts';
import { timelineRoute } from '../contract.ts';
import type { ApiEnv, RouteDeps } from '../deps.ts';
import { nowNs } from '../clock.ts';
import { askedFilter } from '../own-calls-only.ts';
import { requireSight } from '../require-sight.ts';
import { fillBuckets, timeBuckets } from '../time-buckets.ts';
import { formatInstant, recentRange } from '../time-range.ts';
import { outcomeCounts, requestFigures } from '../usage-view.ts';

export function registerTimeline(api: OpenAPIHono<ApiEnv>, deps: RouteDeps): void {
  api.openapi(timelineRoute, async (c) => {
    const visibility = await requireSight(c, deps.refusals, 'calls.read');
    const query = c.req.valid('query');
    const range = recentRange(query, nowNs(deps.clock));
    const { signal } = c.req.raw;
    const filter = await askedFilter(c, deps, visibility, query, { signal, action: 'calls.read' });
    const buckets = timeBuckets(range, query.buckets);
    const request = { range, filter, bucketSeconds: buckets.seconds };
    const { outcomes, requests, totals } = await recordsOverTime(deps.store, visibility, request, { signal });
    const requestsOf = new Map(requests.map((row) => [String(row.bucket), row]));
    return c.json(
      {
        from: formatInstant(range.fromNs),
        to: formatInstant(range.toNs),
        bucketSeconds: buckets.seconds,
        totals: figures(outcomes, totals),
        buckets: fillBuckets(buckets, outcomes, (rows, start) => ({
          start,
          ...figures(rows, requestsOf.get(String(rows[0]?.bucket))),
        })),
      },
      200
    );
  });
}

function figures(rows: readonly OutcomeRow[], requests: RequestRow | undefined): Timeline['totals'] {
  const outcomes = outcomeCounts(rows);
  const records = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
  const { calls, errors, errorRate, p95Ms } = requestFigures(requests);
  return { calls: records, outcomes, requests: calls, errors, errorRate, p95Ms };
}
