/** Routes of the Usage page. Part of the contract. */
import { createRoute } from '@hono/zod-openapi';
import { COMMON_ERRORS } from './errors.ts';
import { UsageQuery } from './filters.ts';
import { API_BASE, BEHIND_TOKEN, json } from './route.ts';
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
