/**
 * The answer to one POST of a client of the older HTTP+SSE transport (revision 2024-11-05): 202 as soon as its requests
 * are recorded as begun; what they come to goes into the client's one event stream, each when it is recorded. A POST that
 * could not be recorded is answered 503, and nothing of it follows.
 */
import type { Exchange } from '../exchange.ts';
import type { RequestAnswer } from './request-answer.ts';
import type { OutgoingEvent } from './stdio-event-stream.ts';
import { toEventData } from '../scan/stdio-framing.ts';

export interface LegacyAnswerOptions {
  readonly stream: { readonly ended: boolean; push(event: OutgoingEvent): void };
  /** An intent could not be recorded. */
  onRefused(): void;
}

export class LegacyAnswer implements RequestAnswer {
  readonly exchange: Exchange;
  readonly httpStatus = 202;
  /** Resolves when all its requests were answered or given up. */
  readonly done: Promise<void>;
  readonly #options: LegacyAnswerOptions;
  readonly #intents: Promise<unknown>[] = [];
  #resolveDone: () => void = () => undefined;
  #open = 0;
  #refused = false;

  constructor(exchange: Exchange, options: LegacyAnswerOptions) {
    this.exchange = exchange;
    this.#options = options;
    this.done = new Promise((resolve) => (this.#resolveDone = resolve));
  }

  get carriesEvents(): boolean {
    return !this.#options.stream.ended;
  }

  expect(intent: Promise<unknown>): void {
    this.#open += 1;
    this.#intents.push(intent);
  }

  async start(): Promise<void> {
    const recorded = Promise.all(this.#intents);
    recorded.catch(() => {
      this.#refused = true;
      this.#options.onRefused();
    });
    await this.exchange.sendJson(202, undefined, recorded);
  }

  push(event: OutgoingEvent): void {
    this.#options.stream.push(event);
  }

  respond(body: Uint8Array, settled: Promise<unknown>, instead: () => Uint8Array): void {
    if (!this.#refused) this.#options.stream.push({ data: toEventData(body), settled, instead });
    this.#finishOne();
  }

  withdraw(): void {
    this.#finishOne();
  }

  #finishOne(): void {
    this.#open -= 1;
    if (this.#open === 0) this.#resolveDone();
  }
}
