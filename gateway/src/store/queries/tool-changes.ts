/**
 * Changes of what upstream servers offer: one page, newest first, by keyset on (started_at, change_id), and one by its id.
 * For callers who see everybody's calls: which tools a server has is nobody's own.
 */
import type { ToolChangeKind } from '../../record/tool-changes.ts';
import type { Position } from './audit-log.ts';
import type { QueryOptions, QueryParam, StoreReader } from './reader.ts';
import { QUERY_SETTINGS } from './reader.ts';
import type { Visibility } from './visibility.ts';

export interface ToolChangeRow {
  readonly change_id: string;
  readonly started_ns: string;
  readonly server: string;
  readonly change: string;
  readonly fingerprint: string;
  readonly previous_fingerprint: string;
  readonly tools: number;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
  /** JSON, or empty */
  readonly parts: string;
  readonly client_name: string;
  readonly client_version: string;
  readonly protocol_version: string;
  readonly seen_in_calls: readonly string[];
  readonly previous_calls: readonly string[];
  readonly chain_id: string;
  readonly seq_text: string;
  readonly record_hash: string;
}

export interface ToolChangeFilter {
  /** ns since 1970, inclusive */
  readonly fromNs?: bigint;
  /** ns since 1970, exclusive */
  readonly toNs?: bigint;
  readonly servers?: readonly string[];
  readonly changes?: readonly ToolChangeKind[];
  readonly demo: boolean;
}

/** Latest time a DateTime64(9) holds. */
const LATEST_NS = 9_223_372_036_854_775_807n;

const COLUMNS = `change_id, toString(toUnixTimestamp64Nano(started_at)) AS started_ns, server, change, fingerprint,
    previous_fingerprint, tools, added, removed, changed, parts, client_name, client_version, protocol_version,
    seen_in_calls, previous_calls, chain_id, toString(seq) AS seq_text, record_hash`;

/** The routes refuse long before; this stands here so that no road leads around them. */
function requireAll(visibility: Visibility): void {
  if (visibility.calls !== 'all') throw new TypeError('tool changes asked for without the right to see all calls');
}

export async function listToolChanges(
  store: StoreReader,
  visibility: Visibility,
  filter: ToolChangeFilter,
  { limit, after }: { readonly limit: number; readonly after?: Position },
  options: QueryOptions = {}
): Promise<{ readonly rows: readonly ToolChangeRow[]; readonly next?: Position }> {
  requireAll(visibility);
  const conditions = ['demo = {demo:Bool}'];
  const params: Record<string, QueryParam> = {
    demo: filter.demo,
    fromNs: `${filter.fromNs ?? 0n}`,
    toNs: `${filter.toNs ?? LATEST_NS}`,
    limit: limit + 1,
  };
  if (filter.servers !== undefined) {
    conditions.push('server IN {servers:Array(String)}');
    params.servers = [...filter.servers];
  }
  if (filter.changes !== undefined) {
    conditions.push('change IN {changes:Array(String)}');
    params.changes = [...filter.changes];
  }
  if (after !== undefined) {
    conditions.push('(started_at, change_id) < (fromUnixTimestamp64Nano({afterNs:Int64}), {afterId:String})');
    params.afterNs = `${after.startedNs}`;
    params.afterId = after.callId;
  }
  const sql = `SELECT ${COLUMNS}
FROM mcp.tool_changes FINAL
WHERE started_at >= fromUnixTimestamp64Nano({fromNs:Int64}) AND started_at < fromUnixTimestamp64Nano({toNs:Int64})
    AND ${conditions.join(' AND ')}
ORDER BY started_at DESC, change_id DESC
LIMIT {limit:UInt32}
${QUERY_SETTINGS}`;
  const rows = await store.query<ToolChangeRow>(sql, params, options);
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  if (rows.length <= limit || last === undefined) return { rows: shown };
  return { rows: shown, next: { startedNs: BigInt(last.started_ns), callId: last.change_id } };
}

export async function findToolChange(
  store: StoreReader,
  visibility: Visibility,
  changeId: string,
  options: QueryOptions = {}
): Promise<ToolChangeRow | undefined> {
  requireAll(visibility);
  const sql = `SELECT ${COLUMNS}
FROM mcp.tool_changes FINAL
WHERE change_id = {changeId:String}
LIMIT 1
${QUERY_SETTINGS}`;
  const [row] = await store.query<ToolChangeRow>(sql, { changeId }, options);
  return row;
}
