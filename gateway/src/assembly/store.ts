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
import { createStoreStreams, type StoreStreams } from '../store/queries/row-stream.ts';

export interface OtlpDestination {
  readonly url: string;
  readonly token: string;
}

export interface Store {
  /** base URL of its ClickHouse HTTP */
  readonly url: string;
  readonly reader: StoreReader;
  /** the same store, for what takes long */
  readonly exports: { readonly store: StoreReader; readonly streams: StoreStreams };
  readonly metadata: OtlpDestination;
  readonly payloads: OtlpDestination;
  close(): Promise<void>;
}

/** An export is read as fast as whoever takes it away. */
const EXPORT_TIMEOUT_MS = 10 * 60_000;

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
  const login = { url: embedded.url, ...embedded.credentials.gatelens_api };
  const client = createStoreClient(login);
  const slowClient = createStoreClient({ ...login, requestTimeoutMs: EXPORT_TIMEOUT_MS });
  const withdraw = publishStoreAddress(config.dataDir, embedded.url);
  return {
    url: embedded.url,
    reader: createStoreReader(client),
    exports: { store: createStoreReader(slowClient), streams: createStoreStreams(slowClient) },
    metadata: metadata ?? embedded.otlp.metadata,
    payloads: payloads ?? embedded.otlp.payloads,
    close: async () => {
      withdraw();
      await Promise.all([client.close(), slowClient.close()]);
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
  const login = { url: store.url, username: store.username, password: store.password ?? '', compression: true };
  const client = createStoreClient(login);
  const slowClient = createStoreClient({ ...login, requestTimeoutMs: EXPORT_TIMEOUT_MS });
  return Promise.resolve({
    url: store.url,
    reader: createStoreReader(client),
    exports: { store: createStoreReader(slowClient), streams: createStoreStreams(slowClient) },
    metadata,
    payloads,
    close: () => Promise.all([client.close(), slowClient.close()]).then(() => undefined),
  });
}

function destinations(config: GatelensConfig): { metadata?: OtlpDestination; payloads?: OtlpDestination } {
  const { metadata, payloads } = config.otlp;
  return {
    ...(metadata === undefined ? {} : { metadata: { url: metadata.url, token: metadata.token ?? '' } }),
    ...(payloads === undefined ? {} : { payloads: { url: payloads.url, token: payloads.token ?? '' } }),
  };
}
