/**
 * The settings of where records go: ClickHouse, an OpenTelemetry Collector, mirrors, our own metrics. Mirrors get
 * metadata only; no setting sends payloads anywhere but to `otlp.payloads`.
 */
import * as z from 'zod';
import { duration, httpUrl, name, secret, text } from './values.ts';

const userPassword = (whose: string) => secret({ description: `Password of ${whose}.` }, 16);

export const storeSchema = z
  .strictObject({
    url: httpUrl({ description: 'ClickHouse over HTTP.', example: 'http://127.0.0.1:8123' }),
    username: text({ description: 'User with the rights of `gatelens_api`.' }).default('gatelens_api'),
    password: secret({ description: 'Its password.', example: "'${CH_PASSWORD}'" }).exactOptional(),
    admin: z
      .strictObject({
        username: text({ description: 'User.' }),
        password: secret({ description: 'Its password.' }).exactOptional(),
      })
      .exactOptional()
      .meta({
        description: 'Login of `gatelens migrate`, which defines databases and tables. Omitted: `store.username`.',
      }),
    cluster: name({
      description: 'Cluster for replicated tables, as `remote_servers` of ClickHouse names it; omitted: one server.',
    }).exactOptional(),
    sharded: z.boolean().default(false).meta({
      description:
        'Spread the tables over the shards of `store.cluster`. To be decided before the first `gatelens migrate`.',
    }),
    storagePolicy: name({
      description: 'Storage policy of the tables, e.g. one that moves old parts to object storage.',
    }).exactOptional(),
    users: z
      .strictObject({
        gatelens_ingest: userPassword('the collector, for metadata'),
        gatelens_payload_ingest: userPassword('the collector, for sealed payloads'),
        gatelens_api: userPassword('the audit API'),
        grafana_reader: userPassword('the data source in Grafana'),
      })
      .exactOptional()
      .meta({
        description:
          'Users that `gatelens migrate` makes, with profiles, quotas and grants. Only where it runs; omitted: they are yours to make (`provisioning/clickhouse/users.sql`).',
      }),
  })
  .refine(({ sharded, cluster }) => !sharded || cluster !== undefined, {
    path: ['sharded'],
    message: 'needs `store.cluster`: the shards are those of a cluster',
  })
  .meta({
    description:
      'Your ClickHouse; it gets records from a collector, so `otlp` is needed, too. Omitted: the embedded one, on `listen.store`.',
  });

const endpoint = (about: string, port: number) =>
  z
    .strictObject({
      url: httpUrl({
        description: 'Base URL; `/v1/traces` or `/v1/logs` is added.',
        example: `http://127.0.0.1:${port}`,
      }),
      token: secret({ description: 'Bearer token.' }).exactOptional(),
    })
    .meta({ description: about });

const mirrorSchema = z.strictObject({
  name: name({ description: 'Name in logs and counters; omitted: `mirror-1`.' }).exactOptional(),
  url: httpUrl({ description: 'OTLP/HTTP base URL; `/v1/traces` is added.', example: 'https://otlp.example.com' }),
  headers: z
    .record(z.string(), z.string())
    .default({})
    .meta({ description: 'Headers, e.g. credentials. Never printed.', secret: true }),
  token: secret({ description: 'Bearer token, a shorter way to an `Authorization` header.' }).exactOptional(),
});

export const otlpSchema = z
  .strictObject({
    metadata: endpoint('Collector receiver for metadata.', 4318).exactOptional(),
    payloads: endpoint(
      'Collector receiver for sealed payloads; another receiver, another token.',
      4319
    ).exactOptional(),
    mirrors: z.array(mirrorSchema).default([]).meta({
      description:
        'Other backends that get sampled metadata spans, never payloads. Not part of the audit: a mirror may lose spans.',
    }),
  })
  .prefault({})
  .meta({
    description: 'OpenTelemetry Collector. Without `metadata` and `payloads`: the gateway writes to the store itself.',
  });

export const metricsSchema = z
  .strictObject({
    token: secret(
      { description: 'Bearer token that scrapers of `/metrics` must send; needed to listen wider than loopback.' },
      16
    ).exactOptional(),
    otlp: z
      .strictObject({
        url: httpUrl({ description: 'OTLP/HTTP base URL; `/v1/metrics` is added.' }),
        headers: z
          .record(z.string(), z.string())
          .default({})
          .meta({ description: 'Headers. Never printed.', secret: true }),
        interval: duration({ description: 'How often they are sent.' }, 1000).prefault('60s'),
      })
      .exactOptional()
      .meta({ description: 'Also send metrics by OTLP.' }),
  })
  .prefault({})
  .meta({ description: 'Metrics of Gatelens itself, for Prometheus on `listen.metrics` and by OTLP.' });

export type StoreConfig = z.output<typeof storeSchema>;
export type OtlpConfig = z.output<typeof otlpSchema>;
export type MirrorConfig = z.output<typeof mirrorSchema>;
