/**
 * What decides when a window of time may be exported and what belongs to it: which gateways still have records of it, and
 * at which positions of their chains its rows stand. Positions are exact: a row that comes late is told from one that is
 * delivered again.
 */
import type { QueryOptions, StoreReader } from './reader.ts';
import type { SeqRange } from './export-rows.ts';
import { IN_RANGE, rangeParams, type TimeWindow } from './scope.ts';
import type { Visibility } from './visibility.ts';

const SETTINGS = 'SETTINGS max_execution_time = 280, do_not_merge_across_partitions_select_final = 1';
/** A gateway that said nothing for so long is no part of the installation any more. */
const FORGOTTEN_DAYS = 30;

function requireAll(visibility: Visibility): void {
  if (visibility.calls !== 'all') throw new TypeError('windows asked for without the right to export');
}

export interface GatewayReport {
  readonly chainId: string;
  /** of its last report, ns since 1970 */
  readonly atNs: bigint;
  /** start of the oldest record that it had not delivered, ns since 1970; 0: none */
  readonly oldestNs: bigint;
}

/** The last report of each gateway. */
export async function gatewayReports(
  store: StoreReader,
  visibility: Visibility,
  options: QueryOptions = {}
): Promise<GatewayReport[]> {
  requireAll(visibility);
  const rows = await store.query<{ chain: string; at_ns: string; oldest_ns: string }>(
    `SELECT toString(chain_id) AS chain, toString(max(toUnixTimestamp64Nano(at))) AS at_ns,
    toString(argMax(oldest_unshipped_at, at)) AS oldest_ns
FROM mcp.health WHERE component = 'gateway' AND at >= now64(9) - INTERVAL ${FORGOTTEN_DAYS} DAY
GROUP BY chain_id ORDER BY chain_id ${SETTINGS}`,
    {},
    options
  );
  return rows.map((row) => ({ chainId: row.chain, atNs: BigInt(row.at_ns), oldestNs: BigInt(row.oldest_ns) }));
}

/** Gateways that may still have records begun before `toNs`. */
export function holdersOf(reports: readonly GatewayReport[], toNs: bigint, released: readonly string[]): string[] {
  return reports
    .filter(({ atNs, oldestNs }) => atNs < toNs || (oldestNs !== 0n && oldestNs < toNs))
    .map(({ chainId }) => chainId)
    .filter((chainId) => !released.includes(chainId));
}

/** Positions of all rows of a window, whatever an export filters, as few ranges as there can be; in order. */
export async function positionsOf(
  store: StoreReader,
  visibility: Visibility,
  window: TimeWindow,
  options: QueryOptions = {}
): Promise<SeqRange[]> {
  requireAll(visibility);
  const rows = await store.query<{ chain: string; lo: string; hi: string }>(
    `SELECT toString(chain) AS chain, toString(min(s)) AS lo, toString(max(s)) AS hi
FROM (
    SELECT chain_id AS chain, seq AS s, seq - row_number() OVER (PARTITION BY chain_id ORDER BY seq) AS island
    FROM mcp.calls FINAL WHERE ${IN_RANGE}
)
GROUP BY chain, island ORDER BY chain, min(s) ${SETTINGS}`,
    rangeParams(window),
    options
  );
  return rows.map(({ chain, lo, hi }) => ({ chainId: chain, fromSeq: BigInt(lo), toSeq: BigInt(hi) }));
}

/** What of `now` is not in `known`; both in order. */
export function positionsWithout(now: readonly SeqRange[], known: readonly SeqRange[]): SeqRange[] {
  const left: SeqRange[] = [];
  for (const { chainId, fromSeq, toSeq } of now) {
    let at = fromSeq;
    for (const range of known) {
      if (range.chainId !== chainId || range.toSeq < at || range.fromSeq > toSeq) continue;
      if (range.fromSeq > at) left.push({ chainId, fromSeq: at, toSeq: range.fromSeq - 1n });
      at = range.toSeq + 1n;
    }
    if (at <= toSeq) left.push({ chainId, fromSeq: at, toSeq });
  }
  return left;
}

/** When rows begun before `beforeNs` last came since `sinceMs`; undefined: none did. */
export async function lateRows(
  store: StoreReader,
  visibility: Visibility,
  { fromNs, toNs }: TimeWindow,
  sinceMs: number,
  options: QueryOptions = {}
): Promise<TimeWindow | undefined> {
  requireAll(visibility);
  const [row] = await store.query<{ n: string; first: string; last: string }>(
    `SELECT toString(count()) AS n, toString(toUnixTimestamp64Nano(min(started_at))) AS first,
    toString(toUnixTimestamp64Nano(max(started_at))) AS last
FROM mcp.calls WHERE ${IN_RANGE} AND ingested_at >= fromUnixTimestamp64Milli({sinceMs:Int64}) ${SETTINGS}`,
    { ...rangeParams({ fromNs, toNs }), sinceMs: `${sinceMs}` },
    options
  );
  if (row === undefined || row.n === '0') return undefined;
  return { fromNs: BigInt(row.first), toNs: BigInt(row.last) + 1n };
}
