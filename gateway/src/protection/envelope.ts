/**
 * The sealed envelope of record/payload-events.ts: head line + newline + body, compressed when that pays, AES-256-GCM
 * under a data key with a fresh random nonce, bound by AAD to its event, call, direction and key. Used by the sealer
 * (gateway) and the opener (audit API). It decides nothing about redaction or keys, and its errors hold no payload.
 */
import { createCipheriv, createDecipheriv, randomFillSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { GatelensError } from '../errors.ts';
import { ENVELOPE_ALG, ENVELOPE_VERSION } from '../record/payload-events.ts';
import type { Envelope, PayloadHead } from '../record/payload-events.ts';
import { Slab } from './slab.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const NEWLINE = 0x0a;
const NONCES_DRAWN_AT_ONCE = 256;
/** A sealed body never comes near this; the bound keeps a damaged row from filling the memory. */
const OPENED_AT_MOST_BYTES = 256 * 1024 * 1024;
/** Level 1: ten times faster than 3 on large bodies for 2 % more bytes. */
const ZSTD = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
const zstdCompressAsync = promisify(zstdCompress);

export interface Packed {
  readonly comp: Envelope['comp'];
  readonly bytes: Uint8Array;
}

/**
 * @param headJson PayloadHead as JSON
 * @param scratch used when it has room; the plaintext is then valid until the next one is made in it
 */
export function payloadPlaintext(headJson: string, body: Uint8Array, scratch: Buffer): Buffer {
  // UTF-8 needs at most three bytes for what is one character of a string
  const mostBytes = headJson.length * 3 + 1 + body.length;
  const target = mostBytes <= scratch.length ? scratch : Buffer.allocUnsafeSlow(mostBytes);
  const headBytes = target.write(headJson);
  target[headBytes] = NEWLINE;
  target.set(body, headBytes + 1);
  return target.subarray(0, headBytes + 1 + body.length);
}

/** Compressed if that makes it smaller. */
export interface Compression {
  here(plaintext: Buffer): Packed;
  /** on another thread */
  aside(plaintext: Buffer): Promise<Packed>;
}

export const zstdCompression: Compression = {
  here: (plaintext) =>
    smaller(plaintext, zstdCompressSync(plaintext, { ...ZSTD, chunkSize: Math.max(1024, plaintext.length) })),
  aside: async (plaintext) => smaller(plaintext, await zstdCompressAsync(plaintext, ZSTD)),
};

function smaller(plaintext: Buffer, compressed: Buffer): Packed {
  return compressed.length < plaintext.length
    ? { comp: 'zstd', bytes: compressed }
    : { comp: 'none', bytes: plaintext };
}

/** Random nonces, drawn in batches: one system call for many seals. */
class NonceSource {
  #batch = Buffer.alloc(0);
  #next = 0;

  /** @returns 12 bytes never given out before, and never changed */
  next(): Buffer {
    if (this.#next >= this.#batch.length) {
      this.#batch = randomFillSync(Buffer.allocUnsafeSlow(NONCES_DRAWN_AT_ONCE * NONCE_BYTES));
      this.#next = 0;
    }
    return this.#batch.subarray(this.#next, (this.#next += NONCE_BYTES));
  }
}

export class EnvelopeSealer {
  readonly #nonces = new NonceSource();
  readonly #ciphertexts = new Slab();

  seal(packed: Packed, key: KeyObject, keyId: string, aad: string): Envelope {
    const nonce = this.#nonces.next();
    const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(aad));
    const encrypted = cipher.update(packed.bytes);
    cipher.final();
    const ct = this.#ciphertexts.take(encrypted.length + TAG_BYTES);
    ct.set(encrypted);
    ct.set(cipher.getAuthTag(), encrypted.length);
    return { v: ENVELOPE_VERSION, alg: ENVELOPE_ALG, keyId, nonce, comp: packed.comp, ct };
  }
}

export interface OpenedPayload {
  readonly head: PayloadHead;
  readonly body: Uint8Array;
}

/** @throws GatelensError `seal_failed` when anything was changed or belongs to another call, direction or key */
export function openEnvelope(envelope: Envelope, key: KeyObject, aad: string): OpenedPayload {
  assertShape(envelope);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, envelope.nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(aad));
    const tagAt = envelope.ct.length - TAG_BYTES;
    decipher.setAuthTag(envelope.ct.subarray(tagAt));
    const packed = Buffer.concat([decipher.update(envelope.ct.subarray(0, tagAt)), decipher.final()]);
    const plaintext =
      envelope.comp === 'zstd'
        ? zstdDecompressSync(packed, { maxOutputLength: OPENED_AT_MOST_BYTES, chunkSize: pieceBytes(packed.length) })
        : packed;
    return splitPayload(plaintext);
  } catch {
    // No cause: what a parser says about a plaintext may quote it.
    throw new GatelensError(
      'seal_failed',
      'The sealed payload does not open: it was changed, or it belongs to another call, direction or key. Run "gatelens verify" to see which records were changed.'
    );
  }
}

/** Room for most plaintexts at once: they are joined from pieces, and each piece costs an allocation. */
function pieceBytes(packedBytes: number): number {
  return Math.min(Math.max(1024, packedBytes * 4), 1024 * 1024);
}

function assertShape(envelope: Envelope): void {
  // The types promise it, but a row of the store may say anything.
  const { v, alg, comp }: { v: unknown; alg: unknown; comp: unknown } = envelope;
  const known = v === ENVELOPE_VERSION && alg === ENVELOPE_ALG && (comp === 'none' || comp === 'zstd');
  if (known && envelope.nonce.length === NONCE_BYTES && envelope.ct.length >= TAG_BYTES) return;
  throw new GatelensError(
    'seal_failed',
    'The sealed payload has a form this version cannot read: it was changed, or written by a newer version.'
  );
}

function splitPayload(plaintext: Buffer): OpenedPayload {
  const headEnd = plaintext.indexOf(NEWLINE);
  if (headEnd < 0) throw new TypeError('no head');
  // Authenticated: only a sealer holding the data key can have written it.
  const head = JSON.parse(plaintext.toString('utf8', 0, headEnd)) as PayloadHead;
  return { head, body: plaintext.subarray(headEnd + 1) };
}
