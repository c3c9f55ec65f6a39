/**
 * Sums in buckets of time: by outcome, and figures of requests in each bucket and in all. One query reads its source once
 * for the three. Whose calls the source has decides whoever wrote it.
 */
import type { QueryOptions, QueryParam, StoreReader } from './reader.ts';
import { QUERY_SETTINGS } from './reader.ts';
import type { TokenPrices } from './token-cost.ts';
import { costColumn } from './token-cost.ts';
import { FIGURES, QUANTILES_US } from './usage-source.ts';

type Int64 = number | string;

/** Records of one outcome in one bucket. */
export interface OutcomeRow {
  /** seconds since 1970 / width */
  readonly bucket: Int64;
  /** `''`: a stream that runs */
  readonly ended: string;
  readonly calls: Int64;
}

/** Requests in one bucket, or in all of them. */
export interface RequestRow {
  /** seconds since 1970 / width; means nothing on totals */
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

export interface OverTime {
  readonly outcomes: readonly OutcomeRow[];
  /** of buckets that have a request */
  readonly requests: readonly RequestRow[];
  /** undefined: no request at all */
  readonly totals: RequestRow | undefined;
}

export const NOTHING_OVER_TIME: OverTime = { outcomes: [], requests: [], totals: undefined };

/** A bit each for bucket and outcome, set where the line is a sum over all of them. */
const LEVEL = { outcome: 0, bucket: 1, all: 3 } as const;

interface LevelRow extends RequestRow {
  readonly level: number;
  readonly ended: string;
  readonly records: Int64;
}

/**
 * @param source columns `bucket`, `ended`, `latency_bucket`, `records_n`; of requests among these `n`, `tokens_n`; with
 *   prices `server_name`, `tool_name`
 */
export async function overTime(
  store: StoreReader,
  source: { readonly sql: string; readonly params: Readonly<Record<string, QueryParam>> },
  prices: TokenPrices | undefined,
  options: QueryOptions
): Promise<OverTime> {
  const sql = `SELECT toUInt8(grouping(bucket, ended)) AS level, bucket, ended, sum(records_n) AS records, ${FIGURES}${costColumn(prices)},
    ${QUANTILES_US}
FROM (
    ${source.sql}
)
GROUP BY GROUPING SETS ((), (bucket), (bucket, ended))
ORDER BY level, bucket
${QUERY_SETTINGS}`;
  const rows = await store.query<LevelRow>(sql, source.params, options);
  const requests = rows.filter((row) => row.level !== LEVEL.outcome && Number(row.calls) > 0);
  return {
    outcomes: rows
      .filter(({ level, records }) => level === LEVEL.outcome && Number(records) > 0)
      .map(({ bucket, ended, records }) => ({ bucket, ended, calls: records })),
    requests: requests.filter(({ level }) => level === LEVEL.bucket),
    totals: requests.find(({ level }) => level === LEVEL.all),
  };
}
