/**
 * The answer to one POST of a client with one or more requests in it. Plain JSON when the responses are all there is to
 * say; an event stream as soon as something else belongs to the request (progress, a question of the server), when the
 * client takes nothing else, or when the answer takes long. Waits for the records: intents before the first byte, ends
 * before the responses. Knows nothing of the child.
 */
import type { Exchange } from '../exchange.ts';
import type { RequestAnswer } from './request-answer.ts';
import type { Acceptable } from './stdio-accept.ts';
import type { Carrier, EventStream, Flow, OutgoingEvent } from './stdio-event-stream.ts';
import { toEventData } from '../scan/stdio-framing.ts';
import { rpcErrorBody } from './stdio-rpc.ts';

export interface PostAnswerOptions {
  readonly accepts: Acceptable;
  readonly gauge: Flow;
  readonly sseAfterMs: number;
  readonly stallTimeoutMs: number;
  /** the client's revision knows events without data */
  readonly prime: boolean;
  /** as they are when the answer begins */
  headers(): Record<string, string>;
  /** @param onAbandoned the client lost the connection and did not resume the stream in time */
  openStream(onAbandoned: () => void): EventStream;
  /** The client is gone for good: it never had an event id to come back with, or did not come back. */
  onGone(): void;
  /** An intent could not be recorded. */
  onRefused(): void;
}

interface Answer {
  readonly body: Uint8Array;
  readonly settled: Promise<unknown>;
  readonly status: number;
  readonly instead: () => Uint8Array;
}

const CANCELLED = -32800;

export class PostAnswer implements RequestAnswer {
  readonly exchange: Exchange;
  /** Resolves when this connection has nothing more to carry. */
  readonly done: Promise<void>;
  readonly #options: PostAnswerOptions;
  readonly #intents: Promise<unknown>[] = [];
  readonly #answers: Answer[] = [];
  #resolveDone: () => void = () => undefined;
  #open = 0;
  #stream: EventStream | undefined;
  #finished = false;
  #upgrade: NodeJS.Timeout | undefined;

  constructor(exchange: Exchange, options: PostAnswerOptions) {
    this.exchange = exchange;
    this.#options = options;
    this.done = new Promise((resolve) => (this.#resolveDone = resolve));
  }

  get stream(): EventStream | undefined {
    return this.#stream;
  }

  get carriesEvents(): boolean {
    if (this.#finished) return false;
    return this.#stream === undefined ? this.#options.accepts.sse && this.exchange.unanswered : !this.#stream.ended;
  }

  expect(intent: Promise<unknown>): void {
    this.#open += 1;
    this.#intents.push(intent);
  }

  start(): void {
    Promise.all(this.#intents).catch(() => this.#options.onRefused());
    this.exchange.signal.addEventListener('abort', () => this.#lost(), { once: true });
    if (this.exchange.signal.aborted) this.#lost();
    else if (!this.#options.accepts.json) this.#openStream();
    else if (this.#options.accepts.sse) this.#upgrade = setTimeout(() => this.#openStream(), this.#options.sseAfterMs);
  }

  push(event: OutgoingEvent): void {
    this.#openStream()?.push(event);
  }

  respond(body: Uint8Array, settled: Promise<unknown>, instead: () => Uint8Array, status = 200): void {
    this.#open -= 1;
    const answer = { body, settled, status, instead };
    if (this.#stream === undefined) this.#answers.push(answer);
    else this.#pushAnswer(this.#stream, answer);
    this.#finishIfComplete();
  }

  withdraw(rpcId: string): void {
    this.#open -= 1;
    if (this.#open === 0 && this.#answers.length === 0 && this.#openStream() === undefined) {
      const body = rpcErrorBody(rpcId, CANCELLED, 'The request was cancelled.');
      this.#answers.push({ body, settled: Promise.resolve(), status: 200, instead: () => body });
    }
    this.#finishIfComplete();
  }

  #openStream(): EventStream | undefined {
    if (this.#stream !== undefined || !this.carriesEvents) return this.#stream;
    clearTimeout(this.#upgrade);
    const { exchange } = this;
    const stream = this.#options.openStream(() => this.#gone());
    this.#stream = stream;
    const answer = exchange.openSse(Promise.all(this.#intents), this.#options.headers());
    const carrier: Carrier = { answer, destroy: () => exchange.res.destroy() };
    exchange.signal.addEventListener('abort', () => stream.detach(carrier), { once: true });
    void stream.attach(carrier);
    if (this.#options.prime) stream.prime();
    for (const waiting of this.#answers.splice(0)) this.#pushAnswer(stream, waiting);
    return stream;
  }

  #pushAnswer(stream: EventStream, answer: Answer): void {
    stream.push({ data: toEventData(answer.body), settled: answer.settled, instead: answer.instead });
  }

  #finishIfComplete(): void {
    if (this.#open > 0 || this.#finished) return;
    this.#finished = true;
    clearTimeout(this.#upgrade);
    void this.#finish().finally(this.#resolveDone);
  }

  async #finish(): Promise<void> {
    if (this.#stream !== undefined) {
      await this.#stream.end();
      return;
    }
    const settled = Promise.all([...this.#intents, ...this.#answers.map((answer) => answer.settled)]);
    const [first] = this.#answers;
    const { batch } = this.exchange;
    const status = batch ? 200 : (first?.status ?? 200);
    const body = batch ? joined(this.#answers.map((answer) => answer.body)) : first?.body;
    await this.exchange.sendJson(status, body, settled, this.#options.headers());
    this.#holdBack(body?.length ?? 0);
  }

  /** Counts the body until the client has read it; one that does not is taken for gone. */
  #holdBack(bodyBytes: number): void {
    const { res } = this.exchange;
    if (res.closed || res.writableFinished) return;
    const { gauge, stallTimeoutMs } = this.#options;
    gauge.add(bodyBytes);
    const stalled = setTimeout(() => res.destroy(), stallTimeoutMs);
    res.once('close', () => {
      clearTimeout(stalled);
      gauge.remove(bodyBytes);
    });
  }

  #lost(): void {
    clearTimeout(this.#upgrade);
    this.#resolveDone();
    if (this.#finished) return;
    // Until the client resumes the stream or its grace runs out, the requests go on.
    if (this.#stream?.resumable !== true) this.#gone();
  }

  #gone(): void {
    if (this.#finished) return;
    this.#finished = true;
    void this.#stream?.end();
    this.#options.onGone();
  }
}

function joined(bodies: readonly Uint8Array[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const body of bodies) parts.push(Buffer.from(parts.length === 0 ? '[' : ','), body);
  return Buffer.concat([...parts, Buffer.from(']')]);
}
