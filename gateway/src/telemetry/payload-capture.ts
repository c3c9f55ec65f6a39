/**
 * What becomes of a request's or an answer's payload: sealed by protection/, hashed, or left out, by the capture mode in
 * force; and the protected event that carries it. The payload itself is handed to the sealer and forgotten. When sealing
 * fails there is no event, never a plain one.
 */
import type { LogRecord } from '@opentelemetry/api';
import type { HeaderList } from '../mcp/observer.ts';
import type { PayloadSealer, Pseudonyms, SealedPayload, WrappedDataKey } from '../protection/seams.ts';
import {
  DATA_KEY_ATTRIBUTES,
  EVENT_DATA_KEY,
  EVENT_PAYLOAD_REQUEST,
  EVENT_PAYLOAD_RESPONSE,
  PAYLOAD_ATTRIBUTES,
  type Direction,
  type PayloadHead,
} from '../record/payload-events.ts';
import type { CaptureMode, PayloadState } from '../record/vocabulary.ts';
import { AttributeNames, type AttributeRow } from './attribute-row.ts';
import type { ProtectedEvent } from './sdk.ts';

export interface PayloadToCapture {
  readonly callId: string;
  readonly direction: Direction;
  readonly mode: CaptureMode;
  readonly userKey: string;
  /** as shown in metadata */
  readonly server: string;
  readonly headers: HeaderList;
  readonly chunks: readonly Uint8Array[];
  /** true size */
  readonly bytes: number;
  readonly format: PayloadHead['format'];
}

/** What is known of a payload once it is captured. */
export interface CapturedPayload {
  readonly state: PayloadState;
  /** hex SHA-256 of the ciphertext, or `''` */
  readonly sha256: string;
  /** to be emitted, unless there is nothing to store */
  readonly event?: { readonly event: ProtectedEvent; readonly attributes: AttributeRow };
}

const PAYLOAD_NAMES = new AttributeNames(Object.values(PAYLOAD_ATTRIBUTES), [
  PAYLOAD_ATTRIBUTES.server,
  PAYLOAD_ATTRIBUTES.envelopeVersion,
  PAYLOAD_ATTRIBUTES.alg,
  PAYLOAD_ATTRIBUTES.compression,
  PAYLOAD_ATTRIBUTES.truncated,
  PAYLOAD_ATTRIBUTES.mode,
]);

const AT = {
  uid: PAYLOAD_NAMES.position(PAYLOAD_ATTRIBUTES.uid),
  callId: PAYLOAD_NAMES.position(PAYLOAD_ATTRIBUTES.callId),
  direction: PAYLOAD_NAMES.position(PAYLOAD_ATTRIBUTES.direction),
  startedAt: PAYLOAD_NAMES.position(PAYLOAD_ATTRIBUTES.startedAt),
  userKey: PAYLOAD_NAMES.position(PAYLOAD_ATTRIBUTES.userKey),
  server: PAYLOAD_NAMES.position(PAYLOAD_ATTRIBUTES.server),
  envelopeVersion: PAYLOAD_NAMES.position(PAYLOAD_ATTRIBUTES.envelopeVersion),
  alg: PAYLOAD_NAMES.position(PAYLOAD_ATTRIBUTES.alg),
  keyId: PAYLOAD_NAMES.position(PAYLOAD_ATTRIBUTES.keyId),
  nonce: PAYLOAD_NAMES.position(PAYLOAD_ATTRIBUTES.nonce),
  compression: PAYLOAD_NAMES.position(PAYLOAD_ATTRIBUTES.compression),
  sha256: PAYLOAD_NAMES.position(PAYLOAD_ATTRIBUTES.sha256),
  digest: PAYLOAD_NAMES.position(PAYLOAD_ATTRIBUTES.digest),
  bytes: PAYLOAD_NAMES.position(PAYLOAD_ATTRIBUTES.bytes),
  truncated: PAYLOAD_NAMES.position(PAYLOAD_ATTRIBUTES.truncated),
  mode: PAYLOAD_NAMES.position(PAYLOAD_ATTRIBUTES.mode),
  demo: PAYLOAD_NAMES.position(PAYLOAD_ATTRIBUTES.demo),
} as const;

const NOTHING: CapturedPayload = { state: 'none', sha256: '' };
const OFF: CapturedPayload = { state: 'off', sha256: '' };
const FAILED: CapturedPayload = { state: 'failed', sha256: '' };

/** Since start. */
export interface PayloadCounts {
  truncated: number;
  /** not sealed */
  failed: number;
}

export interface PayloadCaptureOptions {
  readonly sealer: PayloadSealer;
  readonly pseudonyms: Pseudonyms;
  /** the events are of `gatelens demo --history` */
  readonly demo: boolean;
  /** called once a failed seal, without anything of the payload */
  readonly onSealFailed: () => void;
}

export class PayloadCapture {
  readonly counts: PayloadCounts = { truncated: 0, failed: 0 };
  readonly #options: PayloadCaptureOptions;
  /** wrapped keys that are not on disk yet; they go with the next append, whosever it is */
  readonly #newKeys = new Map<string, WrappedDataKey>();

  constructor(options: PayloadCaptureOptions) {
    this.#options = options;
  }

