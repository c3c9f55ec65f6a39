/**
 * From the usage rows of the store to the summary of the contract: rates, milliseconds, names of people where they may
 * be seen, and which tables were cut. Arithmetic only; what counts as request or error is defined in SQL.
 */
import type { Usage, UsageRow, UserUsageRow } from '../store/queries/usage.ts';
import type { ServerUsage, ToolUsage, UsageSummary, UserServerUsage } from './contract.ts';
import type { Principals } from './call-view.ts';
import { userView } from './call-view.ts';
import type { Visibility } from './visibility.ts';

/** `grouping()` of the two queries: what was summed over. */
const LEVEL = { totals: 3, server: 1, userServer: 2, line: 0 } as const;
const US_PER_MS = 1000;

interface Counted {
  readonly calls: number | string;
  readonly errors: number | string;
  readonly denied: number | string;
}

function figures(row: Counted | undefined): Pick<ServerUsage, 'calls' | 'errors' | 'denied' | 'errorRate'> {
  const calls = Number(row?.calls ?? 0);
  const errors = Number(row?.errors ?? 0);
  return { calls, errors, denied: Number(row?.denied ?? 0), errorRate: calls === 0 ? 0 : errors / calls };
}

/** What the charts show of one bucket, or of all. */
export function requestFigures(
  row: (Counted & Timed) | undefined
): ReturnType<typeof figures> & ReturnType<typeof latency> {
  return { ...figures(row), ...latency(row) };
}

interface Timed {
  readonly quantiles_us: readonly number[];
}

function latency(row: Timed | undefined): Pick<ServerUsage, 'p50Ms' | 'p95Ms' | 'p99Ms'> {
  const [p50 = null, p95 = null, p99 = null] = (row?.quantiles_us ?? []).map(
    (us) => Math.round((us / US_PER_MS) * 1000) / 1000
  );
  return { p50Ms: p50, p95Ms: p95, p99Ms: p99 };
}

function traffic(row: UsageRow | undefined): Pick<ServerUsage, 'tokensEstimated' | 'requestBytes' | 'responseBytes'> {
  return {
    tokensEstimated: Number(row?.tokens ?? 0),
    requestBytes: Number(row?.bytes_in ?? 0),
    responseBytes: Number(row?.bytes_out ?? 0),
  };
}

export interface UsageViewContext {
  readonly visibility: Visibility;
  readonly principals: Principals;
  readonly limit: number;
}

export function usageView(
  usage: Usage,
  context: UsageViewContext
): Pick<UsageSummary, 'totals' | 'servers' | 'userServers' | 'tools' | 'truncated'> {
  const { limit } = context;
  const totals = usage.rows.find((row) => row.level === LEVEL.totals);
  const userTotals = usage.userRows.find((row) => row.level === LEVEL.totals);
  const usersOf = new Map(
    usage.userRows.filter((row) => row.level === LEVEL.userServer).map((row) => [row.server, Number(row.users)])
  );
  const servers = usage.rows.filter((row) => row.level === LEVEL.server);
  const tools = usage.rows.filter((row) => row.level === LEVEL.line);
  const userServers = usage.userRows.filter((row) => row.level === LEVEL.line);
  const cut = { servers, userServers, tools };
  const truncated = (['servers', 'userServers', 'tools'] as const).filter((table) => cut[table].length > limit);
  return {
    totals: {
      ...figures(totals),
      ...latency(totals),
      users: Number(userTotals?.users ?? 0),
      servers: Number(totals?.servers ?? 0),
      tools: Number(totals?.tools ?? 0),
      ...traffic(totals),
    },
    servers: servers.slice(0, limit).map((row) => serverLine(row, usersOf)),
    userServers: userServers.slice(0, limit).map((row) => userLine(row, context)),
    tools: tools.slice(0, limit).map(toolLine),
    truncated,
  };
}

function serverLine(row: UsageRow, usersOf: ReadonlyMap<string, number>): ServerUsage {
  const users = usersOf.get(row.server) ?? 0;
  return { server: row.server, ...figures(row), ...latency(row), users, ...traffic(row) };
}

function userLine(row: UserUsageRow, { visibility, principals }: UsageViewContext): UserServerUsage {
  const user = userView(row.user_key, visibility, principals);
  return { user, server: row.server, ...figures(row), tokensEstimated: Number(row.tokens) };
}

function toolLine(row: UsageRow): ToolUsage {
  const tokensEstimated = Number(row.tokens);
  const calls = Number(row.calls);
  const tokensPerCall = calls === 0 ? 0 : tokensEstimated / calls;
  return { server: row.server, tool: row.tool, ...figures(row), ...latency(row), tokensEstimated, tokensPerCall };
}
