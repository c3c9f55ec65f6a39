/**
 * Requests in buckets of time: counts, errors, latencies, tokens; by outcome too where a page draws that. Buckets without
 * a request are left out here.
 */
import type { Visibility } from './visibility.ts';
import type { QueryOptions, StoreReader } from './reader.ts';
import { QUERY_SETTINGS } from './reader.ts';
import { matchesNothing } from './scope.ts';
import type { OutcomeRow } from './timeline.ts';
import type { TokenPrices } from './token-cost.ts';
import { costColumn } from './token-cost.ts';
import type { SourceRequest } from './usage-source.ts';
import { FIGURES, QUANTILES_US, usageSource } from './usage-source.ts';

type Int64 = number | string;

/** Requests in one bucket (`level` 0), or in all of them (1). */
export interface RequestRow {
  readonly level: number;
  /** seconds since 1970 / width */
  readonly bucket: Int64;
  readonly calls: Int64;
  readonly errors: Int64;
  readonly denied: Int64;
  readonly tokens: Int64;
  /** with prices only */
  readonly cost?: Int64;
  /** µs at p50, p95 and p99 */
  readonly quantiles_us: readonly number[];
}

export interface OverTimeRequest extends SourceRequest {
  readonly bucketSeconds: number;
}

export interface UsageOverTime {
  readonly requests: readonly RequestRow[];
  readonly outcomes: readonly OutcomeRow[];
  readonly lagSeconds: number;
}

function bucketed(source: string): string {
  return `(SELECT *, intDiv(at, {bucketSeconds:UInt32}) AS bucket FROM (
    ${source}
))`;
}

function requestsSql(source: string, prices: TokenPrices | undefined): string {
  return `SELECT toUInt8(grouping(bucket)) AS level, bucket, ${FIGURES}${costColumn(prices)}, ${QUANTILES_US}
FROM ${bucketed(source)}
GROUP BY GROUPING SETS ((), (bucket))
HAVING calls > 0
ORDER BY level, bucket
${QUERY_SETTINGS}`;
}

function outcomesSql(source: string): string {
  return `SELECT bucket, ended, sum(n) AS calls
FROM ${bucketed(source)}
GROUP BY bucket, ended
${QUERY_SETTINGS}`;
}

export async function usageOverTime(
  store: StoreReader,
  visibility: Visibility,
  request: OverTimeRequest,
  options: QueryOptions & { readonly subject: 'calls' | 'usage'; readonly byOutcome: boolean }
): Promise<UsageOverTime> {
  const { filter, bucketSeconds } = request;
  const { subject, byOutcome } = options;
  if (matchesNothing(visibility, filter, subject)) return { requests: [], outcomes: [], lagSeconds: 0 };
  const source = await usageSource(store, visibility, request, { bucketSeconds, latencies: true, subject }, options);
  const params = { ...source.params, bucketSeconds };
  const [requests, outcomes] = await Promise.all([
    store.query<RequestRow>(requestsSql(source.sql, request.prices), params, options),
    byOutcome ? store.query<OutcomeRow>(outcomesSql(source.sql), params, options) : [],
  ]);
  return { requests, outcomes, lagSeconds: source.lagSeconds };
}

/** The minute with the most requests. */
export async function busiestMinute(
  store: StoreReader,
  visibility: Visibility,
  request: SourceRequest,
  options: QueryOptions = {}
): Promise<{ readonly minute: number; readonly calls: number } | undefined> {
  if (matchesNothing(visibility, request.filter, 'usage')) return undefined;
  const source = await usageSource(store, visibility, request, { bucketSeconds: 60 }, options);
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
