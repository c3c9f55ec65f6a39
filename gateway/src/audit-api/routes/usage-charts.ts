/** `/usage/timeline` and `/usage/concurrency`: usage over time, and how much ran at once. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import { concurrency } from '../../store/queries/concurrency.ts';
import type { UsageOverTime } from '../../store/queries/usage-over-time.ts';
import { busiestMinute, usageOverTime } from '../../store/queries/usage-over-time.ts';
import type { UsageBucket } from '../contract.ts';
import { usageConcurrencyRoute, usageOverTimeRoute } from '../contract.ts';
import type { ApiEnv, RouteDeps } from '../deps.ts';
import type { TimeBuckets } from '../time-buckets.ts';
import { bucketStart, fillBuckets, timeBuckets } from '../time-buckets.ts';
import { formatInstant } from '../time-range.ts';
import { outcomeCounts, requestFigures, tokenFigures } from '../usage-view.ts';
import type { UsageAsked } from './usage-range.ts';
import { pricedHead, usageAsked, usageHead } from './usage-range.ts';

const NS_PER_SECOND = 1_000_000_000n;
const NS_PER_MINUTE = 60n * NS_PER_SECOND;

export function registerUsageCharts(api: OpenAPIHono<ApiEnv>, deps: RouteDeps): void {
  api.openapi(usageOverTimeRoute, async (c) => {
    const { buckets: atMost, compare, ...query } = c.req.valid('query');
    const asked = await usageAsked(c, deps, query);
    const buckets = timeBuckets(asked.range, atMost);
    const count = ({ range, ...rest }: UsageAsked): Promise<UsageOverTime> =>
      usageOverTime(
        deps.store,
        asked.visibility,
        { ...rest, range, bucketSeconds: buckets.seconds },
        { signal: asked.signal }
      );
    const before = shiftedBack(asked, buckets);
    const [now, previous] = await Promise.all([
      count(asked),
      compare === undefined || before === undefined ? undefined : count({ ...asked, range: before.range }),
    ]);
    return c.json(
      {
        ...pricedHead(asked),
        lagSeconds: now.lagSeconds,
        bucketSeconds: buckets.seconds,
        buckets: bucketsView(buckets, now, asked.prices),
        previous:
          previous === undefined || before === undefined ? null : bucketsView(before.buckets, previous, asked.prices),
      },
      200
    );
  });

  api.openapi(usageConcurrencyRoute, async (c) => {
    const { buckets: atMost, limit, ...query } = c.req.valid('query');
    const asked = await usageAsked(c, deps, query);
    const { visibility, signal, range } = asked;
    const buckets = timeBuckets(range, atMost);
    const [{ buckets: rows, servers }, minute] = await Promise.all([
      concurrency(deps.store, visibility, { ...asked, bucketSeconds: buckets.seconds, limit }, { signal }),
      busiestMinute(deps.store, visibility, asked, { signal }),
    ]);
    const filled = fillBuckets(buckets, rows, ([row], start) => ({ start, parallel: Number(row?.parallel ?? 0) }));
    const highest = filled.reduce((most, one) => (one.parallel > most.parallel ? one : most), {
      start: '',
      parallel: 0,
    });
    return c.json(
      {
        ...usageHead(asked),
        bucketSeconds: buckets.seconds,
        peak: highest.parallel === 0 ? null : highest,
        busiestMinute:
          minute === undefined
            ? null
            : { calls: minute.calls, start: formatInstant(BigInt(minute.minute) * NS_PER_MINUTE) },
        buckets: filled,
        servers: servers.map((row) => ({ server: row.server_name, parallel: Number(row.parallel) })),
      },
      200
    );
  });
}

/** The time just before, by whole buckets, so that bucket lies on bucket; undefined before 1970. */
function shiftedBack({ range }: UsageAsked, buckets: TimeBuckets) {
  const lengthNs = range.toNs - range.fromNs;
  const widthNs = BigInt(buckets.seconds) * NS_PER_SECOND;
  const steps = (lengthNs + widthNs - 1n) / widthNs;
  const shiftNs = steps * widthNs;
  if (shiftNs > range.fromNs) return undefined;
  return {
    range: { fromNs: range.fromNs - shiftNs, toNs: range.toNs - shiftNs },
    buckets: { ...buckets, first: buckets.first - Number(steps) },
  };
}

function bucketsView(
  buckets: TimeBuckets,
  { requests, outcomes }: UsageOverTime,
  prices: UsageAsked['prices']
): UsageBucket[] {
  const byBucket = new Map(requests.map((row) => [Number(row.bucket), row]));
  const views = fillBuckets(buckets, outcomes, (rows) => outcomeCounts(rows));
  return views.map((counts, index) => {
    const row = byBucket.get(buckets.first + index);
    return {
      start: bucketStart(buckets, index),
      ...requestFigures(row),
      outcomes: counts,
      ...tokenFigures(row, prices),
    };
  });
}
