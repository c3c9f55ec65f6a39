/**
 * Usage as JSON: totals, servers, users × servers, tools. Part of the contract. Counts requests that are over (kind
 * `request`, phase `closed`) and nothing else; `denied` and `cancelled` are no errors. Latencies come from fixed log
 * buckets, so they are exact to the width of a bucket.
 */
import { z } from '@hono/zod-openapi';
import { User } from './call.ts';

export const usageFigures = {
  calls: z.number().openapi({ description: 'requests that are over' }),
  errors: z.number().openapi({ description: 'tool_error, rpc_error, timeout, upstream_unreachable, interrupted' }),
  denied: z.number(),
  errorRate: z.number().openapi({ description: 'errors / calls, 0 to 1' }),
};

export const usageLatency = {
  p50Ms: z.number().nullable().openapi({ description: 'within 9 %: from log buckets' }),
  p95Ms: z.number().nullable(),
  p99Ms: z.number().nullable(),
};

/** What is left out where no price is configured. */
export const usageCost = {
  cost: z.number().optional().openapi({
    description: 'of `tokensEstimated`, with the prices of now; left out: `usage.cost` is not configured',
  }),
};

export const usageCurrency = {
  currency: z.string().optional().openapi({ description: 'of every `cost`; left out: there is none' }),
};

const UsageTotals = z
  .object({
    ...usageFigures,
    ...usageLatency,
    users: z.number(),
    servers: z.number(),
    tools: z.number(),
    tokensEstimated: z.number(),
    ...usageCost,
    requestBytes: z.number(),
    responseBytes: z.number(),
  })
  .openapi('UsageTotals');

export const ServerUsage = z
  .object({
    server: z.string(),
    ...usageFigures,
    ...usageLatency,
    users: z.number(),
    tokensEstimated: z.number(),
    ...usageCost,
    requestBytes: z.number(),
    responseBytes: z.number(),
  })
  .openapi('ServerUsage');
export type ServerUsage = z.infer<typeof ServerUsage>;

export const UserServerUsage = z
  .object({
    user: User.nullable().openapi({ description: 'null: calls by nobody known' }),
    server: z.string(),
    ...usageFigures,
    tokensEstimated: z.number(),
    ...usageCost,
  })
  .openapi('UserServerUsage');
export type UserServerUsage = z.infer<typeof UserServerUsage>;

export const ToolUsage = z
  .object({
    server: z.string(),
    tool: z.string(),
    ...usageFigures,
    ...usageLatency,
    tokensEstimated: z.number(),
    ...usageCost,
    tokensPerCall: z.number().openapi({ description: 'estimated tokens of a result, on average' }),
  })
  .openapi('ToolUsage');
export type ToolUsage = z.infer<typeof ToolUsage>;

export const UsageSummary = z
  .object({
    from: z.string().openapi({ description: 'start of the range, inclusive; RFC 3339' }),
    to: z.string().openapi({ description: 'end of the range, exclusive; RFC 3339' }),
    scope: z.enum(['own', 'all']).openapi({ description: '`own`: the caller’s calls only' }),
    demo: z.boolean(),
    ...usageCurrency,
    lagSeconds: z.number().openapi({
      description:
        'how far the rollups are behind the calls, in seconds. The figures are complete all the same: what the rollups lack is read from the calls',
    }),
    totals: UsageTotals,
    previous: UsageTotals.nullable().openapi({
      description: 'with `compare=previous`: the same of the period of equal length just before; else null',
    }),
    servers: z.array(ServerUsage).openapi({ description: 'most calls first' }),
    userServers: z.array(UserServerUsage).openapi({ description: 'most calls first' }),
    tools: z.array(ToolUsage).openapi({ description: 'most calls first' }),
    truncated: z
      .array(z.enum(['servers', 'userServers', 'tools']))
      .openapi({ description: 'tables that were cut at `limit`; the totals are not' }),
  })
  .openapi('UsageSummary');
export type UsageSummary = z.infer<typeof UsageSummary>;
