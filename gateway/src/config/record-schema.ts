/**
 * The settings of the record: what of a payload is kept, how durable it is before a reply, which keys seal it, how long
 * it stays. Nothing here can switch the audit off: `capture` is about payloads only.
 */
import * as z from 'zod';
import { CAPTURE_MODES } from '../record/vocabulary.ts';
import { duration, name, secret, size, text } from './values.ts';

const captureMode = z.enum(CAPTURE_MODES);

const captureRuleSchema = z.strictObject({
  server: text({ description: 'Server, a pattern.', example: 'hr' }).default('*'),
  tool: text({
    description:
      'Tool, a pattern. A rule with a tool other than `*` speaks of calls of that tool only, and of what is said during them.',
  }).default('*'),
  mode: captureMode.meta({ description: 'Capture mode.' }),
});

export const captureSchema = z
  .strictObject({
    default: captureMode.default('full').meta({
      description:
        '`full`: arguments, results and headers, sealed, secrets in headers removed. `redacted`: also secrets in the body ' +
        'removed. `hash`: sizes and a keyed digest. `off`: sizes only.',
    }),
    maxBytes: size({ description: 'Bytes kept of a request and of a response; the rest is cut and marked.' }).prefault(
      262_144
    ),
    rules: z.array(captureRuleSchema).default([]).meta({
      description: 'Exceptions; the first that matches decides.',
      example: "[{ server: hr, tool: '*', mode: redacted }]",
    }),
    redaction: z
      .strictObject({
        headers: z
          .array(text({ description: 'header' }))
          .default([])
          .meta({
            description:
              'Header names whose values are removed, besides the built-in ones (Authorization, Cookie, X-API-Key, …).',
          }),
        keys: z
          .array(text({ description: 'key' }))
          .default([])
          .meta({
            description: 'JSON keys whose values are removed, besides the built-in ones (password, token, secret, …).',
          }),
        emails: z.boolean().default(false).meta({ description: 'Remove e-mail addresses, too.' }),
      })
      .prefault({})
      .meta({ description: 'What is removed before sealing.' }),
  })
  .prefault({})
  .meta({ description: 'What is kept of payloads. Metadata is always recorded.' });

export const auditSchema = z
  .strictObject({
    durability: z.enum(['before-reply', 'async']).default('before-reply').meta({
      description:
        '`before-reply`: a client sees no reply that is not on disk. `async`: replies do not wait for the disk.',
    }),
    onFailure: z.enum(['refuse', 'pass']).default('refuse').meta({
      description: 'A call that cannot be recorded is refused, or passes and is counted as lost.',
    }),
  })
  .prefault({})
  .meta({ description: 'What the audit promises.' });

const keyId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'is no key id; letters, digits, `.`, `_` and `-`, at most 64');

export const encryptionSchema = z
  .strictObject({
    active: name({ description: 'Id of the public key that new data keys are wrapped to.', example: "'2026-11'" }),
    publicKeys: z.record(keyId, text({ description: 'key' })).meta({
      description: 'X25519 public keys by id, base64. All that a gateway needs.',
    }),
    privateKeys: z.record(keyId, z.string().min(1, 'is empty')).default({}).meta({
      description: 'The private halves, base64, for the audit API only: who holds them can read payloads.',
      example: "{ '2026-11': '${GATELENS_PRIVATE_2026_11}' }",
      secret: true,
    }),
    pseudonymKey: secret(
      {
        description:
          'Secret behind the keyed hashes that stand for people and sessions, the same on every gateway; omitted: made in dataDir.',
        example: "'${GATELENS_PSEUDONYM_KEY}'",
      },
      32
    ).exactOptional(),
  })
  .meta({
    description:
      'Keys that seal payloads. Omitted: made in `<dataDir>/keys` at first start, with a warning, since then the private ' +
      'half lies beside the gateway. `gatelens keyring` makes and rotates them.',
  });

export const spoolSchema = z
  .strictObject({
    maxBytes: size(
      { description: 'Disk space for records not yet shipped; then `audit.onFailure` decides.' },
      1_048_576
    ).prefault('4GiB'),
  })
  .prefault({})
  .meta({ description: 'Where records wait, on disk in `<dataDir>/spool`, until the store has them.' });

export const propagationSchema = z
  .strictObject({
    meta: z.boolean().default(true).meta({
      description: 'Write the trace context into `params._meta` of what goes upstream. Off: bodies pass byte for byte.',
    }),
  })
  .prefault({})
  .meta({
    description:
      'W3C trace context towards upstream servers. Headers always carry it, and what clients send is always read.',
  });

const DAY_MS = 86_400_000;
export const retentionSchema = z
  .strictObject({
    metadata: duration({ description: 'Audit log, health and hourly usage by user.' }, DAY_MS).prefault('400d'),
    payloads: duration({ description: 'Sealed payloads.' }, DAY_MS).prefault('90d'),
    accessLog: duration({ description: 'Who read or changed what.' }, DAY_MS).prefault('2555d'),
    usage: duration({ description: 'Hourly usage without users.' }, DAY_MS).prefault('1096d'),
    traces: duration({ description: 'Raw spans as they arrived.' }, DAY_MS).prefault('3d'),
  })
  .prefault({})
  .meta({ description: 'How long the store keeps what, in days or more.' });

export type CaptureConfig = z.output<typeof captureSchema>;
export type AuditConfig = z.output<typeof auditSchema>;
export type EncryptionConfig = z.output<typeof encryptionSchema>;
