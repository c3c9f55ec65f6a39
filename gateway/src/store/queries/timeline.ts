/**
 * What the list shows, over time: every kind of record by outcome, from the calls. Buckets without a call are left out
 * here. Requests, errors and latencies come from usage-over-time.ts, so that both pages tell the same.
 */
import type { Visibility } from './visibility.ts';
import type { QueryOptions, StoreReader } from './reader.ts';
import { QUERY_SETTINGS } from './reader.ts';
import type { CallFilter, TimeWindow } from './scope.ts';
import { conditions, IN_RANGE, matchesNothing, rangeParams } from './scope.ts';

type Int64 = number | string;

/** Records of one outcome in one bucket. */
export interface OutcomeRow {
  /** seconds since 1970 / width */
  readonly bucket: Int64;
  /** `''`: a stream that runs */
  readonly ended: string;
  readonly calls: Int64;
}

export interface TimelineRequest {
  readonly range: TimeWindow;
  readonly filter: CallFilter;
  readonly bucketSeconds: number;
}

export async function outcomesOverTime(
  store: StoreReader,
  visibility: Visibility,
  { range, filter, bucketSeconds }: TimelineRequest,
  options: QueryOptions = {}
): Promise<OutcomeRow[]> {
  if (matchesNothing(visibility, filter)) return [];
  const { sql: where, stable, params } = conditions(visibility, filter);
  const sql = `SELECT intDiv(toUnixTimestamp(started_at), {bucketSeconds:UInt32}) AS bucket, toString(outcome) AS ended, count() AS calls
FROM mcp.calls FINAL
PREWHERE ${stable}
WHERE ${IN_RANGE} AND ${where} AND (kind != 'request' OR phase = 'closed')
GROUP BY bucket, ended
${QUERY_SETTINGS}`;
  return store.query<OutcomeRow>(sql, { ...params, ...rangeParams(range), bucketSeconds }, options);
}
