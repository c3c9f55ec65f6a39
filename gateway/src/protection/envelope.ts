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

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const NONCES_DRAWN_AT_ONCE = 256;
/** A sealed body never comes near this; the bound keeps a damaged row from filling the memory. */
const OPENED_AT_MOST_BYTES = 256 * 1024 * 1024;
/** Level 1: ten times faster than 3 on large bodies for 2 % more bytes. */
const ZSTD = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
const zstdCompressAsync = promisify(zstdCompress);

/** The plaintext of an envelope, still in pieces. */
export type PlaintextParts = readonly Uint8Array[];

export interface Packed {
  readonly comp: Envelope['comp'];
  readonly parts: PlaintextParts;
}

export function payloadParts(head: PayloadHead, body: Uint8Array): PlaintextParts {
  return [Buffer.from(`${JSON.stringify(head)}\n`), body];
}

/** Compressed if that makes it smaller. */
export function compressSync(parts: PlaintextParts): Packed {
  const plaintext = Buffer.concat(parts);
  return smaller(plaintext, zstdCompressSync(plaintext, { ...ZSTD, chunkSize: Math.max(1024, plaintext.length) }));
}

/** As compressSync, on another thread. */
export async function compress(parts: PlaintextParts): Promise<Packed> {
  const plaintext = Buffer.concat(parts);
  return smaller(plaintext, await zstdCompressAsync(plaintext, ZSTD));
}

function smaller(plaintext: Buffer, compressed: Buffer): Packed {
  return compressed.length < plaintext.length
    ? { comp: 'zstd', parts: [compressed] }
    : { comp: 'none', parts: [plaintext] };
}

/** Random nonces, drawn in batches: one system call for many seals. */
export class NonceSource {
  #batch = new Uint8Array(NONCES_DRAWN_AT_ONCE * NONCE_BYTES);
  #next = this.#batch.length;

  /** @returns 12 bytes never given out before */
  next(): Uint8Array {
    if (this.#next >= this.#batch.length) {
      randomFillSync(this.#batch);
      this.#next = 0;
    }
    // A copy: the batch is overwritten later.
    return this.#batch.slice(this.#next, (this.#next += NONCE_BYTES));
  }
}

export function sealEnvelope(packed: Packed, key: KeyObject, keyId: string, aad: string, nonce: Uint8Array): Envelope {
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(aad));
  const pieces: Uint8Array[] = packed.parts.map((part) => cipher.update(part));
  cipher.final();
  pieces.push(cipher.getAuthTag());
  return { v: ENVELOPE_VERSION, alg: ENVELOPE_ALG, keyId, nonce, comp: packed.comp, ct: Buffer.concat(pieces) };
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
      envelope.comp === 'zstd' ? zstdDecompressSync(packed, { maxOutputLength: OPENED_AT_MOST_BYTES }) : packed;
    return splitPayload(plaintext);
  } catch {
    // No cause: what a parser says about a plaintext may quote it.
    throw new GatelensError(
      'seal_failed',
      'The sealed payload does not open: it was changed, or it belongs to another call, direction or key. Run "gatelens verify" to see which records were changed.'
    );
  }
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
  const headEnd = plaintext.indexOf(0x0a);
  if (headEnd < 0) throw new TypeError('no head');
  // Authenticated: only a sealer holding the data key can have written it.
  const head = JSON.parse(plaintext.toString('utf8', 0, headEnd)) as PayloadHead;
  return { head, body: plaintext.subarray(headEnd + 1) };
}
