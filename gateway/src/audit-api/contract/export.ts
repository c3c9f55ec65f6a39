/**
 * Exports as JSON: what is asked for, what it will be, what became of it, and the manifest that lies beside the data.
 * Part of the contract. Says nothing of schedules; they are in export-schedule.ts.
 */
import { z } from '@hono/zod-openapi';
import { EXPORT_COLUMNS, isExportColumn } from '../../exports/columns.ts';
import { EXPORT_COMPRESSIONS, EXPORT_FORMATS } from '../../exports/formats.ts';
import { User } from './call.ts';
import { CallFilters, exportFilterParams, exportRangeParams } from './filters.ts';
import { nextCursor } from './params.ts';

const columnName = z
  .string()
  .refine(isExportColumn, 'no such column; /api/v1/exports/options lists them')
  .openapi({ description: 'name of a column, as in docs/record.md', example: 'started_at' });

export const exportShape = {
  format: z.enum(EXPORT_FORMATS, `use one of ${EXPORT_FORMATS.join(', ')}`).default('jsonl'),
  compression: z
    .enum(EXPORT_COMPRESSIONS, `use one of ${EXPORT_COMPRESSIONS.join(', ')}`)
    .default('none')
    .openapi({ description: 'of the whole file; Parquet compresses by itself, so `none` only' }),
  columns: z
    .array(columnName)
    .min(1, 'name a column, or leave it out for all')
    .max(EXPORT_COLUMNS.length, 'names a column twice')
    .optional()
    .openapi({ description: 'all by default; always in the order of /exports/options' }),
  payloads: z.boolean('use true or false').default(false).openapi({
    description:
      'with requests and responses, opened; auditors only, of their servers. JSONL: objects `request` and `response`; CSV: columns of them; not as Parquet.',
  }),
};

export const ExportBody = z
  .strictObject({ ...exportRangeParams, filters: CallFilters.default({}), ...exportShape })
  .openapi('ExportBody');

export const ExportStreamQuery = z.strictObject({
  ...exportRangeParams,
  ...exportFilterParams,
  format: exportShape.format,
  compression: exportShape.compression,
  columns: z
    .string()
    .max(4000, 'names a column twice')
    .optional()
    .transform((text) => text?.split(',').map((name) => name.trim()))
    .pipe(exportShape.columns)
    .openapi({ type: 'string', description: 'names with commas between; all by default' }),
  payloads: z.enum(['true', 'false'], 'use true or false, once').optional().openapi({
    description: '`true`: with requests and responses, opened; auditors only',
  }),
  after: z
    .string('give it once')
    .max(120)
    .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z~[0-9A-Za-z_-]{0,64}$/, 'use <started_at>~<call_id> of a row')
    .optional()
    .openapi({
      description:
        'to go on where a file of JSONL broke off: `<started_at>~<call_id>` of its last whole row; the other parameters stay the same. The manifest is of the rest alone.',
    }),
  have: z
    .string('give it once')
    .regex(/^\d{1,15}~[0-9a-f]{64}$/, 'use <bytes>~<SHA-256 of these bytes, hex>')
    .optional()
    .openapi({
      description:
        'to go on where a file of any kind broke off: how many bytes are there, and their SHA-256. They are made again and not sent, and the manifest is of the whole file; 409 when the file would begin otherwise by now. The other parameters stay the same, `from` and `to` as fixed times.',
    }),
});

const bytes = (about: string) => z.number().openapi({ description: about });

export const ExportEstimate = z
  .object({
    from: z.string().openapi({ description: 'RFC 3339; put it and `to` into the export, so that both mean the same' }),
    to: z.string(),
    rows: z.number(),
    bytes: bytes('about how long the file will be before compression, payloads included'),
    payloadBytes: z.number().nullable().openapi({ description: 'of payloads alone; null without them' }),
    payloadRows: z.number().nullable().openapi({ description: 'rows whose payload this caller can open' }),
    warnings: z.array(z.string()).openapi({ description: 'what to know before it is started, a sentence each' }),
  })
  .openapi('ExportEstimate');
export type ExportEstimate = z.infer<typeof ExportEstimate>;

export const ExportTicket = z
  .object({
    url: z.string().openapi({
      description: 'path to get with the same credentials; works once, for a minute, and for nobody else',
    }),
    fileName: z.string(),
    expiresAt: z.string(),
    runId: z.string(),
  })
  .openapi('ExportTicket');
