/**
 * The settings of the door: where Gatelens listens, which hosts and origins it answers, who may call and what. Whether
 * an address may be used without authentication is decided in rules.ts, where the sections are seen together.
 */
import * as z from 'zod';
import { duration, hostPort, httpUrl, name, sha256Hex, size, text } from './values.ts';

export const listenSchema = z
  .strictObject({
    mcp: hostPort({ description: 'MCP clients.', example: '127.0.0.1:8080' }).prefault('127.0.0.1:8080'),
    auditApi: hostPort({ description: "Audit API: Grafana's plugin proxy and automation tokens." }).prefault(
      '127.0.0.1:8081'
    ),
    metrics: hostPort({ description: 'Prometheus `/metrics`.' }).prefault('127.0.0.1:9464'),
    store: hostPort({
      description: 'ClickHouse HTTP of the embedded store; loopback only, unused with `store.url`.',
    }).prefault('127.0.0.1:8123'),
  })
  .prefault({})
  .meta({
    description:
      'Addresses, `host:port`; port 0 lets the system choose. Each default is loopback: listening wider is refused ' +
      'unless authentication is configured for that listener.',
  });

export const httpSchema = z
  .strictObject({
    publicUrl: httpUrl({
      description: 'URL under which clients reach `listen.mcp`, when a proxy or a name stands in front.',
      example: 'https://gatelens.example.com',
    }).exactOptional(),
    allowedHosts: z
      .array(text({ description: 'host name' }))
      .default([])
      .meta({
        description:
          'Host names accepted in `Host`, besides loopback names and the host of `publicUrl`. A guard against DNS rebinding.',
        example: '[gatelens.internal]',
      }),
    allowedOrigins: z
      .array(httpUrl({ description: 'origin' }))
      .default([])
      .meta({
        description: 'Origins of web pages that may call, besides loopback. Requests without `Origin` are no web page.',
        example: '[https://inspector.example.com]',
      }),
  })
  .prefault({})
  .meta({ description: 'How the MCP listener is seen from outside.' });

const count = (description: string, fallback: number) => z.int().min(1).default(fallback).meta({ description });

const attemptsSchema = z
  .strictObject({
    perAddress: count(
      'Of strangers, by address (IPv6: /64). Beyond it they get 429 with `Retry-After`; callers who are let in do not feel it, whatever their address.',
      60
    ),
    perCaller: count(
      'Of one caller who was let in: denied, rate-limited, malformed. The answers stay as they are.',
      300
    ),
    inAll: count(
      'Of strangers over all addresses, so that many addresses cannot fill the disk. The answers stay as they are.',
      300
    ),
    every: duration(
      { description: '… in this time, after which what was left out gets one record a source.' },
      100
    ).prefault('1m'),
  })
  .prefault({})
  .meta({
    description:
      'How many refused requests get a record of their own; those beyond it, and requests for paths that do not exist, are counted, and the sums recorded.',
  });

export const limitsSchema = z
  .strictObject({
    bodyBytes: size({ description: 'Largest request body; larger ones get 413 and a record.' }, 1024).prefault('16MiB'),
    bufferedBodyBytes: size(
      {
        description:
          'Request bodies that are held in memory at once, over all callers; beyond it requests get 503 and a record. One caller gets at most half of it.',
      },
      1024
    ).prefault('256MiB'),
    headerBytes: size({ description: 'Largest request headers in all; larger ones get 431.' }, 1024).prefault('16KiB'),
    messageBytes: size({ description: 'Largest single message from a stdio server.' }, 1024).prefault('64MiB'),
    receiveTimeout: duration({ description: 'How long a client may take to send a request.' }).prefault('30s'),
    connectTimeout: duration({ description: 'How long connecting to an HTTP server may take.' }).prefault('10s'),
    requestTimeout: duration({
      description: 'How long an upstream server may stay silent during a request; any byte or progress begins it anew.',
    }).prefault('5m'),
    startTimeout: duration({
      description: 'How long a stdio server may take to start; `npx` may download a package in this time.',
    }).prefault('60s'),
    maxSessions: z
      .int()
      .min(1)
      .default(64)
      .meta({ description: 'Children that may run at once for one stdio server.' }),
    sessionIdle: duration({ description: 'A stdio session without traffic is ended after this time.' }).prefault('30m'),
    attempts: attemptsSchema,
    shutdownTimeout: duration({ description: 'How long running calls may take to end at shutdown.' }).prefault('10s'),
  })
  .prefault({})
  .meta({ description: 'Sizes, times and numbers that nothing exceeds.' });

const apiKeySchema = z.strictObject({
  name: name({ description: 'Name of the key, shown in the audit log.', example: 'ci' }),
  user: text({
    description: 'E-mail of the person or team it belongs to.',
    example: 'ana@example.com',
  }).exactOptional(),
  teams: z
    .array(text({ description: 'team' }))
    .default([])
    .meta({ description: 'Teams its calls belong to.' }),
  sha256: sha256Hex({ description: 'SHA-256 of the key in hex; the key itself is never stored.' }),
  expires: text({ description: 'Date or time (ISO 8601) from which it is refused.', example: '2027-06-30' })
    .refine(
      (value) => !Number.isNaN(Date.parse(value)),
      'is no date; write e.g. `2027-06-30` or `2027-06-30T12:00:00Z`'
    )
    .exactOptional(),
});

