/**
 * The access log: one page, newest first, by keyset on (started_at, access_id). Within what the caller may see of it: of
 * everybody, or what they did themselves.
 */
import type { Visibility } from './visibility.ts';
import type { Position } from './audit-log.ts';
import type { QueryOptions, QueryParam, StoreReader } from './reader.ts';
import { QUERY_SETTINGS } from './reader.ts';

type Int64 = number | string;

export interface AccessLogRow {
  readonly access_id: string;
  readonly started_ns: string;
  /** ns */
  readonly duration: Int64;
  readonly action: string;
  readonly decision: string;
  readonly reason: string;
  readonly actor_key: string;
  readonly actor_kind: string;
  readonly actor_name: string;
  readonly roles: readonly string[];
  readonly client_address: string;
  readonly target_call_id: string;
  readonly target_user_key: string;
  readonly target_server: string;
  readonly rows: Int64;
  readonly bytes: Int64;
  /** JSON, or empty */
  readonly detail: string;
  readonly chain_id: string;
  readonly seq_text: string;
  readonly record_hash: string;
}

export interface AccessLogFilter {
  /** ns since 1970, inclusive */
  readonly fromNs?: bigint;
  /** ns since 1970, exclusive */
  readonly toNs?: bigint;
  readonly actions?: readonly string[];
  readonly decisions?: readonly string[];
  /** either of these keys, or a token of one of these names */
  readonly actors?: { readonly keys: readonly string[]; readonly names: readonly string[] };
  readonly targetUserKeys?: readonly string[];
  readonly targetServers?: readonly string[];
  readonly targetCallIds?: readonly string[];
  readonly demo: boolean;
}

/** Latest time a DateTime64(9) holds. */
const LATEST_NS = 9_223_372_036_854_775_807n;

export async function listAccessLog(
  store: StoreReader,
  visibility: Visibility,
  filter: AccessLogFilter,
  { limit, after }: { readonly limit: number; readonly after?: Position },
  options: QueryOptions = {}
): Promise<{ readonly rows: readonly AccessLogRow[]; readonly next?: Position }> {
  if (visibility.accessLog === 'none' || (visibility.accessLog === 'own' && visibility.actorKey === '')) {
    return { rows: [] };
  }
  const { sql: where, params } = conditionsOf(visibility, filter);
  const keyset =
    after === undefined
      ? ''
      : 'AND (started_at, access_id) < (fromUnixTimestamp64Nano({afterNs:Int64}), {afterId:String})';
  const sql = `SELECT access_id, toString(toUnixTimestamp64Nano(started_at)) AS started_ns, duration, action, decision, reason,
    actor_key, actor_kind, actor_name, roles, client_address, target_call_id, target_user_key, target_server,
    rows, bytes, detail, chain_id, toString(seq) AS seq_text, record_hash
FROM mcp.access_log FINAL
WHERE started_at >= fromUnixTimestamp64Nano({fromNs:Int64}) AND started_at < fromUnixTimestamp64Nano({toNs:Int64})
    ${keyset} AND ${where}
ORDER BY started_at DESC, access_id DESC
LIMIT {limit:UInt32}
${QUERY_SETTINGS}`;
  const bounds = {
    fromNs: `${filter.fromNs ?? 0n}`,
    toNs: `${filter.toNs ?? LATEST_NS}`,
    limit: limit + 1,
    ...(after === undefined ? {} : { afterNs: `${after.startedNs}`, afterId: after.callId }),
  };
  const rows = await store.query<AccessLogRow>(sql, { ...params, ...bounds }, options);
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  if (rows.length <= limit || last === undefined) return { rows: shown };
  return { rows: shown, next: { startedNs: BigInt(last.started_ns), callId: last.access_id } };
}

function conditionsOf(visibility: Visibility, filter: AccessLogFilter) {
  const sql = ['demo = {demo:Bool}'];
  const params: Record<string, QueryParam> = { demo: filter.demo };
  if (visibility.accessLog !== 'all') {
    sql.push('actor_key = {ownActorKey:String}');
    params.ownActorKey = visibility.actorKey;
  }
  const oneOf = (column: string, name: string, values: readonly string[] | undefined): void => {
    if (values === undefined) return;
    sql.push(`${column} IN {${name}:Array(String)}`);
    params[name] = [...values];
  };
  oneOf('action', 'actions', filter.actions);
  oneOf('decision', 'decisions', filter.decisions);
  oneOf('target_user_key', 'targetUserKeys', filter.targetUserKeys);
  oneOf('target_server', 'targetServers', filter.targetServers);
  oneOf('target_call_id', 'targetCallIds', filter.targetCallIds);
  if (filter.actors !== undefined) {
    sql.push('(actor_key IN {actorKeys:Array(String)} OR actor_name IN {actorNames:Array(String)})');
    params.actorKeys = [...filter.actors.keys];
    params.actorNames = [...filter.actors.names];
  }
  return { sql: sql.join(' AND '), params };
}
