/**
 * From the usage rows of the store to the summary of the contract: rates, milliseconds, names of people where they may
 * be seen, and which tables were cut. Arithmetic only; what counts as request or error is defined in SQL.
 */
import type { Outcome } from '../record/vocabulary.ts';
import type { OutcomeRow } from '../store/queries/over-time.ts';
import type { TokenPrices } from '../store/queries/token-cost.ts';
import { costOf } from '../store/queries/token-cost.ts';
import type { Usage, UsageRow, UsageTotals, UserUsageRow } from '../store/queries/usage.ts';
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

/** Sums by outcome; those without any are left out. */
export function outcomeCounts(rows: readonly OutcomeRow[]): Partial<Record<Outcome | 'open', number>> {
  const outcomes: Partial<Record<Outcome | 'open', number>> = {};
  for (const row of rows) {
    const outcome = row.ended === '' ? 'open' : (row.ended as Outcome);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + Number(row.calls);
  }
  return outcomes;
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

interface Tokens {
  readonly tokens: number | string;
  /** with prices only */
  readonly cost?: number | string;
}

/** @param prices so that nothing costs 0 where something would cost more */
export function tokenFigures(
  row: Tokens | undefined,
  prices?: TokenPrices
): Pick<ServerUsage, 'tokensEstimated' | 'cost'> {
  const tokensEstimated = Number(row?.tokens ?? 0);
  if (row?.cost === undefined && prices === undefined) return { tokensEstimated };
  return { tokensEstimated, cost: costOf(row?.cost ?? 0) };
}

interface Traffic extends Tokens {
  readonly bytes_in: number | string;
  readonly bytes_out: number | string;
}

function traffic(
  row: Traffic | undefined,
  prices?: TokenPrices
): Pick<ServerUsage, 'tokensEstimated' | 'cost' | 'requestBytes' | 'responseBytes'> {
  return {
    ...tokenFigures(row, prices),
    requestBytes: Number(row?.bytes_in ?? 0),
    responseBytes: Number(row?.bytes_out ?? 0),
  };
}

export interface UsageViewContext {
  readonly visibility: Visibility;
  readonly principals: Principals;
  readonly limit: number;
  readonly prices: TokenPrices | undefined;
}

export function usageView(
  usage: Usage,
  context: UsageViewContext
): Pick<UsageSummary, 'totals' | 'servers' | 'userServers' | 'tools' | 'truncated'> {
  const { limit } = context;
  const usersOf = new Map(
    usage.userRows.filter((row) => row.level === LEVEL.userServer).map((row) => [row.server, Number(row.users)])
  );
  const servers = usage.rows.filter((row) => row.level === LEVEL.server);
  const tools = usage.rows.filter((row) => row.level === LEVEL.line);
  const userServers = usage.userRows.filter((row) => row.level === LEVEL.line);
  const cut = { servers, userServers, tools };
  const truncated = (['servers', 'userServers', 'tools'] as const).filter((table) => cut[table].length > limit);
  return {
    totals: totalsView(usage, context.prices),
    servers: servers.slice(0, limit).map((row) => serverLine(row, usersOf)),
    userServers: userServers.slice(0, limit).map((row) => userLine(row, context)),
    tools: tools.slice(0, limit).map(toolLine),
    truncated,
  };
}

export function totalsView(usage: UsageTotals, prices: TokenPrices | undefined): UsageSummary['totals'] {
  const totals = usage.rows.find((row) => row.level === LEVEL.totals);
  const userTotals = usage.userRows.find((row) => row.level === LEVEL.totals);
  return {
    ...figures(totals),
    ...latency(totals),
    users: Number(userTotals?.users ?? 0),
    servers: Number(totals?.servers ?? 0),
    tools: Number(totals?.tools ?? 0),
    ...traffic(totals, prices),
  };
}

function serverLine(row: UsageRow, usersOf: ReadonlyMap<string, number>): ServerUsage {
  return serverUsage(row, row.server, usersOf.get(row.server) ?? 0);
}

export function serverUsage(row: Counted & Timed & Traffic, server: string, users: number): ServerUsage {
  return { server, ...figures(row), ...latency(row), users, ...traffic(row) };
}

function userLine(row: UserUsageRow, { visibility, principals }: UsageViewContext): UserServerUsage {
  return userUsage(row, { userKey: row.user_key, server: row.server }, visibility, principals);
}

export function userUsage(
  row: Counted & Tokens,
  { userKey, server }: { readonly userKey: string; readonly server: string },
  visibility: Visibility,
  principals: Principals
): UserServerUsage {
  const user = userView(userKey, visibility, principals);
  return { user, server, ...figures(row), ...tokenFigures(row) };
}

function toolLine(row: UsageRow): ToolUsage {
  return toolUsage(row, row.server, row.tool);
}

export function toolUsage(row: Counted & Timed & Tokens, server: string, tool: string): ToolUsage {
  const tokens = tokenFigures(row);
  const calls = Number(row.calls);
  const tokensPerCall = calls === 0 ? 0 : tokens.tokensEstimated / calls;
  return { server, tool, ...figures(row), ...latency(row), ...tokens, tokensPerCall };
}
