/**
 * Time for records: epoch nanoseconds that follow the system clock, and durations from a clock that never goes back.
 * When the system clock is set, later records follow it; their order in the chain (`seq`) does not depend on it.
 * Resolution is about a quarter of a microsecond (a double at today's epoch milliseconds).
 */
import type { HrTime } from '@opentelemetry/api';

export interface Clock {
  /** system clock, milliseconds since 1970 */
  wallMs(): number;
  /** milliseconds, never going back; the scale of `performance.now()` */
  monotonicMs(): number;
}

export const systemClock: Clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };

/** The wall clock has a resolution of 1 ms; a larger difference means that somebody set it. */
const TOLERANCE_MS = 2;

/** Epoch times with the resolution of the monotonic clock. */
export class EpochTime {
  readonly #clock: Clock;
  #wallMs: number;
  #monotonicMs: number;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
    this.#wallMs = clock.wallMs();
    this.#monotonicMs = clock.monotonicMs();
  }

  /** @param monotonicMs instant by the monotonic clock, now or a little earlier */
  at(monotonicMs: number): HrTime {
    const wallMs = this.#clock.wallMs();
    const nowMs = this.#clock.monotonicMs();
    const offMs = this.#wallMs + (nowMs - this.#monotonicMs) - wallMs;
    if (offMs > TOLERANCE_MS || offMs < -TOLERANCE_MS) {
      this.#wallMs = wallMs;
      this.#monotonicMs = nowMs;
    }
    return hrTimeOfMs(this.#wallMs + (monotonicMs - this.#monotonicMs));
  }

  now(): HrTime {
    return this.at(this.#clock.monotonicMs());
  }
}

function hrTimeOfMs(epochMs: number): HrTime {
  const ms = epochMs > 0 ? epochMs : 0;
  const seconds = Math.floor(ms / 1000);
  const nanos = Math.floor((ms - seconds * 1000) * 1e6);
  return nanos >= 1e9 ? [seconds + 1, nanos - 1e9] : [seconds, nanos];
}

/** @param durationMs negative counts as 0 */
export function addMs(time: HrTime, durationMs: number): HrTime {
  const durationNs = nanosOfMs(durationMs);
  const nanos = time[1] + (durationNs % 1e9);
  const seconds = time[0] + Math.floor(durationNs / 1e9);
  return nanos >= 1e9 ? [seconds + 1, nanos - 1e9] : [seconds, nanos];
}

/** Whole nanoseconds; never negative, never beyond what a double counts exactly. */
export function nanosOfMs(durationMs: number): number {
  if (!(durationMs > 0)) return 0;
  return Math.min(Math.round(durationMs * 1e6), Number.MAX_SAFE_INTEGER);
}

export function epochNanos(time: HrTime): bigint {
  return BigInt(time[0]) * 1_000_000_000n + BigInt(time[1]);
}

/** Decimal text of `epochNanos`, without a bigint on the way. */
export function nanosText([seconds, nanos]: HrTime): string {
  return seconds === 0 ? nanos.toString() : `${seconds}${nanos.toString().padStart(9, '0')}`;
}

/** @param to not before `from` */
export function timeBetween(from: HrTime, to: HrTime): HrTime {
  const seconds = to[0] - from[0];
  const nanos = to[1] - from[1];
  return nanos < 0 ? [seconds - 1, nanos + 1e9] : [seconds, nanos];
}
