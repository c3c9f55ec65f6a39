/**
 * The audit log: one page of calls, newest first, by keyset on (started_at, call_id). Windows of time are read one after
 * the other, each further back and wider, until the page is full: the newest rows cost the same however old the log is.
 * A search that finds little stops between windows when its time is up and says how far it came. Reads FINAL, so a row
 * that was delivered twice is one row, and a stream that ended is not open any more.
 */
import type { Visibility } from './visibility.ts';
import type { CallRow } from './call-row.ts';
import { CALL_COLUMNS } from './call-row.ts';
import type { QueryLimit, QueryOptions, StoreReader } from './reader.ts';
import { QUERY_SETTINGS } from './reader.ts';
import { withoutContinued } from './rounds.ts';
import type { CallFilter, Conditions, TimeWindow } from './scope.ts';
import { conditions, IN_RANGE, matchesNothing, rangeParams } from './scope.ts';

export const DAY_NS = 86_400_000_000_000n;
/** How far back each window ends, from where the page starts; after the last one comes everything. */
const WINDOWS_NS = [DAY_NS / 24n, DAY_NS, 7n * DAY_NS, 30n * DAY_NS, 90n * DAY_NS, 365n * DAY_NS];
/** Latest time a DateTime64(9) holds: so calls of a clock that runs ahead are found too. */
const LATEST_NS = 9_223_372_036_854_775_807n;

/** The last row of a page, or the start of what was searched, with an id of `''`; the next page begins after it. */
export interface Position {
  readonly startedNs: bigint;
  readonly callId: string;
}

export interface PageRequest {
  /** ns since 1970, inclusive */
  readonly fromNs?: bigint;
  /** ns since 1970, exclusive */
  readonly toNs?: bigint;
  readonly limit: number;
  readonly after?: Position;
  /** now, ns since 1970: where the first window ends when nothing else says */
  readonly nowNs: bigint;
  /** asked between windows; left out: to the end */
  readonly timeIsUp?: () => boolean;
  /** true: requests that a later round went on with are rows of their own, too */
  readonly everyRequest?: boolean;
  /** the limit at which the store gave up, if that is why; left out: every failure is one of the page */
  readonly limitOf?: (error: unknown) => QueryLimit | undefined;
}

export interface CallRowPage {
  readonly rows: readonly CallRow[];
  /** undefined at the end of the log */
  readonly next?: Position;
  /** ns since 1970: earlier calls were not looked at yet, since the time was up */
  readonly searchedToNs?: bigint;
  /** with `searchedToNs`: what was up */
  readonly cutBy?: QueryLimit;
}

/** The keys of the page first, from the columns that are asked about; the wide columns are read for those rows alone. */
function pageSql({ sql: where, stable }: Conditions, after: boolean): string {
  const keyset = after
    ? 'AND (started_at, call_id) < (fromUnixTimestamp64Nano({afterNs:Int64}), {afterId:String})'
    : '';
  return `SELECT ${CALL_COLUMNS}
FROM mcp.calls FINAL
WHERE (started_at, call_id) IN (
    SELECT started_at, call_id
    FROM mcp.calls FINAL
    PREWHERE ${stable}
    WHERE ${IN_RANGE} ${keyset} AND ${where}
    ORDER BY started_at DESC, call_id DESC
    LIMIT {limit:UInt32}
) AND ${IN_RANGE} AND ${where}
ORDER BY started_at DESC, call_id DESC
${QUERY_SETTINGS}`;
}

export async function listCalls(
  store: StoreReader,
  visibility: Visibility,
  filter: CallFilter,
  page: PageRequest,
  options: QueryOptions = {}
): Promise<CallRowPage> {
  if (matchesNothing(visibility, filter)) return { rows: [] };
  const where = conditions(visibility, filter);
  const { params } = where;
  const sql = pageSql(where, page.after !== undefined);
  const after = page.after === undefined ? {} : { afterNs: `${page.after.startedNs}`, afterId: page.after.callId };
  const shownOf = async (read: readonly CallRow[]): Promise<readonly CallRow[]> =>
    page.everyRequest === true ? read : withoutContinued(store, visibility, read, options);
  const rows: CallRow[] = [];
  // one row more than asked for tells whether there is a next page
  const wanted = page.limit + 1;
  let searchedToNs: bigint | undefined;
  for (const window of windows(page)) {
    if (searchedToNs !== undefined && page.timeIsUp?.() === true) {
      return cut(await shownOf(rows), searchedToNs, 'time');
    }
    const limit = wanted - rows.length;
    try {
      rows.push(...(await store.query<CallRow>(sql, { ...params, ...after, ...rangeParams(window), limit }, options)));
    } catch (error) {
      const reached = page.limitOf?.(error);
      if (reached === undefined || searchedToNs === undefined) throw error;
      return cut(await shownOf(rows), searchedToNs, reached);
    }
    if (rows.length >= wanted) break;
    searchedToNs = window.fromNs;
  }
  const read = rows.slice(0, page.limit);
  const last = read.at(-1);
  // a call in rounds is one row: the newest of them
  const shown = await shownOf(read);
  if (rows.length <= page.limit || last === undefined) return { rows: shown };
  return { rows: shown, next: { startedNs: BigInt(last.started_ns), callId: last.call_id } };
}

/** What was found until a limit was reached; the next page goes on from there. */
function cut(rows: readonly CallRow[], searchedToNs: bigint, cutBy: QueryLimit): CallRowPage {
  return { rows, next: { startedNs: searchedToNs, callId: '' }, searchedToNs, cutBy };
}

/** Windows that touch but never overlap, newest first; together they are the whole range. */
export function* windows(page: Omit<PageRequest, 'limit'>, widthsNs = WINDOWS_NS): Generator<TimeWindow> {
  const floorNs = page.fromNs ?? 0n;
  let upperNs = page.toNs ?? LATEST_NS;
  if (page.after !== undefined && page.after.startedNs + 1n < upperNs) upperNs = page.after.startedNs + 1n;
  const startNs = upperNs < page.nowNs ? upperNs : page.nowNs;
  for (const backNs of widthsNs) {
    const lowerNs = startNs - backNs;
    if (lowerNs <= floorNs) break;
    yield { fromNs: lowerNs, toNs: upperNs };
    upperNs = lowerNs;
  }
  if (floorNs < upperNs) yield { fromNs: floorNs, toNs: upperNs };
}
