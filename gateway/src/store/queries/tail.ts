/**
 * What the store got since a moment ago, in the order in which it came: for the live view. By `ingested_at`, so a call
 * that waited in a spool is new when it arrives, however old it is. Not FINAL: a row that comes twice comes twice.
 */
import type { Visibility } from './visibility.ts';
import type { CallRow } from './call-row.ts';
import { CALL_COLUMNS } from './call-row.ts';
import type { QueryOptions, StoreReader } from './reader.ts';
import { QUERY_SETTINGS } from './reader.ts';
import type { CallFilter } from './scope.ts';
import { conditions, matchesNothing } from './scope.ts';

export interface TailRow extends CallRow {
  /** rows since then, cut ones included */
  readonly arrived: number | string;
}

/** The clock that `ingested_at` is taken from, ms since 1970. */
export async function storeClockMs(store: StoreReader, options: QueryOptions = {}): Promise<number> {
  const sql = `SELECT toString(toUnixTimestamp64Milli(now64(3))) AS now_ms ${QUERY_SETTINGS}`;
  const [row] = await store.query<{ now_ms: string }>(sql, {}, options);
  return Number(row?.now_ms ?? 0);
}

/** @param limit the newest of them; oldest first in the answer */
export async function arrivedSince(
  store: StoreReader,
  visibility: Visibility,
  filter: CallFilter,
  { sinceMs, limit }: { readonly sinceMs: number; readonly limit: number },
  options: QueryOptions = {}
): Promise<TailRow[]> {
  if (matchesNothing(visibility, filter)) return [];
  const { sql: where, params } = conditions(visibility, filter);
  const sql = `SELECT ${CALL_COLUMNS}, count() OVER () AS arrived
FROM mcp.calls
WHERE ingested_at >= fromUnixTimestamp64Milli({sinceMs:Int64}) AND ${where}
ORDER BY ingested_at DESC, started_at DESC, call_id DESC
LIMIT {limit:UInt32}
${QUERY_SETTINGS}`;
  const rows = await store.query<TailRow>(sql, { ...params, sinceMs: `${sinceMs}`, limit }, options);
  return rows.reverse();
}
