/**
 * Lets short questions go before long reads: a long read asks here between two blocks, and waits while somebody at a
 * page waits for an answer. It never waits for long, so that a page that is always busy does not stop it.
 */
const POLITE_MS = 250;

export class RightOfWay {
  #urgent = 0;
  #waiting: (() => void)[] = [];

  /** @returns says that it is over */
  urgent(): () => void {
    this.#urgent += 1;
    let over = false;
    return () => {
      if (over) return;
      over = true;
      this.#urgent -= 1;
      if (this.#urgent > 0) return;
      for (const wake of this.#waiting.splice(0)) wake();
    };
  }

  /** Resolves once nothing urgent runs, or it was polite for long enough. */
  async clear(atMostMs = POLITE_MS): Promise<void> {
    if (this.#urgent === 0) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((wake) => {
      this.#waiting.push(wake);
      timer = setTimeout(wake, atMostMs);
    });
    clearTimeout(timer);
  }
}
