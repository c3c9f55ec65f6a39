/**
 * What the key files mean: encryption pairs by id with one of them active, the signing key of chain checkpoints, the
 * secret of the pseudonyms. Makes what is missing, replaces nothing. Used by keyring.ts alone.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, randomBytes } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { GatelensError } from '../errors.ts';
import { publicKeyOf } from './data-key-wrapping.ts';
import { decodePrivateKey, decodePublicKey, encodeKey, generateEncryptionPair } from './key-encoding.ts';
import { KeyFiles } from './key-files.ts';
import { PSEUDONYM_SECRET_BYTES } from './pseudonyms.ts';

/** Same form as in the configuration. */
export const KEY_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export interface EncryptionKey {
  readonly id: string;
  /** raw X25519, 32 bytes */
  readonly publicKey: Uint8Array;
  /** missing where only the public half was brought */
  readonly privateKey?: Uint8Array;
}

export interface SigningKey {
  readonly id: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const ACTIVE = 'active';
const SIGNING = 'signing.private.jwk';
const PSEUDONYMS = 'pseudonyms.jwk';
const KEY_FILE = /^encryption-(.+)\.(public|private)\.jwk$/;

export class KeyStore {
  readonly files: KeyFiles;

  constructor(dataDir: string) {
    this.files = new KeyFiles(dataDir);
  }

  /** By id, oldest name first. */
  encryptionKeys(): EncryptionKey[] {
    const ids = new Set<string>();
    for (const name of this.files.list()) {
      const id = KEY_FILE.exec(name)?.[1];
      if (id !== undefined && KEY_ID.test(id)) ids.add(id);
    }
    return [...ids].sort().map((id) => this.#encryptionKey(id));
  }

  /** @returns undefined when nothing was made yet; falls back to the only pair when a crash lost the choice */
  activeId(): string | undefined {
    const id = this.files.read(ACTIVE)?.trim();
    if (id !== undefined) {
      if (KEY_ID.test(id)) return id;
      throw this.#damaged(ACTIVE);
    }
    const keys = this.encryptionKeys();
    if (keys.length > 1) {
      throw new GatelensError(
        'data_dir_unusable',
        `${this.files.directory}/${ACTIVE} is missing, so nobody knows which key seals. Write the id of the newest key into it, one of those that "gatelens keyring list" shows.`
      );
    }
    return keys[0]?.id;
  }

  activate(id: string): void {
    this.files.replace(ACTIVE, `${id}\n`);
  }

  /** A new pair; its public file comes last, so that a pair with a public file is whole. */
  createPair(now: Date): EncryptionKey {
    for (;;) {
      const id = `${now.toISOString().slice(0, 7)}-${randomBytes(2).toString('hex')}`;
      const { publicKey, privateKey } = generateEncryptionPair();
      const jwk = { kty: 'OKP', crv: 'X25519', kid: id, x: encodeKey(publicKey) };
      if (!this.files.create(privateFile(id), jsonLine({ ...jwk, d: encodeKey(privateKey) }))) continue;
      this.files.create(publicFile(id), jsonLine(jwk));
      return { id, publicKey, privateKey };
    }
  }

  /** First start; when two processes do it at once the first one wins. */
  createFirstPair(now: Date): void {
    const { id } = this.createPair(now);
    this.files.create(ACTIVE, `${id}\n`);
  }

  /** @returns false when the id is in use */
  addPublic(id: string, publicKey: Uint8Array): boolean {
    const jwk = { kty: 'OKP', crv: 'X25519', kid: id, x: encodeKey(publicKey) };
    return this.files.create(publicFile(id), jsonLine(jwk));
  }

  signingKey(): SigningKey {
    const written = this.files.read(SIGNING) ?? this.#made(SIGNING, () => newSigningKey());
    try {
      const privateKey = createPrivateKey({ key: JSON.parse(written) as JsonWebKey, format: 'jwk' });
      if (privateKey.asymmetricKeyType !== 'ed25519') throw new TypeError('another kind of key');
      const publicKey = createPublicKey(privateKey);
      return { id: signingKeyId(publicKey.export({ format: 'jwk' })), privateKey, publicKey };
    } catch {
      throw this.#damaged(SIGNING);
    }
  }

  has(what: 'signing key' | 'pseudonym secret'): boolean {
    return this.files.read(what === 'signing key' ? SIGNING : PSEUDONYMS) !== undefined;
  }

  pseudonymSecret(): Uint8Array {
    const fresh = (): JsonWebKey => ({ kty: 'oct', k: encodeKey(randomBytes(PSEUDONYM_SECRET_BYTES)) });
    const written = this.files.read(PSEUDONYMS) ?? this.#made(PSEUDONYMS, fresh);
    const encoded = parsedJwk(written)?.k;
    const secret = typeof encoded === 'string' ? Buffer.from(encoded, 'base64url') : undefined;
    if (secret?.length !== PSEUDONYM_SECRET_BYTES) throw this.#damaged(PSEUDONYMS);
    return secret;
  }

  #encryptionKey(id: string): EncryptionKey {
    const writtenPublic = this.files.read(publicFile(id));
    const writtenPrivate = this.files.read(privateFile(id));
    const privateKey = this.#decoded(privateFile(id), writtenPrivate, decodePrivateKey);
    const publicKey =
      this.#decoded(publicFile(id), writtenPublic, decodePublicKey) ??
      (privateKey === undefined ? undefined : publicKeyOf(privateKey));
    if (publicKey === undefined) throw this.#damaged(publicFile(id));
    if (privateKey === undefined) return { id, publicKey };
    if (!Buffer.from(publicKeyOf(privateKey)).equals(publicKey)) throw this.#damaged(publicFile(id));
    return { id, publicKey, privateKey };
  }

  #decoded(
    name: string,
    written: string | undefined,
    decode: (text: string, place: string) => Uint8Array
  ): Uint8Array | undefined {
    if (written === undefined) return undefined;
    try {
      return decode(written, name);
    } catch {
      throw this.#damaged(name);
    }
  }

  /** @returns what the file holds afterwards, whoever made it */
  #made(name: string, make: () => JsonWebKey): string {
    const content = jsonLine(make());
    return this.files.create(name, content) ? content : (this.files.read(name) ?? content);
  }

  #damaged(name: string): GatelensError {
    return new GatelensError(
      'data_dir_unusable',
      `The key file ${this.files.directory}/${name} is damaged or belongs to another pair. Put it back from a backup; do not delete it, since payloads sealed under its key could never be read again.`
    );
  }
}

function publicFile(id: string): string {
  return `encryption-${id}.public.jwk`;
}

function privateFile(id: string): string {
  return `encryption-${id}.private.jwk`;
}

function jsonLine(jwk: object): string {
  return `${JSON.stringify(jwk)}\n`;
}

function parsedJwk(text: string): JsonWebKey | undefined {
  try {
    return JSON.parse(text) as JsonWebKey;
  } catch {
    return undefined;
  }
}

function newSigningKey(): JsonWebKey {
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return { ...jwk, kid: signingKeyId(jwk) };
}

/** Made of the public half, so that the id in a checkpoint leads to one key only. */
export function signingKeyId(jwk: JsonWebKey): string {
  return `sig-${hash('sha256', Buffer.from(jwk.x ?? '', 'base64url'), 'hex').slice(0, 16)}`;
}