/** Asymmetric only: with HS256 anybody who knows the public key could sign. */
const JWT_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

const jwtSchema = z
  .strictObject({
    issuer: httpUrl({
      description: 'The `iss` of the tokens, exactly; also the authorization server told to clients.',
      example: 'https://idp.example.com',
    }),
    audience: z
      .union([text({ description: 'audience' }), z.array(text({ description: 'audience' })).min(1, 'is empty')])
      .meta({
        description: 'The `aud` that tokens must carry: tokens made for others are refused.',
        example: 'gatelens',
      }),
    jwksUrl: httpUrl({
      description:
        "Where the issuer's public keys are; omitted: from its `/.well-known` metadata (RFC 8414, OpenID Connect).",
    }).exactOptional(),
    algorithms: z
      .array(z.enum(JWT_ALGORITHMS))
      .min(1, 'is empty')
      .default(['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'])
      .meta({
        description: 'Signature algorithms accepted. `none` and the HMAC family (HS…) cannot be allowed.',
      }),
    clockTolerance: duration({ description: 'How far the clocks may be apart.' }, 0).prefault('30s'),
    userClaim: text({
      description: 'Claim that names the person; an e-mail counts unless `email_verified` is false. Without it: `sub`.',
    }).default('email'),
    teamsClaim: text({ description: 'Claim with the teams, an array or a space-separated text.' }).default('groups'),
    requiredScopes: z
      .array(text({ description: 'scope' }))
      .default([])
      .meta({
        description: 'Scopes a token must carry (`scope` or `scp`); also told to clients.',
      }),
  })
  .meta({ description: 'Bearer tokens of an OAuth 2.1 authorization server, checked by signature.' });

export const authSchema = z
  .strictObject({
    anonymous: z.boolean().default(false).meta({
      description: 'Let callers on this machine in without a key. Only with `listen.mcp` on loopback.',
    }),
    apiKeys: z
      .array(apiKeySchema)
      .default([])
      .meta({
        description:
          'Keys `gl_…`, sent as `Authorization: Bearer` or `X-API-Key`. Those made by `gatelens api-keys create` are in ' +
          '`<dataDir>/keys/api-keys.json` and need no entry here.',
        example: "[{ name: ci, user: ana@example.com, sha256: '…' }]",
      }),
    jwt: jwtSchema.exactOptional(),
  })
  .prefault({})
  .meta({ description: 'Who may call.' });

const patterns = (about: string, example: string) =>
  z
    .array(text({ description: 'pattern' }))
    .min(1, "is empty; write ['*'] for all")
    .default(['*'])
    .meta({ description: about, example });

const policyRuleSchema = z.strictObject({
  name: name({ description: 'Name of the rule in the audit log; omitted: its position, `#1`.' }).exactOptional(),
  allow: z.boolean().meta({ description: 'Whether what matches may pass.' }),
  users: patterns(
    'E-mails (`ana@example.com`, `*@example.com`), `team:<name>`, `key:<name>` or just the name of an API key, ' +
      '`sub:<subject>`, `anonymous`. E-mails ignore the case of A–Z; everything else is exact.',
    "['*@example.com', 'team:ops']"
  ),
  servers: patterns('Names in `mcpServers`, exact.', '[docs]'),
  tools: patterns(
    'Names of tools, exact, as the server spells them. A rule with tools other than `*` speaks of `tools/call` only; if ' +
      'it allows, it also opens what a session needs to get there (`initialize`, `ping`, `tools/list`, notifications).',
    "[search, 'read_*']"
  ),
  methods: patterns('MCP methods.', "['tools/*', 'resources/read']"),
});

export const policySchema = z
  .array(policyRuleSchema)
  .prefault([{ allow: true }])
  .meta({
    description:
      'What callers may do. The first rule that matches decides; if none does, the call is denied, so an empty list denies ' +
      'everything. `*` stands for any characters. Omitted: every caller who is let in may do all.',
    example: "[{ allow: true, users: ['*'], servers: ['*'], tools: ['*'] }]",
  });

export const rateLimitSchema = z
  .strictObject({
    requests: z.int().min(1).meta({ description: 'Requests allowed …', example: '600' }),
    per: duration({ description: '… in this time.' }, 100).prefault('1m'),
    burst: z.int().min(1).exactOptional().meta({ description: 'How many may come at once; omitted: `requests`.' }),
    by: z.enum(['caller', 'caller-and-server']).default('caller').meta({ description: 'What is counted together.' }),
  })
  .meta({ description: 'A limit for each caller. Omitted: none. What is refused gets 429 and a record.' });

export type ApiKeyConfig = z.output<typeof apiKeySchema>;
export type JwtConfig = z.output<typeof jwtSchema>;
export type PolicyRuleConfig = z.output<typeof policyRuleSchema>;
export type RateLimitConfig = z.output<typeof rateLimitSchema>;
