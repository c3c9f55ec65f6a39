/**
 * Sessions: the calls with one session key, summed up, the latest begun first; and one session with its calls in order.
 * A filter chooses sessions that have a call which fits; the figures are of all their calls in the range. Everything
 * within what the caller may see, so a key that several people used shows each of them only their own part.
 */
import type { Visibility } from './visibility.ts';
import type { Position } from './audit-log.ts';
import { DAY_NS, windows } from './audit-log.ts';
import type { CallRow } from './call-row.ts';
import { CALL_COLUMNS } from './call-row.ts';
import type { QueryOptions, StoreReader } from './reader.ts';
import { QUERY_SETTINGS } from './reader.ts';
import type { CallFilter, TimeWindow } from './scope.ts';
import { filterConditions, IN_RANGE, matchesNothing, rangeParams, scopeConditions } from './scope.ts';
import { ERRORS } from './usage-source.ts';

type Int64 = number | string;

export interface SessionRow {
  readonly session: string;
  readonly kind_of_session: string;
  /** ns since 1970 */
  readonly started_ns: string;
  /** ns since 1970 */
  readonly ended_ns: string;
  readonly users: readonly string[];
  readonly client: string;
  readonly client_release: string;
  readonly servers: readonly string[];
  readonly records: Int64;
  readonly calls: Int64;
  readonly server_requests: Int64;
  readonly errors: Int64;
  readonly denied_calls: Int64;
  readonly tokens: Int64;
}

/** With parameters windowFromNs and windowToNs. */
const IN_WINDOW =
  'started_at >= fromUnixTimestamp64Nano({windowFromNs:Int64}) AND started_at < fromUnixTimestamp64Nano({windowToNs:Int64})';
/** How far back each window ends; after the last one comes the rest of the range. */
const WINDOWS_NS = [DAY_NS, 7n * DAY_NS, 30n * DAY_NS];

const CLOSED_REQUEST = "kind = 'request' AND phase = 'closed'";

/** Aliases differ from columns: ClickHouse would use the alias in WHERE too. */
const SUMMARY = `SELECT session_key AS session, any(toString(session_kind)) AS kind_of_session,
    toString(min(toUnixTimestamp64Nano(started_at))) AS started_ns,
    toString(max(toUnixTimestamp64Nano(started_at) + toInt64(duration))) AS ended_ns,
    arraySort(groupUniqArrayIf(5)(user_key, user_key != '')) AS users,
    anyIf(toString(client_name), client_name != '') AS client,
    anyIf(toString(client_version), client_version != '') AS client_release,
    arraySort(groupUniqArrayIf(20)(toString(server), server != '')) AS servers,
    count() AS records,
    countIf(${CLOSED_REQUEST}) AS calls,
    countIf(kind = 'server_request') AS server_requests,
    countIf(${CLOSED_REQUEST} AND CAST(outcome, 'String') IN ${ERRORS}) AS errors,
    countIf(outcome = 'denied') AS denied_calls,
    sum(tokens_estimated) AS tokens
FROM mcp.calls FINAL`;

/** A window holds the first call of each session that began in it; their other calls are read wherever they are. */
function listSql(scope: string, matching: string, after: boolean): string {
  const keyset = after
    ? 'AND (min(started_at), session_key) < (fromUnixTimestamp64Nano({afterNs:Int64}), {afterId:String})'
    : '';
  return `${SUMMARY}
PREWHERE session_key IN (
    SELECT session_key FROM mcp.calls
    WHERE ${IN_WINDOW} AND session_key != '' AND demo = {demo:Bool} AND ${scope}
)
WHERE ${IN_RANGE} AND demo = {demo:Bool} AND ${scope}
GROUP BY session_key
HAVING countIf(${matching}) > 0 AND min(started_at) >= fromUnixTimestamp64Nano({windowFromNs:Int64}) ${keyset}
ORDER BY min(started_at) DESC, session_key DESC
LIMIT {limit:UInt32}
${QUERY_SETTINGS}`;
}

export interface SessionPageRequest {
  readonly range: TimeWindow;
  readonly limit: number;
  readonly after?: Position;
}

export async function listSessions(
  store: StoreReader,
  visibility: Visibility,
  filter: CallFilter,
  { range, limit, after }: SessionPageRequest,
  options: QueryOptions = {}
): Promise<{ readonly rows: readonly SessionRow[]; readonly next?: Position }> {
  if (matchesNothing(visibility, filter)) return { rows: [] };
  const scope = scopeConditions(visibility);
  const asked = filterConditions(visibility, filter);
  const sql = listSql(scope.sql, asked.sql, after !== undefined);
  const params = {
    ...scope.params,
    ...asked.params,
    ...rangeParams(range),
    demo: filter.demo,
    ...(after === undefined ? {} : { afterNs: `${after.startedNs}`, afterId: after.callId }),
  };
  const rows: SessionRow[] = [];
  const page = { ...range, nowNs: range.toNs, ...(after === undefined ? {} : { after }) };
  for (const { fromNs, toNs } of windows(page, WINDOWS_NS)) {
    const window = { windowFromNs: `${fromNs}`, windowToNs: `${toNs}`, limit: limit + 1 - rows.length };
    rows.push(...(await store.query<SessionRow>(sql, { ...params, ...window }, options)));
    if (rows.length > limit) break;
  }
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  if (rows.length <= limit || last === undefined) return { rows: shown };
  return { rows: shown, next: { startedNs: BigInt(last.started_ns), callId: last.session } };
}

/** Found by the bloom filter on session_key, wherever in time it is. */
export async function findSession(
  store: StoreReader,
  visibility: Visibility,
  key: string,
  options: QueryOptions = {}
): Promise<SessionRow | undefined> {
  if (visibility.calls === 'none' || key === '') return undefined;
  const scope = scopeConditions(visibility);
  const sql = `${SUMMARY}
WHERE session_key = {session:String} AND ${scope.sql}
GROUP BY session_key
${QUERY_SETTINGS}`;
  const [row] = await store.query<SessionRow>(sql, { ...scope.params, session: key }, options);
  return row;
}

export async function callsOfSession(
  store: StoreReader,
  visibility: Visibility,
  session: SessionRow,
  { limit, after }: { readonly limit: number; readonly after?: Position },
  options: QueryOptions = {}
): Promise<{ readonly rows: readonly CallRow[]; readonly next?: Position }> {
  const scope = scopeConditions(visibility);
  const keyset =
    after === undefined
      ? ''
      : 'AND (started_at, call_id) > (fromUnixTimestamp64Nano({afterNs:Int64}), {afterId:String})';
  const sql = `SELECT ${CALL_COLUMNS}
FROM mcp.calls FINAL
WHERE ${IN_RANGE} AND session_key = {session:String} AND ${scope.sql} ${keyset}
ORDER BY started_at, call_id
LIMIT {limit:UInt32}
${QUERY_SETTINGS}`;
  const params = {
    ...scope.params,
    ...rangeParams({ fromNs: BigInt(session.started_ns), toNs: BigInt(session.ended_ns) + 1n }),
    session: session.session,
    limit: limit + 1,
    ...(after === undefined ? {} : { afterNs: `${after.startedNs}`, afterId: after.callId }),
  };
  const rows = await store.query<CallRow>(sql, params, options);
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  if (rows.length <= limit || last === undefined) return { rows: shown };
  return { rows: shown, next: { startedNs: BigInt(last.started_ns), callId: last.call_id } };
}
