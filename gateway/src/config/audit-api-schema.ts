/**
 * The settings of the audit API: automation tokens and the trust in one Grafana. What a role may see is not
 * configuration; it is decided in audit-api/visibility.ts alone.
 */
import * as z from 'zod';
import { TOKEN_ROLES } from '../access/names.ts';
import { httpUrl, name, secret, sha256Hex, text } from './values.ts';

const tokenSchema = z.strictObject({
  name: name({ description: 'Name of the token, shown in the access log.', example: 'siem' }),
  role: z.enum(TOKEN_ROLES).meta({
    description: '`viewer`: own calls of `user`. `admin`: metadata of everybody. `auditor`: that and payloads.',
  }),
  user: text({
    description: 'E-mail of the person; a viewer token needs one.',
    example: 'ana@example.com',
  }).exactOptional(),
  servers: z
    .array(text({ description: 'server' }))
    .min(1, "is empty; write ['*'] for all")
    .exactOptional()
    .meta({
      description: 'Servers to which an auditor token is limited; omitted: all.',
    }),
  sha256: sha256Hex({ description: 'SHA-256 of the token in hex, as printed by `gatelens tokens create`.' }),
  expires: text({ description: 'Date or time (ISO 8601) from which it is refused.', example: '2027-06-30' })
    .refine(
      (value) => !Number.isNaN(Date.parse(value)),
      'is no date; write e.g. `2027-06-30` or `2027-06-30T12:00:00Z`'
    )
    .exactOptional(),
});

const grafanaSchema = z
  .strictObject({
    url: httpUrl({
      description: "Grafana's `root_url`, exactly: the issuer of its ID tokens.",
      example: 'https://grafana.example.com',
    }),
    issuer: text({ description: 'Issuer, where it differs from `url`.' }).exactOptional(),
    jwksUrl: httpUrl({ description: 'Signing keys; omitted: `<url>/api/signing-keys/keys`.' }).exactOptional(),
    org: z.int().min(1).default(1).meta({ description: 'Grafana organisation whose users are known here.' }),
    routeSecret: secret(
      { description: 'Secret that the plugin proxy sends with each request.', example: "'${GATELENS_ROUTE_SECRET}'" },
      16
    ),
    serviceAccountToken: secret({
      description: 'Token to ask Grafana who is in a team.',
      example: "'${GATELENS_GRAFANA_TOKEN}'",
    }).exactOptional(),
    auditorTeams: z
      .array(
        z.strictObject({
          team: text({ description: 'Name of the Grafana team.', example: 'Security Audit' }),
          servers: z
            .array(text({ description: 'server' }))
            .min(1, "is empty; write ['*'] for all")
            .default(['*'])
            .meta({
              description: 'Servers whose payloads it may read.',
            }),
        })
      )
      .default([])
      .meta({
        description:
          'Grafana teams whose members are Auditors. The first seed; the Configuration page goes on from it.',
      }),
    adminViewTeams: z
      .array(text({ description: 'team' }))
      .default([])
      .meta({
        description: "Grafana teams that see everybody's metadata without being Grafana Admins.",
      }),
    identityClaim: z.enum(['email', 'login', 'sub']).default('email').meta({
      description: 'Claim that leads a Grafana user to own calls; counts only for externally authenticated users.',
    }),
    identities: z
      .array(
        z.strictObject({
          grafanaUser: text({ description: 'Grafana login.', example: 'ana' }),
          user: text({ description: 'E-mail under which the calls are recorded.', example: 'ana@example.com' }),
        })
      )
      .default([])
      .meta({ description: "Who is who, for Grafana's own password logins." }),
    trustContextTeams: z.boolean().default(false).meta({
      description:
        'Believe the teams that the plugin context names. Then whoever can edit the plugin settings can become an Auditor.',
    }),
  })
  .meta({ description: 'The Grafana whose app plugin may ask.' });

export const auditApiSchema = z
  .strictObject({
    tokens: z.array(tokenSchema).default([]).meta({
      description:
        'Tokens for automation. Those made by `gatelens tokens create` are in `<dataDir>/keys/audit-tokens.json` and need no entry here.',
      example: "[{ name: siem, role: auditor, sha256: '…' }]",
    }),
    grafana: grafanaSchema.exactOptional(),
  })
  .prefault({})
  .meta({ description: 'The audit API.' });

export type AuditTokenConfig = z.output<typeof tokenSchema>;
export type GrafanaConfig = z.output<typeof grafanaSchema>;
