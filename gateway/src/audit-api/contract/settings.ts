/** Who is what, and whether the whole chain works, as JSON. Part of the contract. Nothing here is secret. */
import { z } from '@hono/zod-openapi';
import { User } from './call.ts';

const MAX_TEAMS = 100;
const MAX_SERVERS = 200;
const name = (about: string) =>
  z
    .string()
    .min(1, 'must not be empty')
    .max(200, 'give at most 200 characters')
    .refine((text) => text.trim() === text, 'must not begin or end with a blank')
    .openapi({ description: about });

const servers = z
  .array(name('server, as in `mcpServers`, or `*` for all'))
  .min(1, "is empty; write ['*'] for all")
  .max(MAX_SERVERS, `give at most ${MAX_SERVERS}`);

export const RoleMappingBody = z
  .strictObject({
    version: z.int('give the version that you read').openapi({ description: 'of the mapping that this one replaces' }),
    auditorTeams: z
      .array(z.strictObject({ team: name('name of the Grafana team, letter by letter'), servers }))
      .max(MAX_TEAMS, `give at most ${MAX_TEAMS}`)
      .refine((teams) => new Set(teams.map(({ team }) => team)).size === teams.length, 'names a team twice'),
    adminViewTeams: z
      .array(name('name of the Grafana team, letter by letter'))
      .max(MAX_TEAMS, `give at most ${MAX_TEAMS}`),
  })
  .openapi('RoleMappingBody');

const members = z
  .number()
  .nullable()
  .openapi({ description: 'people in it now; null: there is no such team, or Grafana does not say' });

export const RoleSettings = z
  .object({
    version: z.number(),
    auditorTeams: z
      .array(z.object({ team: z.string(), servers: z.array(z.string()), members }))
      .openapi({ description: 'teams whose members open payloads of these servers' }),
    adminViewTeams: z
      .array(z.object({ team: z.string(), members }))
      .openapi({ description: 'teams whose members see everybody’s metadata without being Grafana Admins' }),
    changedAt: z.string().openapi({ description: 'RFC 3339' }),
    changedBy: User.nullable().openapi({ description: 'null: nobody yet, it is that of the configuration' }),
    mayChange: z.boolean(),
    teams: z
      .array(z.object({ name: z.string(), members: z.number() }))
      .nullable()
      .openapi({ description: 'every team of the organisation, to choose from; null: Grafana does not say' }),
  })
  .openapi('RoleSettings');
export type RoleSettings = z.infer<typeof RoleSettings>;

const LINKS = ['grafana_user', 'signing_keys', 'teams', 'store', 'spool'] as const;

const Link = z
  .object({
    link: z.enum(LINKS).openapi({
      description:
        '`grafana_user`: route secret and signed token of this request; `signing_keys`, `teams`: asked from Grafana now; `store`: asked now; `spool`: what its components report',
    }),
    state: z.enum(['ok', 'failed', 'not_used']),
    message: z.string().openapi({ description: 'what was found, or what to do' }),
  })
  .openapi('ConnectionLink');
export type ConnectionLink = z.infer<typeof Link>;

const HealthReport = z
  .object({
    component: z.string(),
    gatewayId: z.string().openapi({ description: 'its chain' }),
    at: z.string().openapi({ description: 'of its last report; one comes every 15 seconds' }),
    seen: z.number().openapi({ description: 'records begun since it started' }),
    recorded: z.number(),
    shipped: z.number(),
    lost: z.number(),
    refused: z.number().openapi({ description: 'calls refused since they could not be recorded' }),
    attemptsLeftOut: z.number().openapi({ description: 'refused attempts that stand in sums' }),
    payloadsTruncated: z.number().openapi({ description: 'payloads cut for the record' }),
    payloadsFailed: z.number().openapi({ description: 'payloads that could not be sealed' }),
    setAside: z.number().openapi({ description: 'batches that the store refused' }),
    spoolBytes: z.number(),
    oldestUnshippedAt: z.string().nullable(),
    lastVerifiedAt: z.string().nullable(),
  })
  .openapi('HealthReport');
export type HealthReport = z.infer<typeof HealthReport>;

export const Status = z
  .object({
    version: z.string(),
    links: z.array(Link),
    retentionDays: z.object({
      metadata: z.number(),
      payloads: z.number(),
      accessLog: z.number(),
      usage: z.number(),
      traces: z.number(),
    }),
    holds: z
      .array(
        z.object({
          id: z.string(),
          reason: z.string(),
          setBy: z.string(),
          setAt: z.string(),
          covers: z.enum(['one person', 'everybody']),
          server: z.string().nullable(),
          from: z.string().nullable(),
          to: z.string().nullable(),
        })
      )
      .openapi({ description: 'legal holds in force: while there is one, retention removes no record' }),
    components: z.array(HealthReport).openapi({ description: 'those that reported in the last 24 hours' }),
    users: z
      .object({
        calling: z.number().openapi({ description: 'people who made calls in the last 30 days' }),
        matched: z.number().openapi({ description: 'of whom a Grafana user can see these as their own' }),
      })
      .nullable()
      .openapi({ description: 'null: Grafana does not say who its users are' }),
    store: z.object({
      calls: z.number().openapi({ description: 'rows in the audit log, demo history included' }),
      bytesOnDisk: z.number().nullable(),
    }),
  })
  .openapi('Status');
export type Status = z.infer<typeof Status>;
