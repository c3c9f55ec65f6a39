/**
 * The ranked tables of the Usage page, each whole: servers, tools, users × servers, clients. Sums over usage-source.ts
 * and nothing else; most calls first.
 */
import type { Visibility } from './visibility.ts';
import type { QueryOptions, StoreReader } from './reader.ts';
import { QUERY_SETTINGS } from './reader.ts';
import { matchesNothing } from './scope.ts';
import type { TokenPrices } from './token-cost.ts';
import { costColumn } from './token-cost.ts';
import type { SourceNeeds, SourceRequest } from './usage-source.ts';
import { FIGURES, QUANTILES_US, usageSource } from './usage-source.ts';

type Int64 = number | string;

interface Table {
  readonly columns: readonly string[];
  readonly needs: SourceNeeds;
  /** lines that are none */
  readonly having: string;
}

const TABLES = {
  servers: { columns: ['server_name'], needs: { outcomes: true, latencies: true }, having: '1 = 1' },
  tools: {
    columns: ['server_name', 'tool_name'],
    needs: { outcomes: true, tools: true, latencies: true },
    having: "tool_name != ''",
  },
  users: { columns: ['who', 'server_name'], needs: { outcomes: true, users: true }, having: '1 = 1' },
  clients: {
    columns: ['client', 'client_release'],
    needs: { outcomes: true, clients: true, users: true, latencies: true },
    having: '1 = 1',
  },
} as const satisfies Record<string, Table>;
export type TableName = keyof typeof TABLES;

/** Columns that the table does not have are left out. */
export interface TableRow {
  readonly server_name?: string;
  readonly tool_name?: string;
  readonly who?: string;
  readonly client?: string;
  readonly client_release?: string;
  readonly calls: Int64;
  readonly errors: Int64;
  readonly denied: Int64;
  readonly tokens: Int64;
  /** with prices only */
  readonly cost?: Int64;
  readonly bytes_in: Int64;
  readonly bytes_out: Int64;
  /** µs at p50, p95 and p99; means nothing on `users`, whose rollup has no latencies */
  readonly quantiles_us: readonly number[];
  /** people; means something on `clients` only */
  readonly users: Int64;
  /** lines there are, cut ones included */
  readonly all_rows: Int64;
}

export interface TableRequest extends SourceRequest {
  readonly limit: number;
}

function tableSql({ columns, having }: Table, source: string, prices: TokenPrices | undefined): string {
  return `SELECT *, count() OVER () AS all_rows
FROM (
    SELECT ${columns.join(', ')}, ${FIGURES}${costColumn(prices)}, sum(in_n) AS bytes_in, sum(out_n) AS bytes_out, ${QUANTILES_US},
        uniqExactIf(who, who != '') AS users
    FROM (
        ${source}
    )
    GROUP BY ${columns.join(', ')}
    HAVING calls > 0 AND ${having}
)
ORDER BY calls DESC, ${columns.join(', ')}
LIMIT {limit:UInt32}
${QUERY_SETTINGS}`;
}

export async function usageTable(
  store: StoreReader,
  visibility: Visibility,
  name: TableName,
  request: TableRequest,
  options: QueryOptions = {}
): Promise<{ readonly rows: readonly TableRow[]; readonly lagSeconds: number }> {
  if (matchesNothing(visibility, request.filter, 'usage')) return { rows: [], lagSeconds: 0 };
  const table = TABLES[name];
  const source = await usageSource(store, visibility, request, table.needs, options);
  const params = { ...source.params, limit: request.limit };
  return {
    rows: await store.query<TableRow>(tableSql(table, source.sql, request.prices), params, options),
    lagSeconds: source.lagSeconds,
  };
}

/** People by server. */
export async function usersByServer(
  store: StoreReader,
  visibility: Visibility,
  request: SourceRequest,
  options: QueryOptions = {}
): Promise<ReadonlyMap<string, number>> {
  if (matchesNothing(visibility, request.filter, 'usage')) return new Map();
  const source = await usageSource(store, visibility, request, { users: true }, options);
  const sql = `SELECT server_name, uniqExactIf(who, who != '') AS users
FROM (
    ${source.sql}
)
GROUP BY server_name
${QUERY_SETTINGS}`;
  const rows = await store.query<{ server_name: string; users: Int64 }>(sql, source.params, options);
  return new Map(rows.map((row) => [row.server_name, Number(row.users)]));
}

export interface TrendRow {
  readonly server_name: string;
  readonly tool_name?: string;
  /** seconds since 1970 / width */
  readonly bucket: Int64;
  readonly calls: Int64;
}

/** Calls over time of the lines of a table, and perhaps of others. */
export async function trends(
  store: StoreReader,
  visibility: Visibility,
  name: 'servers' | 'tools',
  request: SourceRequest & { readonly bucketSeconds: number; readonly lines: readonly TableRow[] },
  options: QueryOptions = {}
): Promise<TrendRow[]> {
  const { bucketSeconds, lines } = request;
  if (lines.length === 0) return [];
  const source = await usageSource(store, visibility, request, { bucketSeconds, tools: name === 'tools' }, options);
  const columns = TABLES[name].columns.join(', ');
  const tools = name === 'tools' ? 'AND tool_name IN {tools:Array(String)}' : '';
  const sql = `SELECT ${columns}, intDiv(at, {bucketSeconds:UInt32}) AS bucket, sum(n) AS calls
FROM (
    ${source.sql}
)
WHERE server_name IN {servers:Array(String)} ${tools}
GROUP BY ${columns}, bucket
${QUERY_SETTINGS}`;
  const params = {
    ...source.params,
    bucketSeconds,
    servers: [...new Set(lines.map((line) => line.server_name ?? ''))],
    ...(name === 'tools' ? { tools: [...new Set(lines.map((line) => line.tool_name ?? ''))] } : {}),
  };
  return store.query<TrendRow>(sql, params, options);
}
