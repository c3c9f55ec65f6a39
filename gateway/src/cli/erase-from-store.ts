/**
 * The work of `gatelens erase`: finds the person's key, records the erasure in the audit API's chain, destroys, looks
 * again. Loads the store and the engine, so it is imported only when it is needed.
 */
import { isEmail, normalizeEmail, principalOfKey } from '../access/identity.ts';
import { openRecorder } from '../assembly/recorder.ts';
import { openStore, schemaTarget } from '../assembly/store.ts';
import type { GatelensConfig } from '../config.ts';
import { GatelensError, isGatelensError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { loadKeyring } from '../protection/keyring.ts';
import { createPseudonyms } from '../protection/pseudonyms.ts';
import { createStoreClient } from '../store/client.ts';
import { loadStoreKeys } from '../store/embedded/store-keys.ts';
import { eraseSubject, knownSubject, type KnownSubject } from '../store/erase-subject.ts';
import { createAccessRecorder } from '../telemetry/access-recorder.ts';

const STATEMENT_TIMEOUT_MS = 10 * 60_000;
const FLUSH_MS = 30_000;

export interface Erased {
  readonly before: KnownSubject;
  readonly after: KnownSubject;
}

export async function eraseFromStore(options: {
  readonly config: GatelensConfig;
  readonly user: string;
  readonly dryRun: boolean;
  readonly logger: Logger;
  readonly version: string;
}): Promise<Erased> {
  const { config, user, logger, version } = options;
  const { encryption, dataDir } = config;
  const keyring = loadKeyring({ dataDir, ...(encryption === undefined ? {} : { encryption }) });
  const userKey = createPseudonyms(keyring.pseudonymSecret).hash('user', subjectOf(user));
  const recorder = await openRecorder({ component: 'audit-api', config, keyring, logger, version }).catch(lockedAdvice);
  let flushMs = 0;
  try {
    const store = await openStore(config, logger).catch(lockedAdvice);
    const client = createStoreClient({ url: store.url, ...loginOf(config), requestTimeoutMs: STATEMENT_TIMEOUT_MS });
    try {
      const before = await knownSubject(client, userKey);
      if (options.dryRun || (before.keys === 0 && !before.named)) return { before, after: before };
      recorder.ship(store.metadata, store.payloads);
      flushMs = FLUSH_MS;
      await createAccessRecorder({ telemetry: recorder.telemetry, logger }).record({
        action: 'subject.erase',
        decision: 'allowed',
        actorKey: '',
        actorKind: 'none',
        roles: [],
        targetUserKey: userKey,
        detail: { by: 'command', keys: before.keys, payloads: before.payloads },
      });
      await eraseSubject(client, userKey, schemaTarget(config));
      const after = await knownSubject(client, userKey);
      await recorder.spool.flush(FLUSH_MS);
      return { before, after };
    } finally {
      await client.close();
      await store.close();
    }
  } finally {
    await recorder.close(flushMs === 0 ? 0 : 1);
  }
}

/** As the gateway makes it of what a key or token says. */
function subjectOf(user: string): string {
  if (isEmail(user)) return normalizeEmail(user);
  return user.startsWith('key:') ? user : principalOfKey('', user).subject;
}

function loginOf({ store, dataDir }: GatelensConfig): { username: string; password: string } {
  if (store !== undefined) return { username: store.username, password: store.password ?? '' };
  return { username: 'gatelens_api', password: loadStoreKeys(dataDir).passwords.gatelens_api };
}

function lockedAdvice(error: unknown): never {
  if (!isGatelensError(error, 'data_dir_locked')) throw error;
  throw new GatelensError(
    'data_dir_locked',
    'Gatelens runs on this data directory. Stop it (or the audit API, where that is apart), erase, and start it again: only one process may write its records.',
    { cause: error }
  );
}
