/**
 * Keyed hashes that stand for people, sessions, ids and plaintexts in metadata. HMAC-SHA-256 under one subkey a
 * purpose (HKDF of one 32-byte secret), so equal inputs of two purposes have nothing in common and nobody without the
 * secret can try out guesses. Knows no principals and keeps no list of who is who.
 */
import { createHmac, createSecretKey, hkdfSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { GatelensError } from '../errors.ts';
import { LruCache } from './lru-cache.ts';
import type { Pseudonyms } from './seams.ts';

type Purpose = Parameters<Pseudonyms['hash']>[0];

export const PSEUDONYM_SECRET_BYTES = 32;
const HEX_CHARACTERS = 32;
const CACHE_ENTRIES = 4096;
/** Longer values are hashed each time, so that the cache stays small. */
const CACHED_VALUE_CHARACTERS = 512;

/** @param secret 32 bytes; losing it means that new hashes no longer match the old ones */
export function createPseudonyms(secret: Uint8Array): Pseudonyms {
  if (secret.byteLength !== PSEUDONYM_SECRET_BYTES) {
    throw new GatelensError(
      'config_invalid',
      `The pseudonym key must have ${PSEUDONYM_SECRET_BYTES} bytes, this one has ${secret.byteLength}. Make one with: openssl rand -base64 32`
    );
  }
  const keys: Record<Purpose, KeyObject> = {
    user: subkey(secret, 'user'),
    session: subkey(secret, 'session'),
    rpc_id: subkey(secret, 'rpc_id'),
    plaintext: subkey(secret, 'plaintext'),
  };
  // The same few users and sessions come with every call.
  const caches: Partial<Record<Purpose, LruCache<string, string>>> = {
    user: new LruCache(CACHE_ENTRIES),
    session: new LruCache(CACHE_ENTRIES),
  };

  const compute = (purpose: Purpose, value: string | Uint8Array): string =>
    createHmac('sha256', keys[purpose]).update(value).digest('hex').slice(0, HEX_CHARACTERS);

  return {
    hash(purpose, value) {
      const cache = caches[purpose];
      if (cache === undefined || typeof value !== 'string' || value.length > CACHED_VALUE_CHARACTERS) {
        return compute(purpose, value);
      }
      let hash = cache.get(value);
      if (hash === undefined) {
        hash = compute(purpose, value);
        cache.set(value, hash);
      }
      return hash;
    },
  };
}

function subkey(secret: Uint8Array, purpose: Purpose): KeyObject {
  const derived = hkdfSync('sha256', secret, new Uint8Array(0), `gatelens pseudonym v1 ${purpose}`, 32);
  return createSecretKey(new Uint8Array(derived));
}
