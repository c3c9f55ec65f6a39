/**
 * Opens the store as its administrator, embedded or a server, and applies or plans the migrations. Loads the database
 * client and the engine, so it is imported only when it is needed.
 */
import { schemaTarget } from '../assembly/store.ts';
import type { GatelensConfig } from '../config.ts';
import type { Logger } from '../logger.ts';
import { createStoreClient, type StoreClientOptions } from '../store/client.ts';
import { startEmbeddedStore } from '../store/embedded/supervisor.ts';
import { migrate, planMigrations, wholeSchema, type MigrationStep } from '../store/migrations.ts';

/** A statement of a large store may take its time. */
const STATEMENT_TIMEOUT_MS = 10 * 60_000;

/** @returns the steps to do (`dryRun`) or done; done ones without their statements */
export async function migrateStore(
  config: GatelensConfig,
  { dryRun, offline, logger }: { readonly dryRun: boolean; readonly offline: boolean; readonly logger: Logger }
): Promise<readonly MigrationStep[]> {
  const users = config.store?.users;
  const wanted = { target: schemaTarget(config), ...(users === undefined ? {} : { users }) };
  if (offline) return wholeSchema(wanted);
  const { login, close } = await openStore(config, logger);
  const client = createStoreClient({ ...login, requestTimeoutMs: STATEMENT_TIMEOUT_MS });
  try {
    const options = { ...wanted, client, logger };
    if (dryRun) return await planMigrations(options);
    return (await migrate(options)).map((name) => ({ name, statements: [] }));
  } finally {
    await client.close();
    await close();
  }
}

async function openStore(
  config: GatelensConfig,
  logger: Logger
): Promise<{ login: StoreClientOptions; close: () => Promise<void> }> {
  const { store, dataDir, listen } = config;
  if (store !== undefined) {
    const { username, password = '' } = store.admin ?? store;
    return { login: { url: store.url, username, password }, close: () => Promise.resolve() };
  }
  const embedded = await startEmbeddedStore({ dataDir, logger, ports: { store: listen.store.port } });
  return { login: { url: embedded.url, ...embedded.credentials.gatelens_admin }, close: () => embedded.close() };
}
