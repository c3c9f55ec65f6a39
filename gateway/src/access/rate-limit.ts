/**
 * A token bucket for each caller (or caller and server), where configured. Counts known callers only, after
 * authentication: a stranger cannot fill the table or empty somebody's bucket. Bounded; forgets who was idle longest.
 */
import { BoundedMap } from './bounded-map.ts';
import { callerId, type AuthenticatedCaller } from './principal.ts';
import { fullBucket, refill, waitMs, type BucketRate, type TokenBucket } from './token-bucket.ts';

/** `rateLimit` of the configuration. */
export interface RateLimitSettings {
  readonly requests: number;
  /** ms */
  readonly per: number;
  readonly burst?: number;
  readonly by: 'caller' | 'caller-and-server';
}

export type RateDecision = { readonly ok: true } | { readonly ok: false; readonly retryAfterMs: number };

export interface RateLimiter {
  /** Takes one request out of the caller's bucket. */
  take(caller: AuthenticatedCaller, server: string): RateDecision;
}

const MOST_BUCKETS = 10_000;
const PASS: RateDecision = { ok: true };

/** @param settings undefined: no limit */
export function createRateLimiter(
  settings: RateLimitSettings | undefined,
  now: () => number = () => performance.now()
): RateLimiter {
  if (settings === undefined) return { take: () => PASS };
  const rate: BucketRate = {
    capacity: settings.burst ?? settings.requests,
    perMs: settings.requests / settings.per,
  };
  const buckets = new BoundedMap<TokenBucket>(MOST_BUCKETS);

  return {
    take(caller, server) {
      const id = callerId(caller);
      const key = settings.by === 'caller' ? id : `${id}\0${server}`;
      const nowMs = now();
      const bucket = buckets.get(key) ?? fullBucket(rate, nowMs);
      refill(bucket, rate, nowMs);
      const allowed = bucket.tokens >= 1;
      if (allowed) bucket.tokens -= 1;
      buckets.set(key, bucket);
      return allowed ? PASS : { ok: false, retryAfterMs: waitMs(bucket, rate) };
    },
  };
}
