/**
 * Reads and writes X25519 keys as people have them: 32 raw bytes in base64, base64url or hex, a JWK, or PEM. Errors name
 * the place of the key, never the key itself, which may be a private one put in the wrong place.
 */
import { createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { GatelensError } from '../errors.ts';

const KEY_BYTES = 32;
const HOW_TO_MAKE = 'Make a pair with: openssl genpkey -algorithm x25519, its public half with: openssl pkey -pubout';

/**
 * @param place where the key stands, for the error: `encryption.publicKeys.2026-11`
 * @returns 32 raw bytes
 * @throws GatelensError `config_invalid`
 */
export function decodePublicKey(text: string, place: string): Uint8Array {
  const written = text.trim();
  if (written.includes('PRIVATE KEY') || /^\{.*"d"\s*:/s.test(written)) {
    throw new GatelensError('config_invalid', `${place} is a private key. Give the public half here.`);
  }
  const raw = decodeRaw(written) ?? rawPart(() => readPublic(written), 'x');
  if (raw === undefined) throw unreadable(place, 'public');
  if (!isUsable(raw)) throw new GatelensError('config_invalid', `${place} is no usable X25519 key. ${HOW_TO_MAKE}`);
  return raw;
}

/** @returns 32 raw bytes */
export function decodePrivateKey(text: string, place: string): Uint8Array {
  const written = text.trim();
  const raw = decodeRaw(written) ?? rawPart(() => readPrivate(written), 'd');
  if (raw === undefined) throw unreadable(place, 'private');
  return raw;
}

export function encodeKey(raw: Uint8Array): string {
  return Buffer.from(raw).toString('base64url');
}

/** A new pair, raw. */
export function generateEncryptionPair(): { publicKey: Uint8Array; privateKey: Uint8Array } {
  const jwk = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' });
  return { publicKey: Buffer.from(jwk.x ?? '', 'base64url'), privateKey: Buffer.from(jwk.d ?? '', 'base64url') };
}

function decodeRaw(written: string): Uint8Array | undefined {
  if (/^[0-9a-f]{64}$/i.test(written)) return Buffer.from(written, 'hex');
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(written)) return undefined;
  const bytes = Buffer.from(written, 'base64');
  return bytes.length === KEY_BYTES ? bytes : undefined;
}

function readPublic(written: string): KeyObject {
  return written.startsWith('{')
    ? createPublicKey({ key: JSON.parse(written) as JsonWebKey, format: 'jwk' })
    : createPublicKey(written);
}

function readPrivate(written: string): KeyObject {
  return written.startsWith('{')
    ? createPrivateKey({ key: JSON.parse(written) as JsonWebKey, format: 'jwk' })
    : createPrivateKey(written);
}

function rawPart(read: () => KeyObject, part: 'x' | 'd'): Uint8Array | undefined {
  try {
    const key = read();
    const encoded = key.asymmetricKeyType === 'x25519' ? key.export({ format: 'jwk' })[part] : undefined;
    return encoded === undefined ? undefined : Buffer.from(encoded, 'base64url');
  } catch {
    return undefined;
  }
}

/** A few public keys make every shared secret zero; OpenSSL refuses them when they are used. */
function isUsable(publicKey: Uint8Array): boolean {
  try {
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x: encodeKey(publicKey) }, format: 'jwk' });
    diffieHellman({ privateKey: generateKeyPairSync('x25519').privateKey, publicKey: key });
    return true;
  } catch {
    return false;
  }
}

function unreadable(place: string, half: 'public' | 'private'): GatelensError {
  return new GatelensError(
    'config_invalid',
    `${place} is no X25519 ${half} key: 32 bytes in base64 or hex, a JWK, or PEM. ${HOW_TO_MAKE}`
  );
}
