/**
 * Records of what a client sent and gets no JSON-RPC response for: notifications, and its answers to requests of the
 * server. They end together, once, by the status of the answer. Part of exchange-records.ts.
 */
import type { ExchangeOutcome } from './exchange-outcome.ts';
import type { ReceivedMessage } from '../message.ts';
import type { CallObservation, CapturedBody } from '../observer.ts';
import { verdictOf } from '../outcome.ts';
import type { Verdict } from '../outcome.ts';

interface Delivery {
  /** the server's request */
  readonly observation: CallObservation;
  readonly message: ReceivedMessage;
}

export class ExchangeNotices {
  /** they were opened by this exchange */
  readonly opened: CallObservation[] = [];
  readonly #deliveries: Delivery[] = [];
  readonly #outcome: ExchangeOutcome;
  #ended: Promise<unknown> | undefined;

  constructor(outcome: ExchangeOutcome) {
    this.#outcome = outcome;
  }

  get none(): boolean {
    return this.opened.length === 0 && this.#deliveries.length === 0;
  }

  add(observation: CallObservation): void {
    this.opened.push(observation);
  }

  /** The client answers a request of the server that was recorded when it passed. */
  deliver(observation: CallObservation, message: ReceivedMessage): void {
    this.#deliveries.push({ observation, message });
  }

  /** Only the first counts. @param response what the client got for a notification */
  end(verdict: Verdict, response?: CapturedBody): Promise<unknown> {
    if (this.#ended !== undefined) return this.#ended;
    if (this.none) return Promise.resolve();
    const ends: Promise<unknown>[] = [];
    for (const notice of this.opened) ends.push(notice.end(this.#outcome.ofOther(verdict, response)));
    for (const { observation, message } of this.#deliveries) {
      const chunks = observation.captureBytes > 0 ? [message.bytes.subarray(0, observation.captureBytes)] : [];
      const answer: CapturedBody = { chunks, bytes: message.bytes.length, format: 'json' };
      const delivered = verdict.outcome === 'success' ? verdictOf(message) : verdict;
      ends.push(observation.end(this.#outcome.ofOther(delivered, answer)));
    }
    return (this.#ended = Promise.all(ends));
  }
}
