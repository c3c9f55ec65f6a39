/**
 * Opens sealed payloads for the audit API: unwraps a data key with the private half it holds, then opens envelopes under
 * it. Gateways have no private half and no use for this. It decides nothing about who may look; the caller has done
 * that, and recorded it, before.
 */
import { createSecretKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { GatelensError } from '../errors.ts';
import { envelopeAad } from '../record/payload-events.ts';
import type { Direction, Envelope } from '../record/payload-events.ts';
import { createDataKeyUnwrapper } from './data-key-wrapping.ts';
import type { UnwrapDataKey } from './data-key-wrapping.ts';
import { openEnvelope } from './envelope.ts';
import type { OpenedPayload } from './envelope.ts';
import { LruCache } from './lru-cache.ts';
import { payloadEventName } from './payload-sealer.ts';
import type { WrappedDataKey } from './seams.ts';

/** @returns the raw 32 bytes, or undefined when this process does not hold that key */
export type PrivateKeyProvider = (kekId: string) => Uint8Array | undefined | Promise<Uint8Array | undefined>;

export interface UnwrappedDataKey {
  readonly keyId: string;
  readonly key: KeyObject;
}

export interface PayloadPosition {
  readonly callId: string;
  readonly direction: Direction;
}

/** A row of `mcp_protected.data_keys` as the store has it now, so that an erased subject stays closed. */
export interface DataKeyRow extends WrappedDataKey {
  /** the subject was erased; `wrapped` is empty then, too */
  readonly destroyed?: boolean;
}

export interface PayloadOpener {
  /**
   * @param row undefined: the store has none
   * @throws KeyUnknownError, or GatelensError `seal_failed` when the row was changed
   */
  unwrap(row: DataKeyRow | undefined): Promise<UnwrappedDataKey>;
  /** @throws GatelensError `seal_failed` when it was changed, or moved here from another call, direction or key */
  open(envelope: Envelope, position: PayloadPosition, dataKey: UnwrappedDataKey): OpenedPayload;
}

/** A payload that cannot be read, and why; the reason is one of ACCESS_REASONS. */
export class KeyUnknownError extends GatelensError {
  readonly reason: 'key_destroyed' | 'key_unavailable';
  constructor(reason: KeyUnknownError['reason'], message: string) {
    super('key_unknown', message);
    this.reason = reason;
  }
}

const UNWRAPPED_KEPT = 1024;

export function createPayloadOpener(options: { readonly privateKey: PrivateKeyProvider }): PayloadOpener {
  const unwrappers = new Map<string, UnwrapDataKey>();
  const unwrapped = new LruCache<string, UnwrappedDataKey>(UNWRAPPED_KEPT);

  const unwrapperFor = async (kekId: string): Promise<UnwrapDataKey> => {
    const known = unwrappers.get(kekId);
    if (known !== undefined) return known;
    const privateKey = await options.privateKey(kekId);
    if (privateKey === undefined) {
      throw new KeyUnknownError(
        'key_unavailable',
        `The private key "${kekId}" is not held here. Add it under encryption.privateKeys, or put its file back into the keys directory.`
      );
    }
    const unwrap = createDataKeyUnwrapper(privateKey);
    unwrappers.set(kekId, unwrap);
    return unwrap;
  };

  return {
    async unwrap(row) {
      if (row === undefined || row.destroyed === true || row.wrapped.length === 0) {
        throw new KeyUnknownError(
          'key_destroyed',
          'The data key of this payload was destroyed; nobody can read it any more.'
        );
      }
      const { keyId, subject, gateway, epoch, kekId, wrapped } = row;
      // The whole row is the name of the cache entry: a changed row must fail as it would without the cache.
      const entry = JSON.stringify([keyId, subject, gateway, epoch, kekId, Buffer.from(wrapped).toString('base64')]);
      const known = unwrapped.get(entry);
      if (known !== undefined) return known;
      const unwrapWith = await unwrapperFor(kekId);
      const plain = await unwrapWith(wrapped, { keyId, subject, gateway, epoch, kekId }).catch(() => {
        throw new GatelensError(
          'seal_failed',
          `The data key does not unwrap with the private key "${kekId}": the row was changed, or the private key is another one of the same name.`
        );
      });
      const result = { keyId, key: createSecretKey(plain) };
      plain.fill(0);
      unwrapped.set(entry, result);
      return result;
    },
    open(envelope, { callId, direction }, dataKey) {
      const aad = envelopeAad(payloadEventName(direction), callId, direction, dataKey.keyId);
      return openEnvelope(envelope, dataKey.key, aad);
    },
  };
}
