/**
 * Takes a captured payload and gives back ciphertext: redacts, previews what was cut, compresses, encrypts. Stands
 * between the observer of a call and the spool. Whatever goes wrong, nothing of the payload comes out: neither as a
 * result nor in an error.
 */
import { hash } from 'node:crypto';
import { GatelensError } from '../errors.ts';
import { EVENT_PAYLOAD_REQUEST, EVENT_PAYLOAD_RESPONSE, envelopeAad } from '../record/payload-events.ts';
import type { Direction } from '../record/payload-events.ts';
import type { DataKey, DataKeys } from './data-keys.ts';
import { NonceSource, compress, compressSync, payloadParts, sealEnvelope } from './envelope.ts';
import type { Packed, PlaintextParts } from './envelope.ts';
import { payloadPreview } from './payload-preview.ts';
import type { PayloadBody } from './payload-preview.ts';
import type { Redaction } from './redaction.ts';
import type { PayloadInput, PayloadSealer, Pseudonyms, SealedPayload } from './seams.ts';

export interface PayloadSealerOptions {
  readonly dataKeys: DataKeys;
  readonly pseudonyms: Pseudonyms;
  readonly redaction: Redaction;
  /** plaintexts from this size on are compressed */
  readonly compressFromBytes?: number;
  /** plaintexts from this size on are compressed on another thread */
  readonly asyncFromBytes?: number;
  /** bodies are cut here even if more was captured */
  readonly maxBodyBytes?: number;
}

/** Below, zstd costs more CPU than the bytes it saves cost further down (spool, network, store). Measured. */
const COMPRESS_FROM_BYTES = 4096;
/** Below, the hop to another thread costs more than it frees. Measured. */
const ASYNC_FROM_BYTES = 64 * 1024;

interface Prepared {
  readonly parts: PlaintextParts;
  readonly plaintextBytes: number;
  readonly digest: string;
  readonly truncated: boolean;
}

type Stage = 'redaction' | 'data key' | 'compression' | 'encryption';

export function createPayloadSealer(options: PayloadSealerOptions): PayloadSealer {
  const compressFromBytes = options.compressFromBytes ?? COMPRESS_FROM_BYTES;
  const asyncFromBytes = options.asyncFromBytes ?? ASYNC_FROM_BYTES;
  const nonces = new NonceSource();

  const encrypt = (input: PayloadInput, prepared: Prepared, packed: Packed, dataKey: DataKey): SealedPayload => {
    const { keyId } = dataKey.wrapped;
    const aad = envelopeAad(payloadEventName(input.direction), input.callId, input.direction, keyId);
    const envelope = sealEnvelope(packed, dataKey.key, keyId, aad, nonces.next());
    return {
      envelope,
      sha256: hash('sha256', envelope.ct, 'hex'),
      digest: prepared.digest,
      truncated: prepared.truncated,
      ...(options.dataKeys.isFirstUse(dataKey) ? { newKey: dataKey.wrapped } : {}),
    };
  };

  const finish = (
    input: PayloadInput,
    prepared: Prepared,
    dataKey: DataKey
  ): SealedPayload | Promise<SealedPayload> => {
    const seal = (packed: Packed): SealedPayload =>
      guarded('encryption', () => encrypt(input, prepared, packed, dataKey));
    if (prepared.plaintextBytes < compressFromBytes) return seal({ comp: 'none', parts: prepared.parts });
    if (prepared.plaintextBytes < asyncFromBytes)
      return seal(guarded('compression', () => compressSync(prepared.parts)));
    return compress(prepared.parts).then(seal, () => fail('compression'));
  };

  return {
    seal(input) {
      const prepared = guarded('redaction', () => prepare(input, options));
      const dataKey = guarded('data key', () => options.dataKeys.current(input.subject));
      if (!(dataKey instanceof Promise)) return finish(input, prepared, dataKey);
      return dataKey.catch(() => fail('data key')).then((ready) => finish(input, prepared, ready));
    },
  };
}

export function payloadEventName(direction: Direction): string {
  return direction === 'request' ? EVENT_PAYLOAD_REQUEST : EVENT_PAYLOAD_RESPONSE;
}

function prepare(input: PayloadInput, options: PayloadSealerOptions): Prepared {
  const mode: string = input.mode;
  if (mode !== 'full' && mode !== 'redacted') throw new TypeError('no payload in this capture mode');
  const captured = joined(input.chunks, options.maxBodyBytes ?? Number.POSITIVE_INFINITY);
  const truncated = input.bytes > captured.length;
  const cut: PayloadBody = { format: input.format, bytes: captured };
  const whole = truncated ? payloadPreview(cut, { dropCutWord: mode === 'redacted' }) : cut;
  const headers = options.redaction.headers(input.headers);
  const body = mode === 'redacted' ? options.redaction.body(whole) : { ...whole, found: [] };
  const parts = payloadParts(
    {
      format: body.format,
      headers: headers.headers,
      bytes: input.bytes,
      truncated,
      redacted: [...headers.found, ...body.found],
      mode,
    },
    body.bytes
  );
  return {
    parts,
    plaintextBytes: parts.reduce((sum, part) => sum + part.length, 0),
    digest: options.pseudonyms.hash('plaintext', captured),
    truncated,
  };
}

function joined(chunks: readonly Uint8Array[], maxBytes: number): Uint8Array {
  const whole = Buffer.concat(chunks);
  return whole.length > maxBytes ? whole.subarray(0, maxBytes) : whole;
}

/** What fails inside may quote the payload, so nothing of it goes on: the stage is all that is told. */
function fail(stage: Stage): never {
  throw new GatelensError(
    'seal_failed',
    `A payload could not be sealed (${stage}), so it is not stored. The call is recorded with payload_state "failed"; check the encryption keys with "gatelens keyring list".`
  );
}

function guarded<T>(stage: Stage, step: () => T): T {
  try {
    return step();
  } catch {
    return fail(stage);
  }
}
