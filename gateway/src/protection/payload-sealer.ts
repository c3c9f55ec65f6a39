/**
 * Takes a captured payload and gives back ciphertext: redacts, previews what was cut, compresses, encrypts. Stands
 * between the observer of a call and the spool. Whatever goes wrong, nothing of the payload comes out: neither as a
 * result nor in an error.
 */
import { hash } from 'node:crypto';
import { GatelensError } from '../errors.ts';
import { EVENT_PAYLOAD_REQUEST, EVENT_PAYLOAD_RESPONSE, envelopeAad } from '../record/payload-events.ts';
import type { Direction } from '../record/payload-events.ts';
import { shapeBody } from './body-shaping.ts';
import type { BodyToShape } from './body-shaping.ts';
import type { DataKey, DataKeys } from './data-keys.ts';
import { EnvelopeSealer, payloadPlaintext, zstdCompression } from './envelope.ts';
import type { Compression, Packed } from './envelope.ts';
import type { RedactedHeaders } from './header-redaction.ts';
import type { RedactedBody, Redaction } from './redaction.ts';
import type { PayloadInput, PayloadSealer, Pseudonyms, SealedPayload } from './seams.ts';
import type { ShapeAside } from './shaping-thread.ts';

export interface PayloadSealerOptions {
  readonly dataKeys: DataKeys;
  readonly pseudonyms: Pseudonyms;
  readonly redaction: Redaction;
  /** previews and redacts large bodies on another thread; omitted: on the event loop */
  readonly shapeAside?: ShapeAside;
  /** plaintexts from this size on are compressed */
  readonly compressFromBytes?: number;
  /** from this size on compression, previews and redaction go to another thread */
  readonly asyncFromBytes?: number;
  /** bodies are cut here even if more was captured */
  readonly maxBodyBytes?: number;
  /** default: zstd */
  readonly compression?: Compression;
}

/** Below, zstd costs more CPU than the bytes it saves cost further down (spool, network, store). Measured. */
const COMPRESS_FROM_BYTES = 4096;
/** Below, the hop to another thread costs more than it frees. Measured. */
const ASYNC_FROM_BYTES = 64 * 1024;

/** A captured payload, its credentials in headers gone, its body as it came. */
interface Captured {
  readonly body: BodyToShape;
  readonly headers: RedactedHeaders;
  readonly digest: string;
}

/** Ready to be compressed and encrypted. */
interface Prepared {
  readonly plaintext: Buffer;
  readonly digest: string;
  readonly truncated: boolean;
}

type Stage = 'redaction' | 'data key' | 'compression' | 'encryption';

export function createPayloadSealer(options: PayloadSealerOptions): PayloadSealer {
  const compressFromBytes = options.compressFromBytes ?? COMPRESS_FROM_BYTES;
  const asyncFromBytes = options.asyncFromBytes ?? ASYNC_FROM_BYTES;
  const compression = options.compression ?? zstdCompression;
  const envelopes = new EnvelopeSealer();
  /** for plaintexts that are sealed in the same tick */
  const scratch = Buffer.allocUnsafeSlow(Math.max(0, Math.min(asyncFromBytes, ASYNC_FROM_BYTES) - 1));

  const encrypt = (input: PayloadInput, prepared: Prepared, packed: Packed, dataKey: DataKey): SealedPayload => {
    const { keyId } = dataKey.wrapped;
    const aad = envelopeAad(payloadEventName(input.direction), input.callId, input.direction, keyId);
    const envelope = envelopes.seal(packed, dataKey.key, keyId, aad);
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
    captured: Captured,
    shaped: RedactedBody,
    dataKey: DataKey
  ): SealedPayload | Promise<SealedPayload> => {
    const prepared = guarded('redaction', () => prepare(input, captured, shaped, scratch));
    const { plaintext } = prepared;
    const seal = (packed: Packed): SealedPayload =>
      guarded('encryption', () => encrypt(input, prepared, packed, dataKey));
    if (plaintext.length < compressFromBytes) return seal({ comp: 'none', bytes: plaintext });
    if (plaintext.length < asyncFromBytes) return seal(guarded('compression', () => compression.here(plaintext)));
    return guarded('compression', () => compression.aside(plaintext)).then(seal, () => fail('compression'));
  };

  const currentKey = (subject: string, shaped: unknown): DataKey | Promise<DataKey> => {
    // Both may fail; the one that is not waited for any more must not end the process.
    if (shaped instanceof Promise) shaped.catch(() => undefined);
    const dataKey = guarded('data key', () => options.dataKeys.current(subject));
    return dataKey instanceof Promise ? dataKey.catch(() => fail('data key')) : dataKey;
  };

  /** Only what takes long is worth the way to another thread: an uncut body in mode full is left as it is. */
  const shape = ({ body }: Captured): RedactedBody | Promise<RedactedBody> => {
    const isWork = body.truncated || body.mode === 'redacted';
    if (!isWork || body.bytes.length < asyncFromBytes || options.shapeAside === undefined) {
      return guarded('redaction', () => shapeBody(body, (whole) => options.redaction.body(whole)));
    }
    return options.shapeAside(body).catch(() => fail('redaction'));
  };

  return {
    seal(input) {
      const captured = guarded('redaction', () => capture(input, options));
      const shaped = shape(captured);
      const dataKey = currentKey(input.subject, shaped);
      if (!(dataKey instanceof Promise) && !(shaped instanceof Promise))
        return finish(input, captured, shaped, dataKey);
      return Promise.all([dataKey, shaped]).then(([key, body]) => finish(input, captured, body, key));
    },
  };
}

export function payloadEventName(direction: Direction): string {
  return direction === 'request' ? EVENT_PAYLOAD_REQUEST : EVENT_PAYLOAD_RESPONSE;
}

function capture(input: PayloadInput, options: PayloadSealerOptions): Captured {
  const mode: string = input.mode;
  if (mode !== 'full' && mode !== 'redacted') throw new TypeError('no payload in this capture mode');
  const bytes = joined(input.chunks, options.maxBodyBytes ?? Number.POSITIVE_INFINITY);
  return {
    body: { format: input.format, bytes, truncated: input.bytes > bytes.length, mode },
    headers: options.redaction.headers(input.headers),
    digest: options.pseudonyms.hash('plaintext', bytes),
  };
}

function prepare(
  input: PayloadInput,
  { body, headers, digest }: Captured,
  shaped: RedactedBody,
  scratch: Buffer
): Prepared {
  return {
    plaintext: payloadPlaintext(headJson(input, body, headers, shaped), shaped.bytes, scratch),
    digest,
    truncated: body.truncated,
  };
}

/** PayloadHead as JSON. */
function headJson(
  { bytes }: PayloadInput,
  { truncated, mode }: BodyToShape,
  headers: RedactedHeaders,
  { format, found }: RedactedBody
): string {
  const redacted = headers.found.length + found.length === 0 ? '[]' : JSON.stringify([...headers.found, ...found]);
  return (
    `{"format":"${format}","headers":${headers.json},"bytes":${bytes},"truncated":${truncated},` +
    `"redacted":${redacted},"mode":"${mode}"}`
  );
}

/** One chunk is taken as it is: nobody changes what a record holds a view on. */
function joined(chunks: readonly Uint8Array[], maxBytes: number): Uint8Array {
  const [only] = chunks;
  const whole = chunks.length === 1 && only instanceof Uint8Array ? only : Buffer.concat(chunks);
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
