/** `/usage/unused`: servers and tools that nobody called for some days, configured servers never called among them. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { LastCallRow } from '../../store/queries/unused.ts';
import { lastCalls } from '../../store/queries/unused.ts';
import type { UnusedItem } from '../contract.ts';
import { usageUnusedRoute } from '../contract.ts';
import type { CsvColumn } from '../../exports/csv.ts';
import type { ApiEnv, RouteDeps } from '../deps.ts';
import { nowNs } from '../clock.ts';
import { requireSight } from '../require-sight.ts';
import { formatInstant } from '../time-range.ts';
import { csvAnswer, wantsCsv } from './csv-answer.ts';

const NS_PER_SECOND = 1_000_000_000n;
const DAY_NS = 86_400n * NS_PER_SECOND;

const COLUMNS: readonly CsvColumn<UnusedItem>[] = [
  { name: 'server', cell: (row) => row.server },
  { name: 'tool', cell: (row) => row.tool },
  { name: 'last_called_at', cell: (row) => row.lastCalledAt },
  { name: 'calls', cell: (row) => row.calls },
];

export function registerUsageUnused(api: OpenAPIHono<ApiEnv>, deps: RouteDeps): void {
  api.openapi(usageUnusedRoute, async (c) => {
    const visibility = await requireSight(c, deps.refusals, 'usage.read');
    const { days, limit, format, ...query } = c.req.valid('query');
    const demo = query.demo === 'true';
    const { signal } = c.req.raw;
    const now = nowNs(deps.clock);
    const sinceNs = now - BigInt(days) * DAY_NS;
    const before = Number(sinceNs / NS_PER_SECOND);
    const rows = await lastCalls(deps.store, visibility, { before, demo, nowNs: now }, { signal });
    const known = rows.filter(({ level }) => level === 1);
    // who sees their own calls only is not told which servers there are
    const configured = visibility.usage === 'all' && !demo ? deps.configuredServers : [];
    const called = new Set(known.map((row) => row.server_name));
    const never = configured.filter((server) => !called.has(server)).map(neverCalled);
    const idle = known.filter((row) => row.last_at < before).map(unusedItem);
    const allTools = rows.filter(({ level }) => level === 0).map(unusedItem);
    const servers = [...never, ...idle].slice(0, limit);
    const tools = allTools.slice(0, limit);
    if (wantsCsv(c, format))
      return csvAnswer(c, deps, { table: 'unused', columns: COLUMNS, lines: [...servers, ...tools] });
    const scope = visibility.usage === 'all' ? ('all' as const) : ('own' as const);
    return c.json(
      {
        since: formatInstant(sinceNs),
        scope,
        demo,
        servers,
        tools,
        truncated: never.length + idle.length > limit || allTools.length > limit,
      },
      200
    );
  });
}

function neverCalled(server: string): UnusedItem {
  return { server, tool: null, lastCalledAt: null, calls: 0 };
}

function unusedItem(row: LastCallRow): UnusedItem {
  return {
    server: row.server_name,
    tool: row.level === 1 ? null : row.tool_name,
    lastCalledAt: formatInstant(BigInt(row.last_at) * NS_PER_SECOND),
    calls: Number(row.calls),
  };
}
