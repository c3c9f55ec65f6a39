/**
 * The figures of the Usage page: totals, servers, tools, users × servers. *Request*, *error* and *latency* are defined
 * once, in the view `mcp.requests` and its rollups (DDL 0005); nothing here counts anything else. Settled buckets come
 * from the rollups, the rest from the calls; what a rollup cannot tell (one person's latencies) all from the calls.
 */
import type { Visibility } from './visibility.ts';
import type { QueryOptions, QueryParam, StoreReader } from './reader.ts';
import { QUERY_SETTINGS } from './reader.ts';
import type { NameFilter } from './scope.ts';
import { conditions, matchesNothing } from './scope.ts';
import type { Rollup, Settled, UsageRange } from './usage-range.ts';
import { rollupFor, settledPart, USAGE_USER_HOUR } from './usage-range.ts';

type Int64 = number | string;

/** One line of totals (`level` 3), of a server (1) or of a tool (0). Sums over all its calls. */
export interface UsageRow {
  readonly level: number;
  readonly server: string;
  readonly tool: string;
  readonly calls: Int64;
  readonly errors: Int64;
  readonly denied: Int64;
  readonly tokens: Int64;
  readonly bytes_in: Int64;
  readonly bytes_out: Int64;
  /** µs at p50, p95 and p99: the end of the bucket in which it lies */
  readonly quantiles_us: readonly number[];
  readonly servers: Int64;
  readonly tools: Int64;
}

/** Totals (`level` 3), a server (2; `user_key` empty) or a user on a server (0). */
export interface UserUsageRow {
  readonly level: number;
  readonly user_key: string;
  readonly server: string;
  readonly calls: Int64;
  readonly errors: Int64;
  readonly denied: Int64;
  readonly tokens: Int64;
  readonly users: Int64;
}

export interface Usage {
  readonly rows: readonly UsageRow[];
  readonly userRows: readonly UserUsageRow[];
  readonly lagSeconds: number;
}

const ERRORS = `('tool_error', 'rpc_error', 'timeout', 'upstream_unreachable', 'interrupted')`;
const IN_RANGE =
  'started_at >= fromUnixTimestamp64Nano({fromNs:Int64}) AND started_at < fromUnixTimestamp64Nano({toNs:Int64})';

/** What both sources have in common, so that one outer query serves them. */
const SHARED = 'toString(server) AS server_name, toString(tool) AS tool_name, toString(outcome) AS ended';

function fromCalls(where: string, unsettled: string): string {
  return `SELECT ${SHARED}, user_key, latency_bucket, toUInt64(1) AS n,
        toUInt64(tokens_estimated) AS tokens_n, request_bytes AS in_n, response_bytes AS out_n
    FROM mcp.requests
    WHERE ${IN_RANGE} AND ${unsettled} AND ${where}`;
}

function fromRollup(rollup: Rollup, where: string): string {
  const user = rollup === USAGE_USER_HOUR ? 'user_key, toUInt8(0) AS latency_bucket' : "'' AS user_key, latency_bucket";
  return `SELECT ${SHARED}, ${user}, calls AS n, tokens_estimated AS tokens_n, request_bytes AS in_n, response_bytes AS out_n
    FROM ${rollup.table} FINAL
    WHERE ${rollup.column} >= toDateTime({settledFrom:UInt32}) AND ${rollup.column} < toDateTime({settledTo:UInt32})
        AND toUnixTimestamp(${rollup.column}) NOT IN {touched:Array(UInt32)} AND ${where}`;
}

/** Rows of `mcp.requests` that the rollup has not settled. */
function unsettled(rollup: Rollup): string {
  return `(started_at < toDateTime({settledFrom:UInt32}) OR started_at >= toDateTime({settledTo:UInt32})
        OR toUnixTimestamp(${rollup.start}(started_at)) IN {touched:Array(UInt32)})`;
}

