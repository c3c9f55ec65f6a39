/**
 * Slows down starts of a server whose child processes end before they answer `initialize`. Clients that retry in a loop
 * would otherwise start processes as fast as the machine can. The first failures cost nothing, so that a fixed
 * configuration works at once. Each caller waits for their own failures only.
 */

const FREE_FAILURES = 3;
const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 60_000;
const MAX_CALLERS = 1_000;

export class StartBackoff {
  readonly #now: () => number;
  #failures = 0;
  #notBefore = 0;

  /** @param now monotonic milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  get failures(): number {
    return this.#failures;
  }

  /** Milliseconds until the next start is allowed; 0: now. */
  waitMs(): number {
    return Math.max(0, Math.ceil(this.#notBefore - this.#now()));
  }

  worked(): void {
    this.#failures = 0;
    this.#notBefore = 0;
  }

  failed(): void {
    this.#failures += 1;
    if (this.#failures < FREE_FAILURES) return;
    const delayMs = Math.min(FIRST_DELAY_MS * 2 ** (this.#failures - FREE_FAILURES), LONGEST_DELAY_MS);
    this.#notBefore = this.#now() + delayMs;
  }
}

/** A client whose `initialize` makes the server fail must not lock out the others. Bounded: who failed longest ago goes. */
export class CallerBackoffs {
  readonly #create: () => StartBackoff;
  readonly #byCaller = new Map<string, StartBackoff>();

  constructor(create: () => StartBackoff) {
    this.#create = create;
  }

  of(caller: string): StartBackoff | undefined {
    return this.#byCaller.get(caller);
  }

  failed(caller: string): void {
    const backoff = this.#byCaller.get(caller) ?? this.#create();
    backoff.failed();
    this.#byCaller.delete(caller);
    this.#byCaller.set(caller, backoff);
    const [oldest] = this.#byCaller.keys();
    if (this.#byCaller.size > MAX_CALLERS && oldest !== undefined) this.#byCaller.delete(oldest);
  }

  worked(caller: string): void {
    this.#byCaller.delete(caller);
  }
}
