/** A clock that is set by hand, for records of days gone by. */
import type { Clock } from '../../telemetry/clock.ts';

export class PastClock implements Clock {
  readonly #startMs: number;
  #nowMs: number;

  /** @param startMs milliseconds since 1970; the monotonic clock starts here */
  constructor(startMs: number) {
    this.#startMs = startMs;
    this.#nowMs = startMs;
  }

  set(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  /** Whole milliseconds, as the system clock gives them. */
  wallMs(): number {
    return Math.floor(this.#nowMs);
  }

  monotonicMs(): number {
    return this.#nowMs - this.#startMs;
  }
}
