/** Routes of the Usage page. Part of the contract. */
import { createRoute } from '@hono/zod-openapi';
import { COMMON_ERRORS } from './errors.ts';
import { ConcurrencyQuery, UnusedQuery, UsageOverTimeQuery, UsageQuery, UsageTableQuery } from './filters.ts';
import { API_BASE, BEHIND_TOKEN, json, jsonOrCsv } from './route.ts';
import { Concurrency, UsageOverTime } from './usage-charts.ts';
import { UsageClients, UsageServers, UsageTools, UsageUnused, UsageUsers } from './usage-tables.ts';
import { UsageSummary } from './usage.ts';

export const usageSummaryRoute = createRoute({
  method: 'get',
  path: `${API_BASE}/usage/summary`,
  operationId: 'getUsageSummary',
  summary: 'Requests by server, user and tool: counts, error rates, latencies, tokens',
  security: BEHIND_TOKEN,
  request: { query: UsageQuery },
  responses: { 200: json(UsageSummary, 'the summary'), ...COMMON_ERRORS },
});

export const usageOverTimeRoute = createRoute({
  method: 'get',
  path: `${API_BASE}/usage/timeline`,
  operationId: 'getUsageOverTime',
  summary: 'Requests over time: by outcome, error rate, p50, p95 and p99, tokens',
  security: BEHIND_TOKEN,
  request: { query: UsageOverTimeQuery },
  responses: { 200: json(UsageOverTime, 'every bucket of the range, empty ones too'), ...COMMON_ERRORS },
});

export const usageServersRoute = createRoute({
  method: 'get',
  path: `${API_BASE}/usage/servers`,
  operationId: 'getUsageServers',
  summary: 'Servers by number of requests',
  security: BEHIND_TOKEN,
  request: { query: UsageTableQuery },
  responses: { 200: jsonOrCsv(UsageServers, 'the table'), ...COMMON_ERRORS },
});

export const usageToolsRoute = createRoute({
  method: 'get',
  path: `${API_BASE}/usage/tools`,
  operationId: 'getUsageTools',
  summary: 'Tools by number of requests',
  security: BEHIND_TOKEN,
  request: { query: UsageTableQuery },
  responses: { 200: jsonOrCsv(UsageTools, 'the table'), ...COMMON_ERRORS },
});

export const usageUsersRoute = createRoute({
  method: 'get',
  path: `${API_BASE}/usage/users`,
  operationId: 'getUsageUsers',
  summary: 'Which users use which servers',
  security: BEHIND_TOKEN,
  request: { query: UsageTableQuery },
  responses: { 200: jsonOrCsv(UsageUsers, 'the table'), ...COMMON_ERRORS },
});

export const usageClientsRoute = createRoute({
  method: 'get',
  path: `${API_BASE}/usage/clients`,
  operationId: 'getUsageClients',
  summary: 'MCP clients and their versions',
  security: BEHIND_TOKEN,
  request: { query: UsageTableQuery },
  responses: { 200: jsonOrCsv(UsageClients, 'the table'), ...COMMON_ERRORS },
});

export const usageUnusedRoute = createRoute({
  method: 'get',
  path: `${API_BASE}/usage/unused`,
  operationId: 'getUsageUnused',
  summary: 'Servers and tools that were not called for some days',
  security: BEHIND_TOKEN,
  request: { query: UnusedQuery },
  responses: { 200: jsonOrCsv(UsageUnused, 'the table'), ...COMMON_ERRORS },
});

export const usageConcurrencyRoute = createRoute({
  method: 'get',
  path: `${API_BASE}/usage/concurrency`,
  operationId: 'getUsageConcurrency',
  summary: 'How many requests ran at the same time, for capacity planning',
  security: BEHIND_TOKEN,
  request: { query: ConcurrencyQuery },
  responses: { 200: json(Concurrency, 'every bucket of the range'), ...COMMON_ERRORS },
});
