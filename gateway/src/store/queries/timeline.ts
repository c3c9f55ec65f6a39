/**
 * Calls over time. What the list shows is counted by outcome from the calls, every kind of record; requests, errors and
 * latencies come from where Usage has them, so that both pages tell the same. Buckets without a call are left out here.
 */
import type { Visibility } from './visibility.ts';
import type { QueryOptions, StoreReader } from './reader.ts';
import { QUERY_SETTINGS } from './reader.ts';
import { conditions, IN_RANGE, matchesNothing, rangeParams } from './scope.ts';
import type { SourceRequest } from './usage-source.ts';
import { FIGURES, QUANTILES_US, usageSource } from './usage-source.ts';

type Int64 = number | string;

/** Records of one outcome in one bucket. */
export interface OutcomeRow {
  /** seconds since 1970 / width */
  readonly bucket: Int64;
  /** `''`: a stream that runs */
  readonly ended: string;
  readonly calls: Int64;
}

/** Requests in one bucket (`level` 0), or in all of them (1). */
export interface RequestRow {
  readonly level: number;
  readonly bucket: Int64;
  readonly calls: Int64;
  readonly errors: Int64;
  readonly denied: Int64;
  readonly tokens: Int64;
  /** µs at p50, p95 and p99 */
  readonly quantiles_us: readonly number[];
}

export interface TimelineRequest extends SourceRequest {
  readonly bucketSeconds: number;
}

function outcomesSql(where: string): string {
  return `SELECT intDiv(toUnixTimestamp(started_at), {bucketSeconds:UInt32}) AS bucket, toString(outcome) AS ended, count() AS calls
FROM mcp.calls FINAL
WHERE ${IN_RANGE} AND ${where}
GROUP BY bucket, ended
${QUERY_SETTINGS}`;
}

function requestsSql(source: string): string {
  return `SELECT toUInt8(grouping(bucket)) AS level, bucket, ${FIGURES}, ${QUANTILES_US}
FROM (SELECT *, intDiv(at, {bucketSeconds:UInt32}) AS bucket FROM (
    ${source}
))
GROUP BY GROUPING SETS ((), (bucket))
HAVING calls > 0
ORDER BY level, bucket
${QUERY_SETTINGS}`;
}

export async function outcomesOverTime(
  store: StoreReader,
  visibility: Visibility,
  { range, filter, bucketSeconds }: TimelineRequest,
  options: QueryOptions = {}
): Promise<OutcomeRow[]> {
  if (matchesNothing(visibility, filter)) return [];
  const { sql: where, params } = conditions(visibility, filter);
  return store.query<OutcomeRow>(outcomesSql(where), { ...params, ...rangeParams(range), bucketSeconds }, options);
}

export async function requestsOverTime(
  store: StoreReader,
  visibility: Visibility,
  request: TimelineRequest,
  options: QueryOptions & { readonly subject: 'calls' | 'usage' }
): Promise<RequestRow[]> {
  const { filter, bucketSeconds } = request;
  const { subject } = options;
  if (matchesNothing(visibility, filter, subject)) return [];
  const source = await usageSource(store, visibility, request, { bucketSeconds, subject }, options);
  return store.query<RequestRow>(requestsSql(source.sql), { ...source.params, bucketSeconds }, options);
}