export type ExportTicket = z.infer<typeof ExportTicket>;

const RUN_STATES = [
  /** not begun: a download that was not fetched yet, or a run that waits for its turn */
  'pending',
  'running',
  'done',
  /** will be tried again at `nextAttemptAt` */
  'retrying',
  'failed',
  'cancelled',
] as const;

const Filters = z
  .record(z.string(), z.union([z.array(z.string()), z.string(), z.number()]))
  .openapi({ description: 'as they were asked for; people by user key' });

export const ExportRun = z
  .object({
    id: z.string(),
    kind: z.enum(['download', 'stream', 'scheduled']),
    scheduleId: z.string().nullable(),
    scheduleName: z.string().nullable(),
    state: z.enum(RUN_STATES),
    by: z.object({ name: z.string(), user: User.nullable() }).openapi({ description: 'who made it or its schedule' }),
    from: z.string(),
    to: z.string(),
    filters: Filters,
    format: z.enum(EXPORT_FORMATS),
    compression: z.enum(EXPORT_COMPRESSIONS),
    columns: z.array(z.string()),
    payloads: z.boolean(),
    supplement: z
      .number()
      .nullable()
      .openapi({ description: 'number of the file of late rows; null: the window itself, or no schedule' }),
    expectedRows: z.number().nullable(),
    rows: z.number().openapi({ description: 'so far, or all' }),
    bytes: z.number().openapi({ description: 'written so far, or all' }),
    startedAt: z.string().nullable(),
    endedAt: z.string().nullable(),
    attempts: z.number(),
    nextAttemptAt: z.string().nullable(),
    problem: z.string().nullable().openapi({ description: 'why it failed, and what to do; null otherwise' }),
    objects: z
      .array(z.object({ name: z.string(), rows: z.number(), bytes: z.number(), sha256: z.string() }))
      .openapi({ description: 'files at the destination' }),
    manifestName: z.string().nullable().openapi({ description: 'name of the manifest beside them; null: none yet' }),
  })
  .openapi('ExportRun');
export type ExportRun = z.infer<typeof ExportRun>;

export const ExportRunPage = z
  .object({ items: z.array(ExportRun).openapi({ description: 'newest first' }), nextCursor })
  .openapi('ExportRunPage');
export type ExportRunPage = z.infer<typeof ExportRunPage>;

export const ExportRunId = z.strictObject({
  id: z.string().openapi({ param: { name: 'id', in: 'path' }, description: 'id of the run' }),
});

export const ExportTicketParam = z.strictObject({
  ticket: z
    .string()
    .regex(/^[A-Za-z0-9_-]{43}$/, 'use `url` of the answer of POST /exports/downloads')
    .openapi({ param: { name: 'ticket', in: 'path' }, description: 'of `url`' }),
});

export const ExportManifest = z
  .object({
    version: z.literal(1),
    producer: z.string(),
    schedule: z.object({ id: z.string(), name: z.string() }).nullable(),
    window: z.object({ from: z.string(), to: z.string() }).openapi({ description: '[from, to)' }),
    previous: z
      .string()
      .nullable()
      .openapi({ description: '`signature.value` of the manifest of the window before; null: the first' }),
    supplement: z.number().nullable(),
    filters: Filters,
    columns: z.array(z.string()),
    format: z.enum(EXPORT_FORMATS),
    compression: z.enum(EXPORT_COMPRESSIONS),
    encryption: z.enum(['none', 'age']),
    recipients: z.array(z.string()),
    payloads: z.boolean(),
    rows: z.number(),
    bytes: z.number(),
    parts: z.array(z.object({ name: z.string(), rows: z.number(), bytes: z.number(), sha256: z.string() })),
    chains: z
      .array(z.object({ chainId: z.string(), rows: z.number(), firstSeq: z.string(), lastSeq: z.string() }))
      .openapi({ description: 'where the rows stand in the hash chains: for `gatelens verify`' }),
    createdAt: z.string(),
    signature: z.object({
      algorithm: z.literal('Ed25519'),
      keyId: z.string(),
      value: z
        .string()
        .openapi({ description: 'base64, over the canonical JSON of the manifest without `signature.value`' }),
    }),
  })
  .openapi('ExportManifest');
export type ExportManifest = z.infer<typeof ExportManifest>;
