/**
 * Protected events v1: what travels on the payload path as OTLP log records, and the sealed envelope inside. Only
 * ciphertext, key material wrapped to a public key, and the erasable principals are ever written there. The bodies of
 * these events must never be logged, traced or mirrored.
 */

export const EVENT_PAYLOAD_REQUEST = 'gatelens.payload.request';
export const EVENT_PAYLOAD_RESPONSE = 'gatelens.payload.response';
/** A data key wrapped to the active public key; ships before the first event that uses it. */
export const EVENT_DATA_KEY = 'gatelens.data_key';
/** Who a `user_key` is. Erasable. */
export const EVENT_PRINCIPAL = 'gatelens.principal';

export type Direction = 'request' | 'response';

/** Attributes of a payload event; the body is the ciphertext as bytes. */
export const PAYLOAD_ATTRIBUTES = {
  /** `log.record.uid`: `<call_id>/<direction>`, the key of the row */
  uid: 'log.record.uid',
  callId: 'gatelens.call.id',
  direction: 'gatelens.payload.direction',
  startedAt: 'gatelens.call.started_at',
  userKey: 'user.hash',
  server: 'gatelens.server.name',
  envelopeVersion: 'gatelens.envelope.v',
  alg: 'gatelens.envelope.alg',
  keyId: 'gatelens.envelope.key_id',
  /** base64, 12 bytes */
  nonce: 'gatelens.envelope.nonce',
  compression: 'gatelens.envelope.comp',
  /** hex SHA-256 of the ciphertext */
  sha256: 'gatelens.payload.sha256',
  /** hex HMAC-SHA-256 of the plaintext: for auditors only, since a plain digest would be an oracle */
  digest: 'gatelens.payload.digest',
  /** size of the plaintext before any cap */
  bytes: 'gatelens.payload.bytes',
  truncated: 'gatelens.payload.truncated',
  mode: 'gatelens.capture.mode',
  demo: 'gatelens.demo',
} as const;

/** Attributes of a data key event; the body is `{enc}{ct}` of HPKE as bytes. */
export const DATA_KEY_ATTRIBUTES = {
  keyId: 'gatelens.data_key.id',
  subject: 'user.hash',
  gateway: 'gatelens.chain.id',
  /** month, `2026-11` */
  epoch: 'gatelens.data_key.epoch',
  /** id of the public key it is wrapped to */
  kekId: 'gatelens.data_key.kek_id',
} as const;

/** Attributes of a principal event; no body. */
export const PRINCIPAL_ATTRIBUTES = {
  userKey: 'user.hash',
  email: 'user.email',
  login: 'user.name',
  name: 'user.full_name',
  seenAt: 'gatelens.principal.seen_at',
} as const;

export const ENVELOPE_VERSION = 1;
export const ENVELOPE_ALG = 'A256GCM';

/** AES-256-GCM; `ct` ends with the 16-byte tag. */
export interface Envelope {
  readonly v: typeof ENVELOPE_VERSION;
  readonly alg: typeof ENVELOPE_ALG;
  readonly keyId: string;
  readonly nonce: Uint8Array;
  readonly comp: 'none' | 'zstd';
  readonly ct: Uint8Array;
}

/** Additional authenticated data: a ciphertext moved to another call, direction or key does not open. */
export function envelopeAad(eventName: string, callId: string, direction: Direction, keyId: string): string {
  return `${ENVELOPE_VERSION}|${eventName}|${callId}|${direction}|${keyId}`;
}

/**
 * What is inside: one line of JSON (this), a newline, then the body's bytes as they passed.
 */
export interface PayloadHead {
  readonly format: 'json' | 'sse' | 'text';
  readonly headers: readonly (readonly [string, string])[];
  /** size before the cap */
  readonly bytes: number;
  readonly truncated: boolean;
  /** JSON paths or header names that were redacted */
  readonly redacted: readonly string[];
  readonly mode: 'full' | 'redacted';
}
