/**
 * Which part of a time range a rollup has settled, and which must still be counted from the calls. A bucket (minute or
 * hour) in which anything arrived since shortly before the rollup's last run counts as touched and is read from the
 * calls, so the figures are exact at any moment, late deliveries included. Asked first and bound into the query that
 * counts: evaluated twice in one query, a row arriving between could be counted twice or not at all.
 */
import type { QueryOptions, StoreReader } from './reader.ts';
import { QUERY_SETTINGS } from './reader.ts';
import type { TimeWindow } from './scope.ts';

const SECOND_NS = 1_000_000_000n;
/** Past this many touched buckets it is cheaper to count the whole range from the calls. */
const MAX_TOUCHED = 2000;

/** A rollup table and the width of its buckets. */
export interface Rollup {
  readonly table: 'mcp.usage_minute' | 'mcp.usage_hour' | 'mcp.usage_user_hour';
  readonly column: 'minute' | 'hour';
  readonly start: 'toStartOfMinute' | 'toStartOfHour';
  readonly seconds: 60 | 3600;
}

const USAGE_MINUTE: Rollup = {
  table: 'mcp.usage_minute',
  column: 'minute',
  start: 'toStartOfMinute',
  seconds: 60,
};
const USAGE_HOUR: Rollup = { table: 'mcp.usage_hour', column: 'hour', start: 'toStartOfHour', seconds: 3600 };
export const USAGE_USER_HOUR: Rollup = {
  table: 'mcp.usage_user_hour',
  column: 'hour',
  start: 'toStartOfHour',
  seconds: 3600,
};

/** Minutes are kept for 30 days (DDL 0005); a day less, so that none expires under a query. */
const MINUTES_KEPT_NS = 29n * 86_400n * SECOND_NS;

/** From so long a range on, hours are worth it: of the one that runs, an hour of calls is read. */
const LONG_NS = 2n * 86_400n * SECOND_NS;

/** @param bucketSeconds 0: the range as one */
export function rollupFor({ fromNs, toNs }: TimeWindow, nowNs: bigint, bucketSeconds: number): Rollup {
  if (fromNs < nowNs - MINUTES_KEPT_NS) return USAGE_HOUR;
  return toNs - fromNs >= LONG_NS && bucketSeconds % USAGE_HOUR.seconds === 0 ? USAGE_HOUR : USAGE_MINUTE;
}

/** Whole buckets between two times, less the touched ones; empty when `settledFrom === settledTo`. */
export interface Settled {
  /** seconds since 1970, inclusive, at a bucket's start */
  readonly settledFrom: number;
  /** seconds since 1970, exclusive, at a bucket's start */
  readonly settledTo: number;
  /** starts of touched buckets, seconds since 1970 */
  readonly touched: readonly number[];
  /** how far the rollup is behind the calls */
  readonly lagSeconds: number;
}

interface TouchedRow {
  readonly touched: readonly number[];
  readonly computed: boolean;
  readonly lag_ms: number | string;
}

/** The refreshes look 120 s back (DDL 0005), for inserts that were running; so does this. */
function touchedSql(rollup: Rollup): string {
  return `WITH (SELECT max(computed_at) FROM ${rollup.table}) AS last_computed_at
SELECT
    groupUniqArrayIf(${MAX_TOUCHED + 1})(
        toUInt32(toUnixTimestamp(${rollup.start}(started_at))),
        started_at >= fromUnixTimestamp64Nano({fromNs:Int64}) AND started_at < fromUnixTimestamp64Nano({toNs:Int64})
    ) AS touched,
    toBool(toUnixTimestamp64Milli(last_computed_at) > 0) AS computed,
    if(countIf(ingested_at > last_computed_at) = 0, 0,
        dateDiff('millisecond', minIf(ingested_at, ingested_at > last_computed_at), now64(3))) AS lag_ms
FROM mcp.calls
WHERE ingested_at >= last_computed_at - INTERVAL 120 SECOND
${QUERY_SETTINGS}`;
}

async function settledPart(
  store: StoreReader,
  rollup: Rollup,
  range: TimeWindow,
  options: QueryOptions = {}
): Promise<Settled> {
  const width = BigInt(rollup.seconds) * SECOND_NS;
  const firstBucket = ((range.fromNs + width - 1n) / width) * width;
  const endBucket = (range.toNs / width) * width;
  const nothing: Settled = { settledFrom: 0, settledTo: 0, touched: [], lagSeconds: 0 };
  if (endBucket <= firstBucket) return nothing;
  const params = { fromNs: `${firstBucket}`, toNs: `${endBucket}` };
  const [row] = await store.query<TouchedRow>(touchedSql(rollup), params, options);
  if (row === undefined || !row.computed || row.touched.length > MAX_TOUCHED) return nothing;
  return {
    settledFrom: Number(firstBucket / SECOND_NS),
    settledTo: Number(endBucket / SECOND_NS),
    touched: row.touched.map(Number),
    lagSeconds: Math.max(0, Number(row.lag_ms) / 1000),
  };
}

/** Asked once for each rollup and range, by whoever is first. */
export class SettledParts {
  readonly #asked = new Map<string, Promise<Settled>>();

  of(store: StoreReader, rollup: Rollup, range: TimeWindow, options: QueryOptions = {}): Promise<Settled> {
    const key = `${rollup.table} ${range.fromNs} ${range.toNs}`;
    const asked = this.#asked.get(key) ?? settledPart(store, rollup, range, options);
    this.#asked.set(key, asked);
    return asked;
  }
}
