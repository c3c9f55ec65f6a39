/**
 * The audit log: one page of calls, newest first, by keyset on (started_at, call_id). Windows of time are read one after
 * the other, each further back and wider, until the page is full: the newest rows cost the same however old the log is.
 * A search that finds little stops between windows when its time is up and says how far it came. Looks for keys without
 * FINAL, then reads those rows with it and all conditions again: a row that was delivered twice is one row, and a stream
 * that ended is not open any more.
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

/** With parameters afterNs and afterId. */
const AFTER = '(started_at, call_id) < (fromUnixTimestamp64Nano({afterNs:Int64}), {afterId:String})';
/** So many candidates at once at most, when most turn out to be outdated: their keys go into a parameter. */
const MAX_CANDIDATES = 2000;

/**
 * Rows of which any version fits, the newest first: all that fit now are among them. Without FINAL nothing is merged,
 * every condition is looked at before other columns are read, and reading ends with the last row wanted.
 */
function candidatesSql({ sql: where }: Conditions, after: boolean): string {
  return `SELECT toString(toUnixTimestamp64Nano(started_at)) AS started_ns, call_id
FROM mcp.calls
PREWHERE ${where} AND ${IN_RANGE} ${after ? `AND ${AFTER}` : ''}
ORDER BY started_at DESC, call_id DESC
LIMIT {limit:UInt32}
${QUERY_SETTINGS}`;
}

/** Those of the candidates that fit as they are now; only their wide columns are read. */
function rowsSql({ sql: where }: Conditions): string {
  return `SELECT ${CALL_COLUMNS}
FROM mcp.calls FINAL
PREWHERE (started_at, call_id) IN (
    SELECT fromUnixTimestamp64Nano(toInt64(key.1)), key.2
    FROM (SELECT arrayJoin(arrayZip({startedNs:Array(String)}, {callIds:Array(String)})) AS key)
)
WHERE ${IN_RANGE} AND ${where}
ORDER BY started_at DESC, call_id DESC
${QUERY_SETTINGS}`;
}

interface Candidate {
  readonly started_ns: string;
  readonly call_id: string;
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
  const rows: CallRow[] = [];
  let pending: Candidate[] = [];
  let { after } = page;
  const candidates = (window: TimeWindow, limit: number): Promise<Candidate[]> => {
    const position = after === undefined ? {} : { afterNs: `${after.startedNs}`, afterId: after.callId };
    const params = { ...where.params, ...position, ...rangeParams(window), limit };
    return store.query<Candidate>(candidatesSql(where, after !== undefined), params, options);
  };
  /** Puts what fits of the pending ones into the page. */
  const settle = async (): Promise<void> => {
    const keys = pending;
    pending = [];
    const [newest, oldest] = [keys[0], keys.at(-1)];
    if (newest === undefined || oldest === undefined) return;
    const params = {
      ...where.params,
      ...rangeParams({ fromNs: BigInt(oldest.started_ns), toNs: BigInt(newest.started_ns) + 1n }),
      startedNs: keys.map((key) => key.started_ns),
      callIds: keys.map((key) => key.call_id),
    };
    rows.push(...(await store.query<CallRow>(rowsSql(where), params, options)));
  };
  const shown = async (found: readonly CallRow[]): Promise<readonly CallRow[]> =>
    page.everyRequest === true ? found : withoutContinued(store, visibility, found, options);
  /** What was found until a limit was reached; the next page goes on from there. */
  const cut = async (searchedToNs: bigint, cutBy: QueryLimit): Promise<CallRowPage> => {
    await settle();
    return { rows: await shown(rows), next: { startedNs: searchedToNs, callId: '' }, searchedToNs, cutBy };
  };
  // one row more than asked for tells whether there is a next page
  const wanted = page.limit + 1;
  let searchedToNs: bigint | undefined;
  for (const window of windows(page)) {
    if (searchedToNs !== undefined && page.timeIsUp?.() === true) return cut(searchedToNs, 'time');
    for (let limit = 0; rows.length < wanted;) {
      limit = Math.max(wanted - rows.length - pending.length, Math.min(2 * limit, MAX_CANDIDATES));
      let found: readonly Candidate[];
      try {
        found = await candidates(window, limit);
      } catch (error) {
        const reached = page.limitOf?.(error);
        if (reached === undefined || searchedToNs === undefined) throw error;
        return cut(searchedToNs, reached);
      }
      pending.push(...found);
      if (rows.length + pending.length >= wanted) await settle();
      const last = found.at(-1);
      if (found.length < limit || last === undefined) break;
      after = { startedNs: BigInt(last.started_ns), callId: last.call_id };
    }
    if (rows.length >= wanted) break;
    searchedToNs = window.fromNs;
  }
  await settle();
  const read = rows.slice(0, page.limit);
  const last = read.at(-1);
  // a call in rounds is one row: the newest of them
  if (rows.length <= page.limit || last === undefined) return { rows: await shown(read) };
  return { rows: await shown(read), next: { startedNs: BigInt(last.started_ns), callId: last.call_id } };
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
