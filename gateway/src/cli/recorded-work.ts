/**
 * What `gatelens erase` and `gatelens hold` share: the audit API's own chain and spool, and the store, both opened for the
 * time of one piece of work that is recorded before it is done. Only one process may write those records, so it is refused
 * while Gatelens runs. Decides nothing.
 */
import type { ClickHouseClient } from '@clickhouse/client';
import { isEmail, normalizeEmail, principalOfKey } from '../access/identity.ts';
import { openRecorder } from '../assembly/recorder.ts';
import { openStore } from '../assembly/store.ts';
import type { GatelensConfig } from '../config.ts';
import { GatelensError, isGatelensError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { loadKeyring } from '../protection/keyring.ts';
import { createPseudonyms } from '../protection/pseudonyms.ts';
import { createStoreClient } from '../store/client.ts';
import { loadStoreKeys } from '../store/embedded/store-keys.ts';
import { createAccessRecorder, type AccessRecord } from '../telemetry/access-recorder.ts';

const STATEMENT_TIMEOUT_MS = 10 * 60_000;
const FLUSH_MS = 30_000;

export interface StoreLogin {
  readonly username: string;
  readonly password: string;
}

export interface RecordedWorkOptions {
  readonly config: GatelensConfig;
  readonly logger: Logger;
  readonly version: string;
  /** on a server; the embedded store's own passwords are used there. Omitted: the user of `store` */
  readonly login?: StoreLogin;
  /** the embedded store's user */
  readonly embeddedUser: 'gatelens_api' | 'gatelens_admin';
}

export interface WorkParts {
  readonly client: ClickHouseClient;
  /** key of a person in the log, from the e-mail or `key:<name>` */
  readonly userKeyOf: (user: string) => string;
  /** Resolves when it is on disk; nothing may be done before. @throws GatelensError `audit_unavailable` */
  readonly record: (access: Pick<AccessRecord, 'action' | 'decision'> & Partial<AccessRecord>) => Promise<void>;
}

/** @throws GatelensError `data_dir_locked` while Gatelens runs on the data directory */
export async function recordedWork<T>(
  { config, logger, version, login, embeddedUser }: RecordedWorkOptions,
  work: (parts: WorkParts) => Promise<T>
): Promise<T> {
  const { encryption, dataDir } = config;
  const keyring = loadKeyring({ dataDir, ...(encryption === undefined ? {} : { encryption }) });
  const pseudonyms = createPseudonyms(keyring.pseudonymSecret);
  const recorder = await openRecorder({ component: 'audit-api', config, keyring, logger, version }).catch(lockedAdvice);
  const recorded = { any: false };
  try {
    const store = await openStore(config, logger).catch(lockedAdvice);
    const credentials = config.store === undefined ? embeddedLogin(dataDir, embeddedUser) : login;
    const { username, password = '' } = credentials ?? config.store ?? { username: '' };
    const client = createStoreClient({ url: store.url, username, password, requestTimeoutMs: STATEMENT_TIMEOUT_MS });
    const access = createAccessRecorder({ telemetry: recorder.telemetry, logger });
    try {
      const done = await work({
        client,
        userKeyOf: (user) => pseudonyms.hash('user', subjectOf(user)),
        record: async (entry) => {
          if (!recorded.any) recorder.ship(store.metadata, store.payloads);
          recorded.any = true;
          await access.record({ actorKey: '', actorKind: 'none', roles: [], ...entry });
        },
      });
      return done;
    } finally {
      if (recorded.any) await recorder.spool.flush(FLUSH_MS);
      await client.close();
      await store.close();
    }
  } finally {
    await recorder.close(recorded.any ? 1 : 0);
  }
}

/** As the gateway makes it of what a key or token says. */
function subjectOf(user: string): string {
  if (isEmail(user)) return normalizeEmail(user);
  return user.startsWith('key:') ? user : principalOfKey('', user).subject;
}

function embeddedLogin(dataDir: string, username: RecordedWorkOptions['embeddedUser']): StoreLogin {
  return { username, password: loadStoreKeys(dataDir).passwords[username] };
}

function lockedAdvice(error: unknown): never {
  if (!isGatelensError(error, 'data_dir_locked')) throw error;
  throw new GatelensError(
    'data_dir_locked',
    'Gatelens runs on this data directory. Stop it (or the audit API, where that is apart), run this again, and start it: only one process may write its records.',
    { cause: error }
  );
}