const FIGURES = `sum(n) AS calls, sumIf(n, ended IN ${ERRORS}) AS errors, sumIf(n, ended = 'denied') AS denied,
    sum(tokens_n) AS tokens`;

function usageSql(source: string): string {
  return `SELECT toUInt8(grouping(server_name, tool_name)) AS level, server_name AS server, tool_name AS tool, ${FIGURES},
    sum(in_n) AS bytes_in, sum(out_n) AS bytes_out,
    arrayMap(bucket -> exp2((bucket + 1) / 8), quantilesExactWeighted(0.5, 0.95, 0.99)(latency_bucket, n)) AS quantiles_us,
    uniqExact(server_name) AS servers, uniqExactIf((server_name, tool_name), tool_name != '') AS tools
FROM (
    ${source}
)
GROUP BY GROUPING SETS ((), (server_name), (server_name, tool_name))
HAVING calls > 0 AND (level != 0 OR tool_name != '')
ORDER BY level DESC, calls DESC, server_name, tool_name
LIMIT {limit:UInt32} BY level
${QUERY_SETTINGS}`;
}

function userUsageSql(source: string): string {
  return `SELECT toUInt8(grouping(user_key, server_name)) AS level, user_key, server_name AS server, ${FIGURES},
    uniqExactIf(user_key, user_key != '') AS users
FROM (
    ${source}
)
GROUP BY GROUPING SETS ((), (server_name), (user_key, server_name))
HAVING calls > 0
ORDER BY level DESC, calls DESC, server_name, user_key
LIMIT {limit:UInt32} BY level
${QUERY_SETTINGS}`;
}

export interface UsageRequest {
  readonly range: UsageRange;
  readonly filter: NameFilter;
  /** lines of each table */
  readonly limit: number;
  /** ns since 1970 */
  readonly nowNs: bigint;
}

/** Each table has one line more than `limit` when it was cut. */
export async function usage(
  store: StoreReader,
  visibility: Visibility,
  request: UsageRequest,
  options: QueryOptions = {}
): Promise<Usage> {
  const { range, filter, limit, nowNs } = request;
  if (matchesNothing(visibility, filter, 'usage')) return { rows: [], userRows: [], lagSeconds: 0 };
  const { sql: where, params } = conditions(visibility, filter, 'usage');
  const bound = { ...params, fromNs: `${range.fromNs}`, toNs: `${range.toNs}`, limit: limit + 1 };
  const personal = visibility.usage === 'own' || filter.userKeys !== undefined;
  const count = async <Row>(
    rollup: Rollup | undefined,
    outer: (source: string) => string
  ): Promise<[Row[], number]> => {
    const settled = rollup === undefined ? undefined : await settledPart(store, rollup, range, options);
    const source = sourceOf(rollup, settled, where);
    return [
      await store.query<Row>(outer(source.sql), { ...bound, ...source.params }, options),
      settled?.lagSeconds ?? 0,
    ];
  };
  // the rollup with users has no operation
  const userRollup = personal || filter.operations !== undefined ? undefined : USAGE_USER_HOUR;
  const [[rows, lag], [userRows, userLag]] = await Promise.all([
    count<UsageRow>(personal ? undefined : rollupFor(range, nowNs), usageSql),
    count<UserUsageRow>(userRollup, userUsageSql),
  ]);
  return { rows, userRows, lagSeconds: Math.max(lag, userLag) };
}

function sourceOf(
  rollup: Rollup | undefined,
  settled: Settled | undefined,
  where: string
): { sql: string; params: Record<string, QueryParam> } {
  if (rollup === undefined || settled === undefined || settled.settledFrom >= settled.settledTo) {
    return { sql: fromCalls(where, '1 = 1'), params: {} };
  }
  const { settledFrom, settledTo, touched } = settled;
  return {
    sql: `${fromRollup(rollup, where)}\n    UNION ALL\n    ${fromCalls(where, unsettled(rollup))}`,
    params: { settledFrom, settledTo, touched },
  };
}
