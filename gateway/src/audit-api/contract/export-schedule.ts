/**
 * Scheduled exports as JSON: when, what, where to, and how they stand. Part of the contract. Secrets go in and never
 * come out: what comes out says only whether one is set.
 */
import { z } from '@hono/zod-openapi';
import { EXPORT_COMPRESSIONS, EXPORT_FORMATS } from '../../exports/formats.ts';
import { User } from './call.ts';
import { ExportRun, exportShape } from './export.ts';
import { CallFilters } from './filters.ts';
import { timeParam } from './params.ts';

const clock = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'use HH:MM')
  .default('00:00')
  .openapi({ description: 'HH:MM in `timeZone`', example: '02:00' });

const Timing = z
  .discriminatedUnion('every', [
    z.strictObject({ every: z.literal('hour') }),
    z.strictObject({ every: z.literal('day'), at: clock }),
    z.strictObject({
      every: z.literal('week'),
      at: clock,
      weekday: z.int().min(1).max(7).openapi({ description: '1 Monday … 7 Sunday' }),
    }),
    z.strictObject({
      every: z.literal('month'),
      at: clock,
      day: z.int().min(1).max(28, 'every month has 28 days').openapi({ description: 'day of the month' }),
    }),
    z.strictObject({
      every: z.literal('cron'),
      cron: z.string().min(9).max(100).openapi({ description: 'five fields', example: '0 */6 * * *' }),
    }),
  ])
  .openapi('ExportTiming', {
    description: 'Each time is the end of one window and the start of the next: what lies between two is one export.',
  });

const host = z.string().min(1).max(500);
const secret = (about: string) => z.string().min(1).max(4096).optional().openapi({ description: about });
const KEEP = 'left out in a change: the one that is set stays, as long as the address stays';

const ConfiguredDestination = z.strictObject({
  type: z.literal('configured'),
  name: z.string().min(1).max(100).openapi({ description: 'as in `exports.destinations` of the configuration' }),
});

const S3_SHAPE = {
  type: z.literal('s3'),
  endpoint: host.optional().openapi({ description: 'left out: AWS', example: 'https://s3.example.com' }),
  region: z.string().min(1).max(60).default('us-east-1'),
  bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'use the name of a bucket'),
  pathStyle: z
    .boolean()
    .default(false)
    .openapi({ description: '<endpoint>/<bucket>/… in place of <bucket>.<endpoint>' }),
  sse: z.enum(['none', 'AES256', 'aws:kms']).default('none'),
  kmsKeyId: z.string().min(1).max(500).optional(),
  objectLock: z
    .strictObject({ mode: z.enum(['GOVERNANCE', 'COMPLIANCE']), days: z.int().min(1).max(36500) })
    .optional()
    .openapi({ description: 'nobody can change or remove an object before' }),
};
const S3Destination = z.strictObject({
  ...S3_SHAPE,
  accessKeyId: secret(`access key; ${KEEP}`),
  secretAccessKey: secret(`secret key; ${KEEP}`),
});

/** It would be shown to whoever sees the schedule. */
function hasUserInfo(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { username, password } = new URL(url);
  return username !== '' || password !== '';
}

const HTTPS_SHAPE = {
  type: z.literal('https'),
  url: z
    .url('use an address that begins with https://')
    .max(1000)
    .refine((url) => !hasUserInfo(url), 'must not hold a user name or password; use token, which never comes out')
    .openapi({ description: 'gets each file of NDJSON by POST', example: 'https://siem.example.com/ingest' }),
};
const HttpsDestination = z.strictObject({ ...HTTPS_SHAPE, token: secret(`sent as Authorization: Bearer; ${KEEP}`) });

const ExportDestination = z
  .discriminatedUnion('type', [ConfiguredDestination, S3Destination, HttpsDestination])
  .openapi('ExportDestinationBody');
export type ExportDestinationBody = z.infer<typeof ExportDestination>;

const credentialsSet = z.boolean().openapi({ description: 'whether credentials are set; they never come out' });
const DestinationView = z
  .discriminatedUnion('type', [
    ConfiguredDestination,
    z.object({ ...S3_SHAPE, credentialsSet }),
    z.object({ ...HTTPS_SHAPE, credentialsSet }),
  ])
  .openapi('ExportDestination');
export type ExportDestinationView = z.infer<typeof DestinationView>;

const objectName = z.string().max(300, 'give at most 300 characters').optional().openapi({
  description:
    'template of names: {schedule}, {from}, {to}, {yyyy}, {mm}, {dd}, {hh}, {supplement}, {part}, {ext}; {from} and {part} must be in it',
  example: '{schedule}/{yyyy}/{mm}/{dd}/{from}_{to}{supplement}-{part}.{ext}',
});

const recipients = z
  .array(z.string().regex(/^age1[0-9a-z]{50,3000}$/, 'use an age public key, age1…'))
  .max(20)
  .default([])
  .openapi({ description: 'age public keys to whom the files are encrypted; empty: they are not' });

