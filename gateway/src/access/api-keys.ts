/**
 * Knows API keys by their SHA-256: those of the configuration and those that `gatelens api-keys create` put into the
 * data directory. The file is read again when it changes, so creating and revoking need no restart. Never sees a key
 * but to hash it; a file that cannot be understood makes its keys unknown, not everybody known.
 */
import { timingSafeEqual } from 'node:crypto';
import type { Logger } from '../logger.ts';
import { isInForce, type StoredCredential } from './credential-file.ts';
import { createCredentialSource } from './credential-source.ts';
import { API_KEY_PREFIX, hashSecret, LONGEST_SECRET_CHARACTERS } from './secrets.ts';

export interface KnownKey {
  readonly name: string;
  readonly user?: string;
  readonly teams: readonly string[];
}

export type KeyLookup =
  | { readonly ok: true; readonly key: KnownKey }
  | { readonly ok: false; readonly reason: 'api_key_unknown' | 'api_key_expired' | 'api_key_revoked' };

export interface ApiKeys {
  find(presented: string): KeyLookup;
  /** how many keys are in force */
  count(): number;
}

/** An entry of `auth.apiKeys`. */
export interface ConfiguredKey extends KnownKey {
  readonly sha256: string;
  /** ISO 8601 */
  readonly expires?: string;
}

export interface ApiKeysOptions {
  readonly configured: readonly ConfiguredKey[];
  /** `<dataDir>/keys/api-keys.json` */
  readonly file: string;
  readonly logger: Logger;
  readonly now?: () => number;
}

/** How long a change of the file, a revocation above all, may go unnoticed. */
const LOOK_AGAIN_MS = 1000;

export function apiKeyFile(dataDir: string): string {
  return `${dataDir}/keys/api-keys.json`;
}

export function createApiKeys(options: ApiKeysOptions): ApiKeys {
  const now = options.now ?? Date.now;
  const configured = options.configured.map((key): StoredCredential => {
    const expires = key.expires === undefined ? {} : { expires: new Date(key.expires).toISOString() };
    return { ...key, teams: [...key.teams], createdAt: new Date(0).toISOString(), ...expires };
  });
  const source = createCredentialSource(options.file, options.logger);
  let byHash = new Map<string, StoredCredential>();
  let from: readonly StoredCredential[] | undefined;
  let lookedAt = Number.NEGATIVE_INFINITY;

  const load = (): void => {
    lookedAt = now();
    const stored = source.list();
    if (stored === from) return;
    from = stored;
    byHash = new Map([...stored, ...configured].map((key) => [key.sha256, key]));
  };
  load();

  return {
    find(presented) {
      if (!presented.startsWith(API_KEY_PREFIX) || presented.length > LONGEST_SECRET_CHARACTERS) {
        return { ok: false, reason: 'api_key_unknown' };
      }
      if (now() - lookedAt >= LOOK_AGAIN_MS) load();
      const hash = hashSecret(presented);
      let found = byHash.get(hash);
      if (found === undefined) {
        load();
        found = byHash.get(hash);
      }
      if (found === undefined || !timingSafeEqual(Buffer.from(found.sha256), Buffer.from(hash))) {
        return { ok: false, reason: 'api_key_unknown' };
      }
      if (found.revokedAt !== undefined) return { ok: false, reason: 'api_key_revoked' };
      if (!isInForce(found, now())) return { ok: false, reason: 'api_key_expired' };
      return {
        ok: true,
        key: { name: found.name, teams: found.teams ?? [], ...(found.user === undefined ? {} : { user: found.user }) },
      };
    },
    count() {
      load();
      return [...byHash.values()].filter((key) => isInForce(key, now())).length;
    },
  };
}
