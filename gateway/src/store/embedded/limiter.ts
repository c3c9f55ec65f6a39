/**
 * A bounded number of things at once, the rest waiting in order, and a bounded queue. So one user's heavy queries
 * cannot take the connections, threads and memory of another's inserts.
 */
export class Limiter {
  readonly #limit: number;
  readonly #maxWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(limit: number, maxWaiting: number) {
    this.#limit = limit;
    this.#maxWaiting = maxWaiting;
  }

  /** @returns the release function, or undefined when the queue is full or the waiting was given up */
  async acquire(signal: AbortSignal): Promise<(() => void) | undefined> {
    if (signal.aborted) return undefined;
    if (this.#running < this.#limit) {
      this.#running += 1;
      return this.#releaser();
    }
    if (this.#waiting.length >= this.#maxWaiting) return undefined;
    const woken = await new Promise<boolean>((settle) => {
      const wake = (): void => {
        signal.removeEventListener('abort', giveUp);
        settle(true);
      };
      const giveUp = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(wake), 1);
        settle(false);
      };
      this.#waiting.push(wake);
      signal.addEventListener('abort', giveUp, { once: true });
    });
    return woken ? this.#releaser() : undefined;
  }

  #releaser(): () => void {
    let released = false;
    return () => {
      if (released) return;
      released = true;
      const next = this.#waiting.shift();
      // the place goes straight to the next in line, so nobody can slip in between
      if (next === undefined) this.#running -= 1;
      else next();
    };
  }
}
