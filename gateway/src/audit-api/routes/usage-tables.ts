/** `/usage/servers`, `/tools`, `/users` and `/clients`: the ranked tables, as JSON or as a CSV file. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import { principalsOf } from '../../store/queries/principals.ts';
import type { TableName, TableRow, TrendRow } from '../../store/queries/usage-tables.ts';
import { trends, usageTable, usersByServer } from '../../store/queries/usage-tables.ts';
import { orNull } from '../call-view.ts';
import type { ClientUsage, ServerUsage, ToolUsage, UserServerUsage } from '../contract.ts';
import { usageClientsRoute, usageServersRoute, usageToolsRoute, usageUsersRoute } from '../contract.ts';
import type { CsvColumn } from '../../exports/csv.ts';
import type { ApiEnv, RouteDeps } from '../deps.ts';
import type { TimeBuckets } from '../time-buckets.ts';
import { timeBuckets } from '../time-buckets.ts';
import { requestFigures, serverUsage, tokenFigures, toolUsage, userUsage } from '../usage-view.ts';
import { csvAnswer, wantsCsv } from './csv-answer.ts';
import type { UsageAsked } from './usage-range.ts';
import { pricedHead, usageAsked } from './usage-range.ts';

/** Bars of a sparkline at most. */
const TREND_BUCKETS = 30;

export function registerUsageTables(api: OpenAPIHono<ApiEnv>, deps: RouteDeps): void {
  const read = async (name: TableName, asked: UsageAsked, limit: number) => {
    const { rows, lagSeconds } = await usageTable(deps.store, asked.visibility, name, { ...asked, limit }, asked);
    const distinct = Number(rows[0]?.all_rows ?? 0);
    return { rows, head: { ...pricedHead(asked), lagSeconds, distinct, truncated: distinct > rows.length } };
  };
  const trendsOf = async (name: 'servers' | 'tools', asked: UsageAsked, lines: readonly TableRow[]) => {
    const buckets = timeBuckets(asked.range, TREND_BUCKETS);
    const request = { ...asked, bucketSeconds: buckets.seconds, lines };
    return trendsByLine(buckets, await trends(deps.store, asked.visibility, name, request, asked));
  };

  api.openapi(usageServersRoute, async (c) => {
    const { limit, format, ...query } = c.req.valid('query');
    const asked = await usageAsked(c, deps, query);
    const [{ rows, head }, users] = await Promise.all([
      read('servers', asked, limit),
      usersByServer(deps.store, asked.visibility, asked, asked),
    ]);
    const lines = rows.map((row) => serverUsage(row, row.server_name ?? '', users.get(row.server_name ?? '') ?? 0));
    if (wantsCsv(c, format))
      return csvAnswer(c, deps, { table: 'servers', columns: withCost(SERVER_COLUMNS, asked), lines });
    const trend = await trendsOf('servers', asked, rows);
    return c.json({ ...head, items: lines.map((line) => ({ ...line, trend: trend(line.server, '') })) }, 200);
  });

  api.openapi(usageToolsRoute, async (c) => {
    const { limit, format, ...query } = c.req.valid('query');
    const asked = await usageAsked(c, deps, query);
    const { rows, head } = await read('tools', asked, limit);
    const lines = rows.map((row) => toolUsage(row, row.server_name ?? '', row.tool_name ?? ''));
    if (wantsCsv(c, format))
      return csvAnswer(c, deps, { table: 'tools', columns: withCost(TOOL_COLUMNS, asked), lines });
    const trend = await trendsOf('tools', asked, rows);
    return c.json({ ...head, items: lines.map((line) => ({ ...line, trend: trend(line.server, line.tool) })) }, 200);
  });

  api.openapi(usageUsersRoute, async (c) => {
    const { limit, format, ...query } = c.req.valid('query');
    const asked = await usageAsked(c, deps, query);
    const { visibility } = asked;
    const { rows, head } = await read('users', asked, limit);
    const keys = rows.map((row) => row.who ?? '');
    const principals = await principalsOf(deps.store, visibility, keys, asked);
    const lines = rows.map((row) =>
      userUsage(row, { userKey: row.who ?? '', server: row.server_name ?? '' }, visibility, principals)
    );
    if (wantsCsv(c, format))
      return csvAnswer(c, deps, { table: 'users', columns: withCost(USER_COLUMNS, asked), lines });
    return c.json({ ...head, items: lines }, 200);
  });

  api.openapi(usageClientsRoute, async (c) => {
    const { limit, format, ...query } = c.req.valid('query');
    const asked = await usageAsked(c, deps, query);
    const { rows, head } = await read('clients', asked, limit);
    const lines = rows.map(clientUsage);
    if (wantsCsv(c, format))
      return csvAnswer(c, deps, { table: 'clients', columns: withCost(CLIENT_COLUMNS, asked), lines });
    return c.json({ ...head, items: lines }, 200);
  });
}

