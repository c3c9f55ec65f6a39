/**
 * A token bucket for each caller (or caller and server), where configured. Counts known callers only, after
 * authentication: a stranger cannot fill the table or empty somebody's bucket. Bounded; forgets who was idle longest.
 */
import { BoundedMap } from './bounded-map.ts';
import type { AuthenticatedCaller } from './principal.ts';

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

interface Bucket {
  tokens: number;
  atMs: number;
}

const MOST_BUCKETS = 10_000;
const PASS: RateDecision = { ok: true };

/** @param settings undefined: no limit */
export function createRateLimiter(
  settings: RateLimitSettings | undefined,
  now: () => number = () => performance.now()
): RateLimiter {
  if (settings === undefined) return { take: () => PASS };
  const capacity = settings.burst ?? settings.requests;
  const perMs = settings.requests / settings.per;
  const buckets = new BoundedMap<Bucket>(MOST_BUCKETS);

  return {
    take(caller, server) {
      const id = `${caller.authMethod}\0${caller.userKey}\0${caller.keyName}`;
      const key = settings.by === 'caller' ? id : `${id}\0${server}`;
      const nowMs = now();
      const bucket = buckets.get(key) ?? { tokens: capacity, atMs: nowMs };
      // A clock that went back gives nothing and takes nothing.
      bucket.tokens = Math.min(capacity, bucket.tokens + Math.max(0, nowMs - bucket.atMs) * perMs);
      bucket.atMs = nowMs;
      const allowed = bucket.tokens >= 1;
      if (allowed) bucket.tokens -= 1;
      buckets.set(key, bucket);
      return allowed ? PASS : { ok: false, retryAfterMs: Math.ceil((1 - bucket.tokens) / perMs) };
    },
  };
}
