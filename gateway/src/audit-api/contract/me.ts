/**
 * Who the caller is to the audit API and what that lets them see, in words. Part of the contract. A caller who sees
 * nothing learns why here.
 */
import { z } from '@hono/zod-openapi';

const ROLES = ['viewer', 'admin', 'auditor'] as const;
export type Role = (typeof ROLES)[number];

export const Me = z
  .object({
    kind: z.enum(['token', 'grafana', 'mcp']),
    name: z.string().openapi({ description: 'name of the automation token, or login' }),
    roles: z.array(z.enum(ROLES)),
    user: z
      .object({ key: z.string(), email: z.string().optional() })
      .nullable()
      .openapi({ description: 'the person whose own calls these are; null when the caller is nobody in particular' }),
    visibility: z.object({
      calls: z.enum(['none', 'own', 'all']),
      usage: z.enum(['none', 'own', 'all']),
      identities: z.boolean().openapi({ description: 'e-mail, login and name of other people' }),
      accessLog: z.enum(['none', 'own', 'all']),
      settings: z.enum(['none', 'read', 'change']).openapi({ description: 'role mapping and health of the pipeline' }),
      payloads: z.object({
        allowed: z.boolean(),
        servers: z.union([z.literal('*'), z.array(z.string())]).openapi({ description: '`*`: all servers' }),
      }),
    }),
    explanation: z.array(z.string()).openapi({ description: 'the same in words, one sentence each' }),
    auditorTeams: z
      .array(z.string())
      .openapi({ description: 'Grafana teams whose members are Auditors: who can help' }),
    nothingBecause: z.enum(['no_identity']).optional().openapi({ description: 'why this caller sees no calls at all' }),
  })
  .openapi('Me');
export type Me = z.infer<typeof Me>;

export const Health = z.object({ status: z.enum(['ok', 'store_unavailable']), version: z.string() }).openapi('Health');
