/**
 * How many requests ran at the same time: the most in each bucket and the most on each server. Counts requests that began
 * in the range; one that ends in the nanosecond in which another begins does not overlap with it.
 */
import type { Visibility } from './visibility.ts';
import type { QueryOptions, StoreReader } from './reader.ts';
import { QUERY_SETTINGS } from './reader.ts';
import { conditions, IN_RANGE, matchesNothing, rangeParams } from './scope.ts';
import type { SourceRequest } from './usage-source.ts';

export interface ParallelRow {
  /** seconds since 1970 / width */
  readonly bucket: number | string;
  readonly parallel: number | string;
}

export interface ServerParallelRow {
  readonly server_name: string;
  readonly parallel: number | string;
}

function spans(where: string): string {
  return `SELECT toString(server) AS server_name, toUnixTimestamp64Nano(started_at) AS begins, begins + toInt64(greatest(duration, 1)) AS ends
        FROM mcp.requests
        WHERE ${IN_RANGE} AND ${where}`;
}

/** A request that runs through several buckets counts in each. */
function bucketsSql(where: string): string {
  return `SELECT bucket, maxIntersections(begins, ends) AS parallel
FROM (
    SELECT begins, ends, arrayJoin(range(
        toUInt32(intDiv(begins, {widthNs:Int64})),
        toUInt32(least(intDiv(ends - 1, {widthNs:Int64}), intDiv({toNs:Int64} - 1, {widthNs:Int64}))) + 1
    )) AS bucket
    FROM (
        ${spans(where)}
    )
)
GROUP BY bucket
${QUERY_SETTINGS}`;
}

function serversSql(where: string): string {
  return `SELECT server_name, maxIntersections(begins, ends) AS parallel
FROM (
        ${spans(where)}
)
GROUP BY server_name
ORDER BY parallel DESC, server_name
LIMIT {limit:UInt32}
${QUERY_SETTINGS}`;
}

export async function concurrency(
  store: StoreReader,
  visibility: Visibility,
  request: SourceRequest & { readonly bucketSeconds: number; readonly limit: number },
  options: QueryOptions = {}
): Promise<{ readonly buckets: readonly ParallelRow[]; readonly servers: readonly ServerParallelRow[] }> {
  const { range, filter, bucketSeconds, limit } = request;
  if (matchesNothing(visibility, filter, 'usage')) return { buckets: [], servers: [] };
  const { sql: where, params } = conditions(visibility, filter, 'usage');
  const bound = { ...params, ...rangeParams(range) };
  const widthNs = `${BigInt(bucketSeconds) * 1_000_000_000n}`;
  const [buckets, servers] = await Promise.all([
    store.query<ParallelRow>(bucketsSql(where), { ...bound, widthNs }, options),
    store.query<ServerParallelRow>(serversSql(where), { ...bound, limit }, options),
  ]);
  return { buckets, servers };
}
