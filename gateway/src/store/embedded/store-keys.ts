/**
 * Passwords and tokens of the embedded store: random, one set a data directory, made on first start and kept in
 * `keys/store.json`, readable by the owner alone. Read again on each start, so clients keep working.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { GatelensError } from '../../errors.ts';
import type { StoreSecrets } from './child-messages.ts';
import { STORE_USERS, type StoreUser } from './permissions.ts';

const secret = z.string().min(32);
const storeKeys = z.object({
  passwords: z.object(
    Object.fromEntries(STORE_USERS.map((user) => [user, secret])) as Record<StoreUser, typeof secret>
  ),
  metadataToken: secret,
  payloadsToken: secret,
});

function makeSecrets(): StoreSecrets {
  const random = (): string => randomBytes(32).toString('base64url');
  return {
    passwords: Object.fromEntries(STORE_USERS.map((user) => [user, random()])) as Record<StoreUser, string>,
    metadataToken: random(),
    payloadsToken: random(),
  };
}

/** @throws GatelensError `data_dir_unusable` */
export function loadStoreKeys(dataDir: string): StoreSecrets {
  const directory = join(dataDir, 'keys');
  const file = join(directory, 'store.json');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw unusable(file, cause);
    return writeStoreKeys(directory, file);
  }
  try {
    return storeKeys.parse(JSON.parse(text));
  } catch {
    // not the cause: it could quote the file
    throw new GatelensError(
      'data_dir_unusable',
      `${file} is damaged. Delete it: new passwords are made on the next start.`
    );
  }
}

function writeStoreKeys(directory: string, file: string): StoreSecrets {
  const secrets = makeSecrets();
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const draft = `${file}.${process.pid}`;
    writeFileSync(draft, `${JSON.stringify(secrets, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' });
    renameSync(draft, file);
  } catch (cause) {
    throw unusable(file, cause);
  }
  return secrets;
}

function unusable(file: string, cause: unknown): GatelensError {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
  return new GatelensError(
    'data_dir_unusable',
    `${file} cannot be used (${code}). Check owner and mode of the directory.`,
    {
      cause,
    }
  );
}