function clientUsage(row: TableRow): ClientUsage {
  return {
    client: orNull(row.client ?? ''),
    version: orNull(row.client_release ?? ''),
    ...requestFigures(row),
    users: Number(row.users),
    ...tokenFigures(row),
  };
}

/** @returns calls in each bucket of one server or tool */
function trendsByLine(buckets: TimeBuckets, rows: readonly TrendRow[]): (server: string, tool: string) => number[] {
  const lines = new Map<string, number[]>();
  const lineOf = (server: string, tool: string): number[] => {
    const key = JSON.stringify([server, tool]);
    const line = lines.get(key) ?? new Array<number>(buckets.count).fill(0);
    lines.set(key, line);
    return line;
  };
  for (const row of rows) {
    lineOf(row.server_name, row.tool_name ?? '')[Number(row.bucket) - buckets.first] = Number(row.calls);
  }
  return lineOf;
}

type Figures = Pick<ServerUsage, 'calls' | 'errors' | 'denied' | 'errorRate'>;
const FIGURE_COLUMNS: readonly CsvColumn<Figures>[] = [
  { name: 'calls', cell: (row) => row.calls },
  { name: 'errors', cell: (row) => row.errors },
  { name: 'denied', cell: (row) => row.denied },
  { name: 'error_rate', cell: (row) => row.errorRate },
];
type Latency = Pick<ServerUsage, 'p50Ms' | 'p95Ms' | 'p99Ms'>;
const LATENCY_COLUMNS: readonly CsvColumn<Latency>[] = [
  { name: 'p50_ms', cell: (row) => row.p50Ms },
  { name: 'p95_ms', cell: (row) => row.p95Ms },
  { name: 'p99_ms', cell: (row) => row.p99Ms },
];
const TOKENS = { name: 'tokens_estimated', cell: (row: { tokensEstimated: number }) => row.tokensEstimated };
const SERVER_COLUMNS: readonly CsvColumn<ServerUsage>[] = [
  { name: 'server', cell: (row) => row.server },
  ...FIGURE_COLUMNS,
  ...LATENCY_COLUMNS,
  { name: 'users', cell: (row) => row.users },
  TOKENS,
  { name: 'request_bytes', cell: (row) => row.requestBytes },
  { name: 'response_bytes', cell: (row) => row.responseBytes },
];
const TOOL_COLUMNS: readonly CsvColumn<ToolUsage>[] = [
  { name: 'server', cell: (row) => row.server },
  { name: 'tool', cell: (row) => row.tool },
  ...FIGURE_COLUMNS,
  ...LATENCY_COLUMNS,
  TOKENS,
  { name: 'tokens_per_call', cell: (row) => row.tokensPerCall },
];
const USER_COLUMNS: readonly CsvColumn<UserServerUsage>[] = [
  { name: 'user_key', cell: (row) => row.user?.key },
  { name: 'email', cell: (row) => row.user?.email },
  { name: 'login', cell: (row) => row.user?.login },
  { name: 'server', cell: (row) => row.server },
  ...FIGURE_COLUMNS,
  TOKENS,
];
const CLIENT_COLUMNS: readonly CsvColumn<ClientUsage>[] = [
  { name: 'client', cell: (row) => row.client },
  { name: 'version', cell: (row) => row.version },
  ...FIGURE_COLUMNS,
  ...LATENCY_COLUMNS,
  { name: 'users', cell: (row) => row.users },
  TOKENS,
];

/** At the end, so that the other columns stay where they are. */
function withCost<Row extends { readonly cost?: number | undefined }>(
  columns: readonly CsvColumn<Row>[],
  { prices }: UsageAsked
): readonly CsvColumn<Row>[] {
  if (prices === undefined) return columns;
  return [...columns, { name: 'cost', cell: (row) => row.cost }, { name: 'currency', cell: () => prices.currency }];
}
