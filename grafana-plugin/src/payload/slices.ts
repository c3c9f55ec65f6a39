/** Work in pieces of a few milliseconds, so that the page draws and answers meanwhile. Ends when nobody wants the result. */

const SLICE_MS = 8;

interface SlicesOptions {
  readonly signal: AbortSignal;
  readonly nowMs?: () => number;
  /** lets others work */
  readonly pause?: () => Promise<void>;
}

export class Slices {
  readonly #signal: AbortSignal;
  readonly #nowMs: () => number;
  readonly #pause: () => Promise<void>;
  #startMs: number;

  constructor({ signal, nowMs = () => performance.now(), pause = afterOthers }: SlicesOptions) {
    this.#signal = signal;
    this.#nowMs = nowMs;
    this.#pause = pause;
    this.#startMs = nowMs();
  }

  /** To be asked every few hundred steps. @returns false: stop */
  async goOn(): Promise<boolean> {
    if (this.#nowMs() - this.#startMs < SLICE_MS) return true;
    await this.#pause();
    this.#startMs = this.#nowMs();
    return !this.#signal.aborted;
  }
}

function afterOthers(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
