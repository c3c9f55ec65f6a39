/**
 * Requests that an upstream server put to a client (sampling, elicitation, roots) and that the client has not answered
 * yet. The answer comes in another POST, so they are kept by session and id; bounded and with an expiry, after which
 * the record ends as a timeout.
 */
import type { CallEnd, CallObservation } from '../observer.ts';

export interface ServerRequestsOptions {
  /** default 10 000 */
  readonly capacity?: number;
  /** default 10 min: a person may have to answer */
  readonly expiryMs?: number;
}

interface Waiting {
  readonly observation: CallObservation;
  readonly timer: NodeJS.Timeout;
}

export class ServerRequests {
  readonly #waiting = new Map<string, Waiting>();
  readonly #capacity: number;
  readonly #expiryMs: number;

  constructor(options: ServerRequestsOptions = {}) {
    this.#capacity = options.capacity ?? 10_000;
    this.#expiryMs = options.expiryMs ?? 600_000;
  }

  has(session: string, key: string): boolean {
    return this.#waiting.has(`${session}\0${key}`);
  }

  /** @param key comparable form of the id (`idKey`) */
  add(session: string, key: string, observation: CallObservation): void {
    const name = `${session}\0${key}`;
    const timer = setTimeout(() => this.#end(name, { outcome: 'timeout', errorType: 'client_gone' }), this.#expiryMs);
    timer.unref();
    this.#waiting.set(name, { observation, timer });
    if (this.#waiting.size <= this.#capacity) return;
    const oldest = this.#waiting.keys().next();
    if (oldest.done !== true) this.#end(oldest.value, { outcome: 'timeout', errorType: 'client_gone' });
  }

  /** Takes it out: whoever gets it must end it. */
  take(session: string, key: string): CallObservation | undefined {
    const name = `${session}\0${key}`;
    const waiting = this.#waiting.get(name);
    if (waiting === undefined) return undefined;
    clearTimeout(waiting.timer);
    this.#waiting.delete(name);
    return waiting.observation;
  }

  /** The server took the request back. */
  cancel(session: string, key: string): void {
    this.#end(`${session}\0${key}`, { outcome: 'cancelled' });
  }

  endSession(session: string): void {
    const prefix = `${session}\0`;
    for (const name of [...this.#waiting.keys()]) {
      if (name.startsWith(prefix)) this.#end(name, { outcome: 'cancelled', errorType: 'client_gone' });
    }
  }

  async endAll(end: CallEnd): Promise<void> {
    const ends = [...this.#waiting.values()].map(({ observation, timer }) => {
      clearTimeout(timer);
      return observation.end(end);
    });
    this.#waiting.clear();
    await Promise.allSettled(ends);
  }

  #end(name: string, end: CallEnd): void {
    const waiting = this.#waiting.get(name);
    if (waiting === undefined) return;
    clearTimeout(waiting.timer);
    this.#waiting.delete(name);
    waiting.observation.end(end).catch(() => undefined);
  }
}
