/** `/timeline`: the whole range in buckets, by outcome, within the caller's visibility. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { OutcomeRow } from '../../store/queries/timeline.ts';
import { outcomesOverTime } from '../../store/queries/timeline.ts';
import type { RequestRow } from '../../store/queries/usage-over-time.ts';
import { usageOverTime } from '../../store/queries/usage-over-time.ts';
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
    const now = nowNs(deps.clock);
    const range = recentRange(query, now);
    const { signal } = c.req.raw;
    const filter = await askedFilter(c, deps, visibility, query, { signal, action: 'calls.read' });
    const buckets = timeBuckets(range, query.buckets);
    const request = { range, filter, nowNs: now, bucketSeconds: buckets.seconds };
    const [outcomes, { requests }] = await Promise.all([
      outcomesOverTime(deps.store, visibility, request, { signal }),
      usageOverTime(deps.store, visibility, request, { signal, subject: 'calls', byOutcome: false }),
    ]);
    const requestsOf = new Map(requests.filter(({ level }) => level === 0).map((row) => [String(row.bucket), row]));
    const totals = requests.find(({ level }) => level === 1);
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
