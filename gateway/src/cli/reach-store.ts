/**
 * Opens the store for a command that only reads: a server by `store.url`, the embedded one of a Gatelens that runs, or,
 * where none runs, the embedded one itself for as long as the command takes. Reads as `gatelens_api`; makes nothing.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { GatelensConfig } from '../config.ts';
import { GatelensError, isGatelensError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { createStoreClient, inStore, type StoreClientOptions } from '../store/client.ts';
import { publishedStoreAddress } from '../store/embedded/address-file.ts';
import { loadStoreKeys } from '../store/embedded/store-keys.ts';
import { startEmbeddedStore } from '../store/embedded/supervisor.ts';
import { createStoreReader } from '../store/queries/clickhouse-reader.ts';
import type { StoreReader } from '../store/queries/reader.ts';

/** Beyond what one statement may take in the database. */
const REQUEST_TIMEOUT_MS = 10 * 60_000;

export interface ReachedStore {
  readonly reader: StoreReader;
  /** how, in words */
  readonly about: string;
  close(): Promise<void>;
}

/** @throws GatelensError of the store or the data directory */
export async function reachStore(config: GatelensConfig, logger: Logger): Promise<ReachedStore> {
  const { store, dataDir } = config;
  if (store !== undefined) {
    const { url, username, password = '' } = store;
    return reached({ url, username, password, compression: true }, 'the store at store.url');
  }
  if (!existsSync(join(dataDir, 'keys', 'store.json'))) {
    throw new GatelensError(
      'data_dir_unusable',
      `There is no embedded store in ${dataDir}. Name the right directory with --data-dir or --config.`
    );
  }
  const login = { username: 'gatelens_api', password: loadStoreKeys(dataDir).passwords.gatelens_api };
  for (const url of runningAddresses(config)) {
    const running = reached({ url, ...login }, 'the embedded store of the running Gatelens');
    if (await answers(running.reader)) return running;
    await running.close();
  }
  const embedded = await startEmbeddedStore({ dataDir, logger }).catch((error: unknown) => {
    if (!isGatelensError(error, 'data_dir_locked')) throw error;
    throw new GatelensError(
      'data_dir_locked',
      `Another process has the embedded store in ${dataDir}, and it does not answer where it should. Wait until it has started or ended, or set listen.store to its address.`,
      { cause: error }
    );
  });
  const own = reached({ url: embedded.url, ...login }, 'the embedded store, which was not running');
  return {
    ...own,
    close: async () => {
      await own.close();
      await embedded.close();
    },
  };
}

function reached(login: StoreClientOptions, about: string): ReachedStore {
  const client = createStoreClient({ ...login, requestTimeoutMs: REQUEST_TIMEOUT_MS, maxConnections: 2 });
  const direct = createStoreReader(client);
  return {
    // the one place where a command meets an error of the database
    reader: {
      query: (sql, params, options) => inStore(() => direct.query(sql, params, options), options?.signal),
    },
    about,
    close: () => client.close(),
  };
}

function runningAddresses({ dataDir, listen }: GatelensConfig): string[] {
  const published = publishedStoreAddress(dataDir);
  const configured = listen.store.port === 0 ? [] : [`http://127.0.0.1:${listen.store.port}`];
  return published === undefined || configured.includes(published) ? configured : [published, ...configured];
}

async function answers(reader: StoreReader): Promise<boolean> {
  try {
    await reader.query('SELECT 1 FROM system.one', {}, { signal: AbortSignal.timeout(5000) });
    return true;
  } catch {
    return false;
  }
}
