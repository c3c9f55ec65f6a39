/**
 * A token bucket: so many at once, so many in a time. Pure arithmetic on the clock that is handed in; who has which
 * bucket, and how many buckets there may be, is for others to know.
 */
export interface TokenBucket {
  tokens: number;
  atMs: number;
}

export interface BucketRate {
  /** how many at once */
  readonly capacity: number;
  /** tokens that come back in a millisecond */
  readonly perMs: number;
}

export function fullBucket({ capacity }: BucketRate, nowMs: number): TokenBucket {
  return { tokens: capacity, atMs: nowMs };
}

/** A clock that went back gives nothing and takes nothing. */
export function refill(bucket: TokenBucket, { capacity, perMs }: BucketRate, nowMs: number): void {
  bucket.tokens = Math.min(capacity, bucket.tokens + Math.max(0, nowMs - bucket.atMs) * perMs);
  bucket.atMs = nowMs;
}

/** @returns how long until the next token comes, of a bucket that has none; refilled already */
export function waitMs(bucket: TokenBucket, { perMs }: BucketRate): number {
  return Math.ceil((1 - bucket.tokens) / perMs);
}
