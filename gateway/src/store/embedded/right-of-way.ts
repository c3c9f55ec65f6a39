/**
 * Lets short questions go before long reads: a long read asks here between two blocks, and waits while somebody at a
 * page waits for an answer. It never waits for long, so that a page that is always busy does not stop it.
 */
const POLITE_MS = 250;
/** A page asks several questions one after the other; the next one comes within this. */
const PAUSE_MS = 25;

export class RightOfWay {
  readonly #pauseMs: number;
  #urgent = 0;
  #pause: NodeJS.Timeout | undefined;
  #waiting: (() => void)[] = [];

  constructor(pauseMs = PAUSE_MS) {
    this.#pauseMs = pauseMs;
  }

  /** @returns says that it is over */
  urgent(): () => void {
    this.#urgent += 1;
    clearTimeout(this.#pause);
    this.#pause = undefined;
    let over = false;
    return () => {
      if (over) return;
      over = true;
      this.#urgent -= 1;
      if (this.#urgent > 0) return;
      this.#pause = setTimeout(() => {
        this.#pause = undefined;
        for (const wake of this.#waiting.splice(0)) wake();
      }, this.#pauseMs);
    };
  }

  /** Resolves once nothing urgent runs or is about to, or it was polite for long enough. */
  async clear(atMostMs = POLITE_MS): Promise<void> {
    if (this.#urgent === 0 && this.#pause === undefined) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((wake) => {
      this.#waiting.push(wake);
      timer = setTimeout(wake, atMostMs);
    });
    clearTimeout(timer);
  }
}
