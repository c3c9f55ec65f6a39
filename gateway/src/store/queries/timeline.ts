/**
 * What the list shows, over time, in one reading of the calls: every kind of record by outcome, and of requests errors and
 * latencies, as `mcp.requests` defines them, so that the Usage page tells the same. Buckets without a record are left out.
 */
import type { Visibility } from './visibility.ts';
import type { QueryOptions, StoreReader } from './reader.ts';
import type { CallFilter, TimeWindow } from './scope.ts';
import { conditions, IN_RANGE, matchesNothing, rangeParams } from './scope.ts';
import type { OverTime } from './over-time.ts';
import { NOTHING_OVER_TIME, overTime } from './over-time.ts';

export interface TimelineRequest {
  readonly range: TimeWindow;
  readonly filter: CallFilter;
  readonly bucketSeconds: number;
}

export async function recordsOverTime(
  store: StoreReader,
  visibility: Visibility,
  { range, filter, bucketSeconds }: TimelineRequest,
  options: QueryOptions = {}
): Promise<OverTime> {
  if (matchesNothing(visibility, filter)) return NOTHING_OVER_TIME;
  const { sql: where, stable, params } = conditions(visibility, filter);
  // the groups are thousands, so what is done for each of them costs little
  const source = `SELECT bucket, toString(o) AS ended, latency_bucket, records_n, if(is_request, records_n, 0) AS n, 0 AS tokens_n
    FROM (
        SELECT intDiv(toUnixTimestamp(started_at), {bucketSeconds:UInt32}) AS bucket, outcome AS o, kind = 'request' AS is_request,
            toUInt8(if(is_request, least(255, floor(log2(greatest(duration, 1000) / 1000) * 8)), 0)) AS latency_bucket,
            count() AS records_n
        FROM mcp.calls FINAL
        PREWHERE ${stable}
        WHERE ${IN_RANGE} AND ${where} AND (kind != 'request' OR phase = 'closed')
        GROUP BY bucket, o, is_request, latency_bucket
    )`;
  const bound = { ...params, ...rangeParams(range), bucketSeconds };
  return overTime(store, { sql: source, params: bound }, undefined, options);
}
