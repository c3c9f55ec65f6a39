/**
 * Which ClickHouse there is: the embedded one, started here with its OTLP receivers and its schema applied, or yours by
 * `store.url`. Gives the rest of the program clients and destinations; decides nothing about data.
 */
import type { GatelensConfig } from '../config.ts';
import { GatelensError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { createStoreClient } from '../store/client.ts';
import { publishStoreAddress } from '../store/embedded/address-file.ts';
import { startEmbeddedStore } from '../store/embedded/supervisor.ts';
import type { SchemaTarget } from '../store/migration-files.ts';
import { migrate } from '../store/migrations.ts';
import { createStoreReader } from '../store/queries/clickhouse-reader.ts';
import type { StoreReader } from '../store/queries/reader.ts';

export interface OtlpDestination {
  readonly url: string;
  readonly token: string;
}

export interface Store {
  /** base URL of its ClickHouse HTTP */
  readonly url: string;
  readonly reader: StoreReader;
  readonly metadata: OtlpDestination;
  readonly payloads: OtlpDestination;
  close(): Promise<void>;
}

export function schemaTarget(config: GatelensConfig): SchemaTarget {
  const { store, retention } = config;
  return {
    retentionMs: retention,
    embedded: store === undefined,
    ...(store?.cluster === undefined ? {} : { cluster: store.cluster, sharded: store.sharded }),
    ...(store?.storagePolicy === undefined ? {} : { storagePolicy: store.storagePolicy }),
  };
}

/** @throws GatelensError of the store, `config_invalid` when there is a store but no collector to write to it */
export async function openStore(config: GatelensConfig, logger: Logger): Promise<Store> {
  return config.store === undefined ? openEmbedded(config, logger) : openServer(config, config.store);
}

async function openEmbedded(config: GatelensConfig, logger: Logger): Promise<Store> {
  const embedded = await startEmbeddedStore({
    dataDir: config.dataDir,
    logger,
    ports: { store: config.listen.store.port },
  });
  const { metadata, payloads } = destinations(config);
  try {
    const admin = createStoreClient({ url: embedded.url, ...embedded.credentials.gatelens_admin });
    try {
      await migrate({ client: admin, target: schemaTarget(config), logger });
    } finally {
      await admin.close();
    }
  } catch (error) {
    await embedded.close();
    throw error;
  }
  const client = createStoreClient({ url: embedded.url, ...embedded.credentials.gatelens_api });
  const withdraw = publishStoreAddress(config.dataDir, embedded.url);
  return {
    url: embedded.url,
    reader: createStoreReader(client),
    metadata: metadata ?? embedded.otlp.metadata,
    payloads: payloads ?? embedded.otlp.payloads,
    close: async () => {
      withdraw();
      await client.close();
      await embedded.close();
    },
  };
}

function openServer(config: GatelensConfig, store: NonNullable<GatelensConfig['store']>): Promise<Store> {
  const { metadata, payloads } = destinations(config);
  if (metadata === undefined || payloads === undefined) {
    throw new GatelensError(
      'config_invalid',
      'With store.url, records reach your ClickHouse through an OpenTelemetry Collector. Set otlp.metadata and otlp.payloads.'
    );
  }
  const client = createStoreClient({
    url: store.url,
    username: store.username,
    password: store.password ?? '',
    compression: true,
  });
  return Promise.resolve({
    url: store.url,
    reader: createStoreReader(client),
    metadata,
    payloads,
    close: () => client.close(),
  });
}

function destinations(config: GatelensConfig): { metadata?: OtlpDestination; payloads?: OtlpDestination } {
  const { metadata, payloads } = config.otlp;
  return {
    ...(metadata === undefined ? {} : { metadata: { url: metadata.url, token: metadata.token ?? '' } }),
    ...(payloads === undefined ? {} : { payloads: { url: payloads.url, token: payloads.token ?? '' } }),
  };
}
