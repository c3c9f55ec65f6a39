/**
 * Requests in buckets of time: counts by outcome, errors, latencies, tokens. Buckets without a request are left out here.
 */
import type { Visibility } from './visibility.ts';
import type { OverTime } from './over-time.ts';
import { NOTHING_OVER_TIME, overTime } from './over-time.ts';
import type { QueryOptions, StoreReader } from './reader.ts';
import { QUERY_SETTINGS } from './reader.ts';
import { matchesNothing } from './scope.ts';
import type { SourceRequest } from './usage-source.ts';
import { usageSource } from './usage-source.ts';

type Int64 = number | string;

export interface OverTimeRequest extends SourceRequest {
  readonly bucketSeconds: number;
}

export interface UsageOverTime extends OverTime {
  readonly lagSeconds: number;
}

export async function usageOverTime(
  store: StoreReader,
  visibility: Visibility,
  request: OverTimeRequest,
  options: QueryOptions = {}
): Promise<UsageOverTime> {
  const { filter, bucketSeconds } = request;
  if (matchesNothing(visibility, filter, 'usage')) return { ...NOTHING_OVER_TIME, lagSeconds: 0 };
  const needs = { servers: false, outcomes: true, latencies: true, bucketSeconds };
  const source = await usageSource(store, visibility, request, needs, options);
  const bucketed = {
    sql: `SELECT *, n AS records_n, intDiv(at, {bucketSeconds:UInt32}) AS bucket FROM (
    ${source.sql}
)`,
    params: { ...source.params, bucketSeconds },
  };
  return { ...(await overTime(store, bucketed, request.prices, options)), lagSeconds: source.lagSeconds };
}

/** The minute with the most requests. */
export async function busiestMinute(
  store: StoreReader,
  visibility: Visibility,
  request: SourceRequest,
  options: QueryOptions = {}
): Promise<{ readonly minute: number; readonly calls: number } | undefined> {
  if (matchesNothing(visibility, request.filter, 'usage')) return undefined;
  const source = await usageSource(store, visibility, request, { servers: false, bucketSeconds: 60 }, options);
  const sql = `SELECT intDiv(at, 60) AS minute, sum(n) AS calls
FROM (
    ${source.sql}
)
GROUP BY minute
ORDER BY calls DESC, minute
LIMIT 1
${QUERY_SETTINGS}`;
  const [row] = await store.query<{ minute: Int64; calls: Int64 }>(sql, source.params, options);
  return row === undefined ? undefined : { minute: Number(row.minute), calls: Number(row.calls) };
}
