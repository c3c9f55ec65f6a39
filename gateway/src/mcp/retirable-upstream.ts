/**
 * An upstream that can be taken out of service: calls that run may end, streams without an end of their own are cut, then
 * it is closed. In front of each upstream server, so that a shutdown or a changed configuration breaks no call that would
 * have ended in time. Takes no decision on new calls: whoever retires it hands it none.
 */
import { isEndless } from './endless.ts';
import type { Exchange, LegacyRole, Upstream } from './exchange.ts';

export class RetirableUpstream implements Upstream {
  readonly #inner: Upstream;
  readonly #waiting: (() => void)[] = [];
  #calls = 0;
  #retired: Promise<void> | undefined;

  constructor(inner: Upstream) {
    this.#inner = inner;
  }

  get kind(): Upstream['kind'] {
    return this.#inner.kind;
  }

  async kindFor(legacy: LegacyRole | undefined): Promise<Upstream['kind']> {
    return this.#inner.kindFor === undefined ? this.kind : this.#inner.kindFor(legacy);
  }

  async handle(exchange: Exchange): Promise<void> {
    if (isEndless(exchange)) return this.#inner.handle(exchange);
    this.#calls += 1;
    try {
      await this.#inner.handle(exchange);
    } finally {
      this.#calls -= 1;
      if (this.#calls === 0) for (const resolve of this.#waiting.splice(0)) resolve();
    }
  }

  /** Closes as soon as no call runs, at the latest after `graceMs`. */
  retire(graceMs: number): Promise<void> {
    this.#retired ??= this.#retire(graceMs);
    return this.#retired;
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async #retire(graceMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceMs);
    });
    const idle = new Promise<void>((resolve) => {
      if (this.#calls === 0) resolve();
      else this.#waiting.push(resolve);
    });
    await Promise.race([idle, late]);
    clearTimeout(timer);
    await this.#inner.close();
  }
}
