/**
 * The figures of the Usage page: totals, servers, tools, users × servers. Sums over usage-source.ts and nothing else.
 */
import type { Visibility } from './visibility.ts';
import type { QueryOptions, StoreReader } from './reader.ts';
import { QUERY_SETTINGS } from './reader.ts';
import { matchesNothing } from './scope.ts';
import type { TokenPrices } from './token-cost.ts';
import { costColumn } from './token-cost.ts';
import type { SourceRequest } from './usage-source.ts';
import { FIGURES, QUANTILES_US, usageSource } from './usage-source.ts';

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
  /** with prices only */
  readonly cost?: Int64;
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
  /** with prices only */
  readonly cost?: Int64;
  readonly users: Int64;
}

export interface Usage {
  readonly rows: readonly UsageRow[];
  readonly userRows: readonly UserUsageRow[];
  readonly lagSeconds: number;
}

/** What `Usage` begins with. */
export interface UsageTotals {
  readonly rows: readonly UsageRow[];
  readonly userRows: readonly Pick<UserUsageRow, 'level' | 'users'>[];
}

const TRAFFIC = `sum(in_n) AS bytes_in, sum(out_n) AS bytes_out, ${QUANTILES_US},
    uniqExact(server_name) AS servers, uniqExactIf((server_name, tool_name), tool_name != '') AS tools`;

function usageSql(source: string, prices: TokenPrices | undefined): string {
  return `SELECT toUInt8(grouping(server_name, tool_name)) AS level, server_name AS server, tool_name AS tool, ${FIGURES}${costColumn(prices)},
    ${TRAFFIC}
FROM (
    ${source}
)
GROUP BY GROUPING SETS ((), (server_name), (server_name, tool_name))
HAVING calls > 0 AND (level != 0 OR tool_name != '')
ORDER BY level DESC, calls DESC, server_name, tool_name
LIMIT {limit:UInt32} BY level
${QUERY_SETTINGS}`;
}

function userUsageSql(source: string, prices: TokenPrices | undefined): string {
  return `SELECT toUInt8(grouping(who, server_name)) AS level, who AS user_key, server_name AS server, ${FIGURES}${costColumn(prices)},
    uniqExactIf(who, who != '') AS users
FROM (
    ${source}
)
GROUP BY GROUPING SETS ((), (server_name), (who, server_name))
HAVING calls > 0
ORDER BY level DESC, calls DESC, server_name, who
LIMIT {limit:UInt32} BY level
${QUERY_SETTINGS}`;
}

function totalsSql(source: string, prices: TokenPrices | undefined): string {
  return `SELECT toUInt8(3) AS level, '' AS server, '' AS tool, ${FIGURES}${costColumn(prices)}, ${TRAFFIC}
FROM (
    ${source}
)
HAVING calls > 0
${QUERY_SETTINGS}`;
}

function userTotalsSql(source: string): string {
  return `SELECT toUInt8(3) AS level, sum(n) AS calls, uniqExactIf(who, who != '') AS users
FROM (
    ${source}
)
HAVING calls > 0
${QUERY_SETTINGS}`;
}

export interface UsageRequest extends SourceRequest {
  /** lines of each table */
  readonly limit: number;
}

/** Each table has one line more than `limit` when it was cut. */
export async function usage(
  store: StoreReader,
  visibility: Visibility,
  request: UsageRequest,
  options: QueryOptions = {}
): Promise<Usage> {
  const { filter, limit } = request;
  if (matchesNothing(visibility, filter, 'usage')) return { rows: [], userRows: [], lagSeconds: 0 };
  const count = async <Row>(
    users: boolean,
    outer: (source: string, prices: TokenPrices | undefined) => string
  ): Promise<[Row[], number]> => {
    const needs = { outcomes: true, ...(users ? { users } : { tools: true, latencies: true }) };
    const source = await usageSource(store, visibility, request, needs, options);
    return [
      await store.query<Row>(outer(source.sql, request.prices), { ...source.params, limit: limit + 1 }, options),
      source.lagSeconds,
    ];
  };
  const [[rows, lag], [userRows, userLag]] = await Promise.all([
    count<UsageRow>(false, usageSql),
    count<UserUsageRow>(true, userUsageSql),
  ]);
  return { rows, userRows, lagSeconds: Math.max(lag, userLag) };
}

/** The totals alone, for the period before. */
export async function usageTotals(
  store: StoreReader,
  visibility: Visibility,
  request: SourceRequest,
  options: QueryOptions = {}
): Promise<UsageTotals> {
  if (matchesNothing(visibility, request.filter, 'usage')) return { rows: [], userRows: [] };
  const [source, userSource] = await Promise.all([
    usageSource(store, visibility, request, { outcomes: true, tools: true, latencies: true }, options),
    usageSource(store, visibility, request, { users: true }, options),
  ]);
  const [rows, userRows] = await Promise.all([
    store.query<UsageRow>(totalsSql(source.sql, request.prices), source.params, options),
    store.query<Pick<UserUsageRow, 'level' | 'users'>>(userTotalsSql(userSource.sql), userSource.params, options),
  ]);
  return { rows, userRows };
}
