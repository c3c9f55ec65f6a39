/**
 * How the records of one exchange with an HTTP upstream end: what is known of its answer as a whole (status, headers,
 * times), and what that makes of the verdict on a single message. Used by exchange-records.ts and what it is made of.
 * It opens and ends nothing itself.
 */
import type { ScannedMessage } from '../message.ts';
import type { CallEnd, CapturedBody, HeaderList } from '../observer.ts';
import type { OpenCall } from './open-calls.ts';
import { verdictOf } from '../outcome.ts';
import type { Verdict } from '../outcome.ts';

export type CallEndDraft = { -readonly [K in keyof CallEnd]: CallEnd[K] };

export class ExchangeOutcome {
  /** of what the client gets; 0 until that is known */
  status = 0;
  #responseHeaders: HeaderList | undefined;
  #sentAtMs = 0;
  #firstByteAtMs: number | undefined;

  /** @returns when, as `performance.now()` */
  sent(): number {
    return (this.#sentAtMs = performance.now());
  }

  /** @returns when, as `performance.now()` */
  answered(status: number, headers: HeaderList): number {
    this.status = status;
    this.#responseHeaders = headers;
    return (this.#firstByteAtMs = performance.now());
  }

  /** Clients take a result with a status of failure for a failure. */
  verdictOf(message: ScannedMessage): Verdict {
    const verdict = verdictOf(message);
    return this.status >= 300 && verdict.outcome === 'success' ? this.failure() : verdict;
  }

  /** An answer in which the expected JSON-RPC response is missing. */
  failure(): Verdict {
    const errorType = this.status >= 300 ? `http_${this.status}` : 'upstream_protocol';
    return { outcome: 'upstream_unreachable', errorType };
  }

  /** Of what needs no JSON-RPC response: the status says all. */
  byStatus(): Verdict {
    return this.status < 300 ? { outcome: 'success' } : this.failure();
  }

  ofCall(call: OpenCall, verdict: Verdict, response: CapturedBody | undefined): CallEndDraft {
    const end: CallEndDraft = { ...unlessCancelled(call, verdict) };
    if (response !== undefined) end.response = response;
    if (this.status !== 0) end.httpStatus = this.status;
    if (this.#responseHeaders !== undefined) end.responseHeaders = this.#responseHeaders;
    if (call.sentAtMs > 0) {
      end.upstreamMs = performance.now() - call.sentAtMs;
      if (call.firstByteAtMs !== undefined) end.ttfbMs = call.firstByteAtMs - call.sentAtMs;
    }
    return end;
  }

  /** Of what is no call: a notification, an answer to a server request, a GET stream. */
  ofOther(verdict: Verdict, response?: CapturedBody): CallEnd {
    return {
      ...(this.status === 0 ? {} : { httpStatus: this.status }),
      ...(this.#responseHeaders === undefined ? {} : { responseHeaders: this.#responseHeaders }),
      ...(this.#sentAtMs === 0 ? {} : { upstreamMs: performance.now() - this.#sentAtMs }),
      ...(this.#firstByteAtMs === undefined ? {} : { ttfbMs: this.#firstByteAtMs - this.#sentAtMs }),
      ...verdict,
      ...(response === undefined ? {} : { response }),
    };
  }
}

function unlessCancelled(call: OpenCall, verdict: Verdict): Verdict {
  if (!call.cancelRequested || verdict.outcome === 'success' || verdict.outcome === 'tool_error') return verdict;
  // silence is what the protocol asks for then
  if (verdict.errorType === 'upstream_protocol' || verdict.errorType === 'upstream_timeout')
    return { outcome: 'cancelled' };
  return { ...verdict, outcome: 'cancelled' };
}
