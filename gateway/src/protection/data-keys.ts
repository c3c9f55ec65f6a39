/**
 * The data keys of a running gateway: one per subject and hour at most (never for two months, nor for two starts of the
 * process), made on first use, wrapped at once to the active public key. Nobody can tell a gateway that a key was
 * destroyed (it reads no store), so none is used for longer than an hour: what is sealed after that can be opened again.
 * The plain key lives in memory only, for as long as the cache holds it, so neither a stolen disk nor the gateway's own
 * files open anything. It cannot unwrap.
 */
import { createSecretKey, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { createDataKeyWrapper, DATA_KEY_BYTES } from './data-key-wrapping.ts';
import type { WrapDataKey } from './data-key-wrapping.ts';
import { LruCache } from './lru-cache.ts';
import type { WrappedDataKey } from './seams.ts';

export interface DataKey {
  readonly key: KeyObject;
  readonly wrapped: WrappedDataKey;
}

export interface DataKeys {
  /** The key for a subject now; a promise when it has to be made first. Counts as one use of it. */
  current(subject: string): DataKey | Promise<DataKey>;
  /** True on the first use of a key, when its wrapped form must go with the payload. Call it when the payload is sealed. */
  isFirstUse(key: DataKey): boolean;
}

export interface DataKeysOptions {
  /** chain id of this gateway */
  readonly gateway: string;
  readonly kekId: string;
  /** raw X25519 public key, 32 bytes */
  readonly publicKey: Uint8Array;
  /** milliseconds since 1970 */
  readonly now?: () => number;
  /** subjects whose key is kept at hand */
  readonly capacity?: number;
  /** uses of one key; far below 2^32, where random nonces become a risk (NIST SP 800-38D, 8.3) */
  readonly usesPerKey?: number;
  /** how long one key is used at most; default an hour */
  readonly maxAgeMs?: number;
  readonly wrap?: WrapDataKey;
}

interface Held {
  readonly dataKey: DataKey;
  readonly madeAtMs: number;
  uses: number;
}

const CAPACITY = 10_000;
const USES_PER_KEY = 2 ** 24;
const MAX_AGE_MS = 3_600_000;

export function createDataKeys(options: DataKeysOptions): DataKeys {
  const now = options.now ?? Date.now;
  const maxAgeMs = options.maxAgeMs ?? MAX_AGE_MS;
  const usesPerKey = options.usesPerKey ?? USES_PER_KEY;
  const wrap = options.wrap ?? createDataKeyWrapper(options.publicKey);
  const held = new LruCache<string, Held>(options.capacity ?? CAPACITY);
  const making = new Map<string, Promise<Held>>();
  const unused = new Set<string>();
  const month = createMonthClock();

  const make = async (subject: string, epoch: string, madeAtMs: number): Promise<Held> => {
    const plain = randomBytes(DATA_KEY_BYTES);
    try {
      const keyId = randomBytes(16).toString('base64url');
      const binding = { keyId, subject, gateway: options.gateway, epoch, kekId: options.kekId };
      const key = createSecretKey(plain);
      const wrapped = await wrap(plain, binding);
      unused.add(keyId);
      return { dataKey: { key, wrapped: { ...binding, wrapped } }, madeAtMs, uses: 0 };
    } finally {
      plain.fill(0);
    }
  };

  const makeOnce = (subject: string, epoch: string, nowMs: number): Promise<Held> => {
    const slot = `${epoch}|${subject}`;
    let made = making.get(slot);
    if (made === undefined) {
      made = make(subject, epoch, nowMs)
        .then((one) => {
          held.set(subject, one);
          return one;
        })
        .finally(() => making.delete(slot));
      making.set(slot, made);
    }
    return made;
  };

  return {
    current(subject) {
      const nowMs = now();
      const epoch = month(nowMs);
      const one = held.get(subject);
      if (one?.dataKey.wrapped.epoch === epoch && one.uses < usesPerKey && nowMs - one.madeAtMs < maxAgeMs) {
        one.uses++;
        return one.dataKey;
      }
      return makeOnce(subject, epoch, nowMs).then((fresh) => {
        fresh.uses++;
        return fresh.dataKey;
      });
    },
    isFirstUse(key) {
      const { keyId } = key.wrapped;
      if (!unused.has(keyId)) return false;
      // Whoever seals in this turn of the event loop may be spooled first, so all of them take the key along.
      setImmediate(() => unused.delete(keyId));
      return true;
    },
  };
}

/** The month in UTC as `2026-11`; computed anew only when the clock leaves it, in either direction. */
function createMonthClock(): (at: number) => string {
  let label = '';
  let from = 0;
  let to = 0;
  return (at) => {
    if (label === '' || at < from || at >= to) {
      const date = new Date(at);
      label = date.toISOString().slice(0, 7);
      from = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
      to = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
    }
    return label;
  };
}
