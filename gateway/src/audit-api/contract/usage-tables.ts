/** The ranked tables of Usage, each whole and as CSV too. Part of the contract. */
import { z } from '@hono/zod-openapi';
import { lagSeconds, usageRange } from './usage-charts.ts';
import {
  ServerUsage,
  ToolUsage,
  usageCost,
  usageCurrency,
  usageFigures,
  usageLatency,
  UserServerUsage,
} from './usage.ts';

const table = {
  distinct: z.number().openapi({ description: 'lines there are' }),
  truncated: z.boolean().openapi({ description: 'cut at `limit`' }),
};

const trend = z
  .array(z.number())
  .openapi({ description: 'calls in at most 30 buckets of equal width, oldest first, for a sparkline' });

export const UsageServers = z
  .object({ ...usageRange, ...usageCurrency, lagSeconds, ...table, items: z.array(ServerUsage.extend({ trend })) })
  .openapi('UsageServers');
export type UsageServers = z.infer<typeof UsageServers>;

export const UsageTools = z
  .object({ ...usageRange, ...usageCurrency, lagSeconds, ...table, items: z.array(ToolUsage.extend({ trend })) })
  .openapi('UsageTools');
export type UsageTools = z.infer<typeof UsageTools>;

export const UsageUsers = z
  .object({ ...usageRange, ...usageCurrency, lagSeconds, ...table, items: z.array(UserServerUsage) })
  .openapi('UsageUsers');
export type UsageUsers = z.infer<typeof UsageUsers>;

const ClientUsage = z
  .object({
    client: z.string().nullable().openapi({ description: 'as it names itself; null: it did not' }),
    version: z.string().nullable(),
    ...usageFigures,
    ...usageLatency,
    users: z.number(),
    tokensEstimated: z.number(),
    ...usageCost,
  })
  .openapi('ClientUsage');
export type ClientUsage = z.infer<typeof ClientUsage>;

export const UsageClients = z
  .object({ ...usageRange, ...usageCurrency, lagSeconds, ...table, items: z.array(ClientUsage) })
  .openapi('UsageClients');
export type UsageClients = z.infer<typeof UsageClients>;

const UnusedItem = z
  .object({
    server: z.string(),
    tool: z.string().nullable().openapi({ description: 'null: the server, whatever was called' }),
    lastCalledAt: z
      .string()
      .nullable()
      .openapi({ description: 'to the hour; null: configured, and never called as far as is known' }),
    calls: z.number().openapi({ description: 'all that are known, ever' }),
  })
  .openapi('UnusedItem');
export type UnusedItem = z.infer<typeof UnusedItem>;

export const UsageUnused = z
  .object({
    since: z.string().openapi({ description: 'not called since then' }),
    scope: usageRange.scope,
    demo: z.boolean(),
    servers: z.array(UnusedItem).openapi({ description: 'the longest unused first' }),
    tools: z.array(UnusedItem).openapi({ description: 'the longest unused first' }),
    truncated: z.boolean(),
  })
  .openapi('UsageUnused');
export type UsageUnused = z.infer<typeof UsageUnused>;
