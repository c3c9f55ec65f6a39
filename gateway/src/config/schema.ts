/**
 * The whole configuration as one schema. Sections live in the *-schema.ts files beside it; docs/configuration.md and
 * docs/gatelens.schema.json are generated from here. Contract: keys may be added, never renamed.
 */
import * as z from 'zod';
import { authSchema, httpSchema, limitsSchema, listenSchema, policySchema, rateLimitSchema } from './access-schema.ts';
import { auditApiSchema } from './audit-api-schema.ts';
import {
  auditSchema,
  captureSchema,
  encryptionSchema,
  propagationSchema,
  retentionSchema,
  spoolSchema,
} from './record-schema.ts';
import { exportsSchema } from './exports-schema.ts';
import { mcpServersSchema } from './servers-schema.ts';
import { metricsSchema, otlpSchema, storeSchema } from './store-schema.ts';
import { usageSchema } from './usage-schema.ts';
import { text } from './values.ts';

export const configSchema = z.strictObject({
  listen: listenSchema,
  dataDir: text({
    description: 'Spool, keys made on first start, embedded database. Relative to the configuration file.',
  }).default('./.gatelens'),
  mcpServers: mcpServersSchema,
  http: httpSchema,
  limits: limitsSchema,
  auth: authSchema,
  policy: policySchema,
  rateLimit: rateLimitSchema.exactOptional(),
  capture: captureSchema,
  audit: auditSchema,
  encryption: encryptionSchema.exactOptional(),
  spool: spoolSchema,
  propagation: propagationSchema,
  store: storeSchema.exactOptional(),
  otlp: otlpSchema,
  metrics: metricsSchema,
  auditApi: auditApiSchema,
  exports: exportsSchema,
  usage: usageSchema,
  retention: retentionSchema,
});

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

/** Checked and frozen. Durations are milliseconds, sizes bytes, addresses `{ host, port }`, `dataDir` absolute. */
export type GatelensConfig = DeepReadonly<z.output<typeof configSchema>>;
/** As written in YAML. */
export type ConfigInput = z.input<typeof configSchema>;
