/**
 * When each server and tool was last called, as far back as the rollups reach: what was called once and is not any more.
 * The last hours come from the calls, since a rollup runs behind.
 */
import type { Visibility } from './visibility.ts';
import type { QueryOptions, StoreReader } from './reader.ts';
import { QUERY_SETTINGS } from './reader.ts';
import { scopeConditions } from './scope.ts';

export interface LastCallRow {
  /** 1: a server, whatever was called; 0: a tool */
  readonly level: number;
  readonly server_name: string;
  readonly tool_name: string;
  /** seconds since 1970 */
  readonly last_at: number;
  readonly calls: number | string;
}

/** Longer than the rollups run behind. */
const RECENT_NS = 3 * 3600 * 1_000_000_000;

function lastCallsSql(table: 'usage_hour' | 'usage_user_hour', scope: string): string {
  return `SELECT toUInt8(grouping(server_name, tool_name)) AS level, server_name, tool_name, max(at) AS last_at, sum(n) AS calls
FROM (
    SELECT toString(server) AS server_name, toString(tool) AS tool_name, toUInt32(toUnixTimestamp(hour)) AS at, calls AS n
    FROM mcp.${table} FINAL
    WHERE demo = {demo:Bool} AND ${scope}
    UNION ALL
    SELECT toString(server) AS server_name, toString(tool) AS tool_name, toUInt32(toUnixTimestamp(started_at)) AS at, toUInt64(0) AS n
    FROM mcp.requests
    WHERE started_at >= fromUnixTimestamp64Nano({recentNs:Int64}) AND demo = {demo:Bool} AND ${scope}
)
GROUP BY GROUPING SETS ((server_name), (server_name, tool_name))
HAVING level = 1 OR (tool_name != '' AND last_at < {before:UInt32})
ORDER BY level, last_at, server_name, tool_name
LIMIT 10000 BY level
${QUERY_SETTINGS}`;
}

export interface UnusedRequest {
  /** seconds since 1970 */
  readonly before: number;
  readonly demo: boolean;
  readonly nowNs: bigint;
}

/** Every server, and tools not called since `before`; the longest unused first. */
export async function lastCalls(
  store: StoreReader,
  visibility: Visibility,
  { before, demo, nowNs }: UnusedRequest,
  options: QueryOptions = {}
): Promise<LastCallRow[]> {
  if (visibility.usage === 'none') return [];
  const scope = scopeConditions(visibility, 'usage');
  const table = visibility.usage === 'all' ? 'usage_hour' : 'usage_user_hour';
  const params = { ...scope.params, demo, before, recentNs: `${nowNs - BigInt(RECENT_NS)}` };
  return store.query<LastCallRow>(lastCallsSql(table, scope.sql), params, options);
}
