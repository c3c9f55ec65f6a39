/**
 * An embedded store for the tests of one file: real engine, real process, a directory of its own, any free ports.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClickHouseClient } from '@clickhouse/client';
import { silentLogger } from '../../src/logger.ts';
import { createStoreClient } from '../../src/store/client.ts';
import type { StoreUser } from '../../src/store/embedded/permissions.ts';
import {
  type EmbeddedStore,
  type EmbeddedStoreOptions,
  startEmbeddedStore,
} from '../../src/store/embedded/supervisor.ts';
import type { SchemaTarget } from '../../src/store/migration-files.ts';
import { migrate } from '../../src/store/migrations.ts';

const DAY_MS = 86_400_000;

export const EMBEDDED: SchemaTarget = {
  embedded: true,
  retentionMs: {
    metadata: 400 * DAY_MS,
    payloads: 90 * DAY_MS,
    accessLog: 2555 * DAY_MS,
    traces: 3 * DAY_MS,
    usage: 1096 * DAY_MS,
  },
};

export interface TestStore {
  readonly store: EmbeddedStore;
  readonly dataDir: string;
  /** one client a user, closed at the end */
  client(user: StoreUser): ClickHouseClient;
  rows<Row>(query: string, user?: StoreUser): Promise<Row[]>;
  stop(): Promise<void>;
}

export function newDataDir(): string {
  return mkdtempSync(join(tmpdir(), 'gatelens-store-'));
}

export async function startTestStore(
  options: Partial<EmbeddedStoreOptions> & { readonly migrated?: boolean } = {}
): Promise<TestStore> {
  const dataDir = options.dataDir ?? newDataDir();
  const store = await startEmbeddedStore({ logger: silentLogger, ...options, dataDir });
  const clients = new Map<StoreUser, ClickHouseClient>();
  const client = (user: StoreUser): ClickHouseClient => {
    const known = clients.get(user) ?? createStoreClient({ url: store.url, ...store.credentials[user] });
    clients.set(user, known);
    return known;
  };
  if (options.migrated === true) {
    await migrate({ client: client('gatelens_admin'), target: EMBEDDED, logger: silentLogger });
  }
  return {
    store,
    dataDir,
    client,
    async rows<Row>(query: string, user: StoreUser = 'gatelens_admin') {
      return (await client(user).query({ query, format: 'JSONEachRow' })).json<Row>();
    },
    async stop() {
      await Promise.all([...clients.values()].map((one) => one.close()));
      await store.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
