/**
 * The clock that the audit API is given: wall time for what is written down, monotonic time for how long something took.
 * It comes in from outside, so that tests may turn it.
 */
export interface ApiClock {
  /** milliseconds since 1970 */
  wallMs(): number;
  /** milliseconds that never go back; the scale of `performance.now()` */
  monotonicMs(): number;
}

const NS_PER_MS = 1_000_000n;

/** Now, ns since 1970. */
export function nowNs(clock: ApiClock): bigint {
  return BigInt(clock.wallMs()) * NS_PER_MS;
}
