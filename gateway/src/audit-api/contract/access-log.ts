/** The access log as JSON: what was done through the audit API. Part of the contract. Holds no payload. */
import { z } from '@hono/zod-openapi';
import { ACCESS_ACTIONS, ACCESS_DECISIONS, ACCESS_REASONS } from '../../record/access.ts';
import { User } from './call.ts';
import { nextCursor } from './params.ts';

export const AccessLogEntry = z
  .object({
    id: z.string(),
    at: z.string().openapi({ description: 'when it was asked for; RFC 3339 with nanoseconds, UTC' }),
    durationMs: z.number(),
    action: z.enum(ACCESS_ACTIONS),
    decision: z.enum(ACCESS_DECISIONS),
    reason: z.enum(ACCESS_REASONS.filter((reason) => reason !== '')).nullable(),
    actor: z.object({
      kind: z.enum(['token', 'grafana', 'mcp', 'none']),
      tokenName: z.string().nullable(),
      user: User.nullable().openapi({ description: 'null: automation without a person, or nobody known' }),
    }),
    roles: z.array(z.string()).openapi({ description: 'in force at that time' }),
    clientAddress: z.string().nullable(),
    target: z.object({ callId: z.string().nullable(), user: User.nullable(), server: z.string().nullable() }),
    rows: z.number().openapi({ description: 'rows given out' }),
    bytes: z.number().openapi({ description: 'payload bytes given out' }),
    detail: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]))
      .openapi({ description: 'filters or changes; persons as keys only' }),
    gatewayId: z.string().openapi({ description: 'chain of the audit API that recorded it' }),
    seq: z.string().openapi({ description: 'position in that chain, decimal' }),
    recordHash: z.string(),
  })
  .openapi('AccessLogEntry');
export type AccessLogEntry = z.infer<typeof AccessLogEntry>;

export const AccessLogPage = z
  .object({
    scope: z.enum(['own', 'all']).openapi({ description: '`own`: what the caller did' }),
    items: z.array(AccessLogEntry).openapi({ description: 'newest first' }),
    nextCursor,
  })
  .openapi('AccessLogPage');
export type AccessLogPage = z.infer<typeof AccessLogPage>;
