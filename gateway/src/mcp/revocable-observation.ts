/**
 * The record of a stream that can be taken from its caller while it runs. However whoever serves the stream comes to end
 * the record then, it says that the stream was denied, and by what.
 */
import type { CallEnd, CallObservation } from './observer.ts';

/** Why a caller may not have a stream any more. */
export type Revocation = Pick<CallEnd, 'errorType' | 'deniedBy' | 'policyRule'>;

export class RevocableObservation implements CallObservation {
  readonly #inner: CallObservation;
  readonly #revoked: () => Revocation | undefined;

  constructor(inner: CallObservation, revoked: () => Revocation | undefined) {
    this.#inner = inner;
    this.#revoked = revoked;
  }

  get callId(): string {
    return this.#inner.callId;
  }

  get upstreamTrace(): CallObservation['upstreamTrace'] {
    return this.#inner.upstreamTrace;
  }

  get captureBytes(): number {
    return this.#inner.captureBytes;
  }

  intent(): Promise<void> {
    return this.#inner.intent();
  }

  hurry(): void {
    this.#inner.hurry();
  }

  upstreamStarted(): void {
    this.#inner.upstreamStarted();
  }

  end(end: CallEnd): Promise<void> {
    const revoked = this.#revoked();
    return this.#inner.end(revoked === undefined ? end : { ...end, ...revoked, outcome: 'denied' });
  }
}
