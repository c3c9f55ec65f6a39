/**
 * What the record layer asks of protection: which capture applies, sealed payloads, keyed hashes. Implemented in this
 * folder; telemetry and the audit API get them as arguments.
 */
import type { CaptureMode } from '../record/vocabulary.ts';
import type { Direction, Envelope, PayloadHead } from '../record/payload-events.ts';
import type { HeaderList } from '../mcp/observer.ts';

/** Keyed hashes (HMAC-SHA-256). `hash('user', …)` and `hash('session', …)` never collide: the purpose is mixed in. */
export interface Pseudonyms {
  /** @returns 32 hex characters */
  hash(purpose: 'user' | 'session' | 'rpc_id' | 'plaintext', value: string | Uint8Array): string;
}

export interface CaptureDecision {
  readonly mode: CaptureMode;
  /** cap on captured body bytes a direction */
  readonly maxBytes: number;
}

export interface CapturePolicy {
  /** @param tool the tool's name as sent, or `''` for other operations */
  decide(server: string, tool: string): CaptureDecision;
  /** The least that is kept of any tool of the server: for what belongs to a tool that is not known. */
  decideUnknownTool(server: string): CaptureDecision;
}

export interface PayloadInput {
  readonly callId: string;
  readonly direction: Direction;
  /** `user_key` of the caller, `''` for unknown callers (they share one subject) */
  readonly subject: string;
  readonly mode: 'full' | 'redacted';
  readonly format: PayloadHead['format'];
  readonly headers: HeaderList;
  /** the captured bytes, at most `maxBytes` in all */
  readonly chunks: readonly Uint8Array[];
  /** true size */
  readonly bytes: number;
}

export interface SealedPayload {
  readonly envelope: Envelope;
  /** hex SHA-256 of `envelope.ct` */
  readonly sha256: string;
  /** keyed digest of the plaintext body, for auditors only */
  readonly digest: string;
  readonly truncated: boolean;
  /**
   * Set on the first use of the key (and on others in the same turn of the event loop): must be spooled before or
   * together with the payload.
   */
  readonly newKey?: WrappedDataKey;
}

export interface WrappedDataKey {
  readonly keyId: string;
  readonly subject: string;
  /** chain id of the gateway that made it */
  readonly gateway: string;
  /** month, `2026-11` */
  readonly epoch: string;
  readonly kekId: string;
  readonly wrapped: Uint8Array;
}

export interface PayloadSealer {
  /**
   * Redacts, cuts, compresses, encrypts. Returns synchronously when the key is at hand and the body is small; a promise
   * otherwise (first use of a key, large bodies: those leave the event loop).
   * Throws GatelensError `seal_failed`; the caller then records `payload_state: failed` and stores nothing.
   */
  seal(input: PayloadInput): SealedPayload | Promise<SealedPayload>;
}