  /** Never throws and never rejects. @param startedAtNs start of the call, decimal: the key of the row */
  capture(payload: PayloadToCapture, startedAtNs: string): CapturedPayload | Promise<CapturedPayload> {
    const { mode } = payload;
    if (mode === 'off') return OFF;
    if (payload.bytes === 0 && payload.headers.length === 0) return NOTHING;
    if (mode === 'hash') return this.#hashed(payload, startedAtNs);
    try {
      const sealed = this.#options.sealer.seal({
        callId: payload.callId,
        direction: payload.direction,
        subject: payload.userKey,
        mode,
        format: payload.format,
        headers: payload.headers,
        chunks: payload.chunks,
        bytes: payload.bytes,
      });
      if (!(sealed instanceof Promise)) return this.#sealed(payload, startedAtNs, sealed);
      return sealed.then(
        (one) => this.#sealed(payload, startedAtNs, one),
        () => this.#failed()
      );
    } catch {
      return this.#failed();
    }
  }

  /** Takes the key events that must go with the next append, before any payload event. Give them back if it fails. */
  takeNewKeys(): readonly WrappedDataKey[] {
    if (this.#newKeys.size === 0) return [];
    const keys = [...this.#newKeys.values()];
    this.#newKeys.clear();
    return keys;
  }

  giveBack(keys: readonly WrappedDataKey[]): void {
    for (const key of keys) this.#newKeys.set(key.keyId, key);
  }

  keyEvent(key: WrappedDataKey): Omit<LogRecord, 'timestamp' | 'observedTimestamp' | 'context'> {
    return {
      eventName: EVENT_DATA_KEY,
      body: key.wrapped,
      attributes: {
        [DATA_KEY_ATTRIBUTES.keyId]: key.keyId,
        [DATA_KEY_ATTRIBUTES.subject]: key.subject,
        [DATA_KEY_ATTRIBUTES.gateway]: key.gateway,
        [DATA_KEY_ATTRIBUTES.epoch]: key.epoch,
        [DATA_KEY_ATTRIBUTES.kekId]: key.kekId,
      },
    };
  }

  #sealed(payload: PayloadToCapture, startedAtNs: string, sealed: SealedPayload): CapturedPayload {
    if (sealed.newKey !== undefined) this.#newKeys.set(sealed.newKey.keyId, sealed.newKey);
    const { envelope } = sealed;
    const { nonce } = envelope;
    const attributes = this.#attributes(payload, startedAtNs, sealed.digest, sealed.truncated);
    const { values } = attributes;
    values[AT.envelopeVersion] = envelope.v;
    values[AT.alg] = envelope.alg;
    values[AT.keyId] = envelope.keyId;
    values[AT.nonce] = (nonce instanceof Buffer ? nonce : Buffer.from(nonce)).toString('base64');
    values[AT.compression] = envelope.comp;
    values[AT.sha256] = sealed.sha256;
    return {
      state: sealed.truncated ? 'sealed_truncated' : 'sealed',
      sha256: sealed.sha256,
      event: { event: { eventName: eventName(payload.direction), body: envelope.ct }, attributes },
    };
  }

  #hashed(payload: PayloadToCapture, startedAtNs: string): CapturedPayload {
    const [first, ...more] = payload.chunks;
    const body = first !== undefined && more.length === 0 ? first : Buffer.concat(payload.chunks);
    const digest = this.#options.pseudonyms.hash('plaintext', body);
    const attributes = this.#attributes(payload, startedAtNs, digest, body.byteLength < payload.bytes);
    return { state: 'hashed', sha256: '', event: { event: { eventName: eventName(payload.direction) }, attributes } };
  }

  #attributes(payload: PayloadToCapture, startedAtNs: string, digest: string, truncated: boolean): AttributeRow {
    if (truncated) this.counts.truncated += 1;
    const row = PAYLOAD_NAMES.row();
    const { values } = row;
    values[AT.uid] = `${payload.callId}/${payload.direction}`;
    values[AT.callId] = payload.callId;
    values[AT.direction] = payload.direction;
    values[AT.startedAt] = startedAtNs;
    values[AT.userKey] = payload.userKey;
    values[AT.server] = payload.server;
    values[AT.digest] = digest;
    values[AT.bytes] = payload.bytes;
    values[AT.truncated] = truncated;
    values[AT.mode] = payload.mode;
    if (this.#options.demo) values[AT.demo] = true;
    return row;
  }

  #failed(): CapturedPayload {
    this.counts.failed += 1;
    this.#options.onSealFailed();
    return FAILED;
  }
}

function eventName(direction: Direction): string {
  return direction === 'request' ? EVENT_PAYLOAD_REQUEST : EVENT_PAYLOAD_RESPONSE;
}

const STATES_THAT_DECIDE = ['failed', 'sealed_truncated', 'sealed', 'hashed', 'off'] as const;

/** One state for the call: `failed` if any part failed, else the weakest that holds something. */
export function combinedState(
  request: CapturedPayload | undefined,
  response: CapturedPayload | undefined
): PayloadState {
  for (const state of STATES_THAT_DECIDE) if (request?.state === state || response?.state === state) return state;
  return 'none';
}
