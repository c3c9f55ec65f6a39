/**
 * Wraps data keys to a public key and unwraps them with the private half: HPKE (RFC 9180) base mode, DHKEM(X25519),
 * HKDF-SHA256, AES-256-GCM. The wrapping is bound to key id, subject, gateway, month and key pair, so a wrapped key
 * under another row's name does not unwrap. Gateways only wrap; the audit API unwraps.
 */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { webcrypto } from 'node:crypto';
import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_X25519_HKDF_SHA256 } from 'hpke';
import { lengthPrefixed } from '../record/canonical.ts';
import type { WrappedDataKey } from './seams.ts';

/** What a wrapped key belongs to. */
export type DataKeyBinding = Omit<WrappedDataKey, 'wrapped'>;

export const DATA_KEY_BYTES = 32;
/** of the encapsulated secret in front of the ciphertext */
const ENCAPSULATED_BYTES = 32;
/** PKCS #8 of an X25519 key up to its 32 bytes (RFC 8410) */
const X25519_PKCS8_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex');

function suite(): CipherSuite<webcrypto.CryptoKey> {
  return new CipherSuite(KEM_DHKEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_256_GCM);
}

function bindingInfo(binding: DataKeyBinding): Uint8Array {
  const parts = [binding.keyId, binding.subject, binding.gateway, binding.epoch, binding.kekId];
  return Buffer.from(`gatelens data key v1 ${parts.map(lengthPrefixed).join('')}`);
}

export type WrapDataKey = (dataKey: Uint8Array, binding: DataKeyBinding) => Promise<Uint8Array>;

/** @param publicKey raw X25519, 32 bytes */
export function createDataKeyWrapper(publicKey: Uint8Array): WrapDataKey {
  const hpke = suite();
  let imported: Promise<webcrypto.CryptoKey> | undefined;
  return async (dataKey, binding) => {
    imported ??= hpke.DeserializePublicKey(publicKey);
    const { encapsulatedSecret, ciphertext } = await hpke.Seal(await imported, dataKey, { info: bindingInfo(binding) });
    return Buffer.concat([encapsulatedSecret, ciphertext]);
  };
}

interface KeyPair {
  readonly privateKey: webcrypto.CryptoKey;
  readonly publicKey: webcrypto.CryptoKey;
}

export type UnwrapDataKey = (wrapped: Uint8Array, binding: DataKeyBinding) => Promise<Uint8Array>;

/** @param privateKey raw X25519, 32 bytes */
export function createDataKeyUnwrapper(privateKey: Uint8Array): UnwrapDataKey {
  const hpke = suite();
  let imported: Promise<KeyPair> | undefined;
  const importPair = async (): Promise<KeyPair> => ({
    privateKey: await hpke.DeserializePrivateKey(privateKey),
    publicKey: await hpke.DeserializePublicKey(publicKeyOf(privateKey)),
  });
  return async (wrapped, binding) => {
    imported ??= importPair();
    const info = bindingInfo(binding);
    return hpke.Open(await imported, wrapped.subarray(0, ENCAPSULATED_BYTES), wrapped.subarray(ENCAPSULATED_BYTES), {
      info,
    });
  };
}

/** The public half of a raw X25519 private key. */
export function publicKeyOf(privateKey: Uint8Array): Uint8Array {
  const key = createPrivateKey({
    key: Buffer.concat([X25519_PKCS8_PREFIX, privateKey]),
    format: 'der',
    type: 'pkcs8',
  });
  return Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x ?? '', 'base64url');
}