const name = z
  .string()
  .trim()
  .min(1, 'give a name')
  .max(100, 'give at most 100 characters')
  .regex(/^[^\p{Cc}]*$/u, 'no control characters');
const timeZone = z
  .string()
  .min(1)
  .max(60)
  .default('UTC')
  .openapi({ description: 'IANA name', example: 'Europe/Berlin' });

const content = {
  name,
  filters: CallFilters.default({}),
  ...exportShape,
  timing: Timing,
  timeZone,
  destination: ExportDestination,
  objectName,
  recipients,
};

export const ExportScheduleBody = z
  .strictObject({
    ...content,
    startFrom: timeParam('start of the first window; left out: the last time of `timing` before now'),
  })
  .openapi('ExportScheduleBody');
export const ExportScheduleChange = z
  .strictObject({ ...content, version: z.int('give the version that you read') })
  .openapi('ExportScheduleChange');

export const ExportSchedule = z
  .object({
    id: z.string(),
    version: z.number(),
    name: z.string(),
    owner: z
      .object({ name: z.string(), user: User.nullable() })
      .openapi({ description: 'under whose rights it runs; one with payloads stops when they are Auditor no longer' }),
    filters: z.record(z.string(), z.union([z.array(z.string()), z.string(), z.number()])),
    format: z.enum(EXPORT_FORMATS),
    compression: z.enum(EXPORT_COMPRESSIONS),
    columns: z.array(z.string()),
    payloads: z.boolean(),
    timing: Timing,
    timingInWords: z.string().openapi({ example: 'every day at 02:00, Europe/Berlin' }),
    timeZone: z.string(),
    destination: DestinationView,
    objectName: z.string(),
    recipients: z.array(z.string()),
    state: z.enum(['active', 'paused', 'stopped', 'held', 'retrying']).openapi({
      description:
        '`stopped`: its owner may no longer export this. `held`: a gateway has not shipped its records of the window yet. `retrying`: the destination did not take the last run.',
    }),
    stateReason: z.string().nullable().openapi({ description: 'in words, with what to do' }),
    heldBy: z.array(z.string()).openapi({ description: 'gateways that hold it' }),
    closedTo: z.string().openapi({ description: 'everything before this is exported, or in a run that waits' }),
    nextRunAt: z.string().nullable(),
    lastRun: ExportRun.nullable(),
    createdAt: z.string(),
    changedAt: z.string(),
    mayChange: z.boolean().openapi({ description: 'what, where to and when; for this caller' }),
    mayPause: z.boolean(),
  })
  .openapi('ExportSchedule');
export type ExportSchedule = z.infer<typeof ExportSchedule>;

export const ExportScheduleList = z.object({ items: z.array(ExportSchedule) }).openapi('ExportScheduleList');
export type ExportScheduleList = z.infer<typeof ExportScheduleList>;

export const ExportScheduleId = z.strictObject({
  id: z.string().openapi({ param: { name: 'id', in: 'path' }, description: 'id of the schedule' }),
});

export const ExportTimingBody = z.strictObject({ timing: Timing, timeZone }).openapi('ExportTimingBody');
export const ExportTimingPreview = z
  .object({
    inWords: z.string(),
    next: z.array(z.string()).openapi({ description: 'the next five times, RFC 3339, UTC' }),
  })
  .openapi('ExportTimingPreview');
export type ExportTimingPreview = z.infer<typeof ExportTimingPreview>;

export const ExportReleaseBody = z
  .strictObject({ gateways: z.array(z.string().min(1).max(200)).min(1).max(100) })
  .openapi('ExportReleaseBody');

export const DestinationTestBody = z
  .strictObject({
    destination: ExportDestination,
    scheduleId: z
      .string()
      .max(100)
      .optional()
      .openapi({ description: 'whose credentials serve where none are given; same address only' }),
  })
  .openapi('DestinationTestBody');

export const DestinationTest = z
  .object({
    ok: z.boolean(),
    steps: z
      .array(
        z.object({
          step: z.enum(['address', 'write', 'read', 'remove']),
          state: z.enum(['ok', 'failed', 'skipped']),
          message: z.string(),
        })
      )
      .openapi({ description: 'a small object was really written, read back and removed' }),
  })
  .openapi('DestinationTest');
export type DestinationTest = z.infer<typeof DestinationTest>;

export const ExportOptions = z
  .object({
    may: z.object({ metadata: z.boolean(), payloads: z.boolean() }),
    columns: z.array(z.object({ name: z.string(), about: z.string() })),
    destinations: z
      .array(z.object({ name: z.string(), type: z.enum(['directory', 's3', 'https']), where: z.string() }))
      .openapi({ description: 'those of the configuration' }),
    privateAddresses: z.boolean().openapi({ description: 'whether addresses of a private network may be given here' }),
    signingKey: z.object({ keyId: z.string(), publicKeyPem: z.string() }).nullable().openapi({
      description: 'what signs manifests: for `gatelens export verify --public-key`',
    }),
  })
  .openapi('ExportOptions');
export type ExportOptions = z.infer<typeof ExportOptions>;
