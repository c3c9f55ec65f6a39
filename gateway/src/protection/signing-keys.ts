/**
 * Public halves of the keys that sign checkpoints: of a data directory, or from files that somebody was given. Verifying
 * needs no more. Makes no key: a key made now would vouch for nothing.
 */
import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { GatelensError } from '../errors.ts';
import { KeyStore, signingKeyId } from './key-store.ts';

export interface SigningPublicKey {
  readonly id: string;
  readonly publicKey: KeyObject;
}

/** @returns undefined when the data directory has none */
export function signingPublicKey(dataDir: string): SigningPublicKey | undefined {
  const store = new KeyStore(dataDir);
  if (!store.has('signing key')) return undefined;
  const { id, publicKey } = store.signingKey();
  return { id, publicKey };
}

/**
 * @param text PEM or JWK of an Ed25519 public key
 * @param place what to call it in an error
 * @throws GatelensError `config_invalid`
 */
export function decodeSigningPublicKey(text: string, place: string): SigningPublicKey {
  let publicKey: KeyObject;
  try {
    publicKey = text.trimStart().startsWith('{')
      ? createPublicKey({ key: withoutPrivateHalf(JSON.parse(text)), format: 'jwk' })
      : createPublicKey(text);
  } catch {
    throw notAKey(place);
  }
  if (publicKey.asymmetricKeyType !== 'ed25519') throw notAKey(place);
  return { id: signingKeyId(publicKey.export({ format: 'jwk' })), publicKey };
}

function withoutPrivateHalf(jwk: unknown): JsonWebKey {
  if (typeof jwk !== 'object' || jwk === null) throw new TypeError('no JWK');
  const { kty, crv, x } = jwk as JsonWebKey;
  return {
    ...(kty === undefined ? {} : { kty }),
    ...(crv === undefined ? {} : { crv }),
    ...(x === undefined ? {} : { x }),
  };
}

function notAKey(place: string): GatelensError {
  return new GatelensError(
    'config_invalid',
    `${place} is no Ed25519 public key in PEM or JWK. "gatelens keyring signing-key" prints the one of a gateway.`
  );
}
