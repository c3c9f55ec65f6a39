/**
 * Where refused attempts come from: a bucket and a sum for each source, in a bounded table. When it is full, sources that
 * were quiet are forgotten; if none was, new ones share a single bucket and a single sum, so that nothing goes uncounted.
 */
import type { Caller } from '../mcp/observer.ts';
import { fullBucket, refill, type BucketRate, type TokenBucket } from './token-bucket.ts';

/** What got no record of its own, of one source or of several together. */
export interface LeftOut {
  /** first address of the network; `''`: more than one network */
  readonly address: string;
  /** who, when they were known and one */
  readonly caller?: Caller;
  /** how many networks or callers it is about */
  readonly sources: number;
  readonly attempts: number;
  /** by error code */
  readonly bySort: Readonly<Record<string, number>>;
  /** `performance.now()` of the first */
  readonly sinceMs: number;
}

export interface AttemptSource {
  readonly key: string;
  /** `''` once there was more than one */
  address: string;
  readonly caller?: Caller;
  readonly bucket: TokenBucket;
  readonly bySort: Map<string, number>;
  /** how many a sum that was given back was about; 0: itself */
  sources: number;
  attempts: number;
  sinceMs: number;
}

/** The key of what has no source of its own: a socket without an address (it is gone), sums of several, no room. */
const SHARED = '';
/** Looking for quiet sources takes a while, so not every new one may ask for it. */
const SWEEP_MS = 1000;

export class AttemptSources {
  readonly rate: BucketRate;
  readonly #capacity: number;
  readonly #sources = new Map<string, AttemptSource>();
  #sweptAtMs = Number.NEGATIVE_INFINITY;

  constructor(rate: BucketRate, capacity: number) {
    this.rate = rate;
    this.#capacity = capacity;
  }

  /** The source with its bucket refilled. */
  find(key: string, address: string, caller: Caller | undefined, nowMs: number): AttemptSource {
    let source = this.#sources.get(key);
    if (source === undefined) {
      const room = this.#makeRoom(nowMs);
      source = room ? undefined : this.#sources.get(SHARED);
      if (source === undefined) {
        source = {
          key: room ? key : SHARED,
          address: room ? address : '',
          ...(caller === undefined || !room ? {} : { caller }),
          bucket: fullBucket(this.rate, nowMs),
          bySort: new Map(),
          sources: 0,
          attempts: 0,
          sinceMs: nowMs,
        };
        this.#sources.set(source.key, source);
      }
    }
    refill(source.bucket, this.rate, nowMs);
    return source;
  }

  /** Counts what was left out. */
  add(source: AttemptSource, sorts: Iterable<readonly [sort: string, attempts: number]>, sinceMs: number): void {
    source.sinceMs = source.attempts === 0 ? sinceMs : Math.min(source.sinceMs, sinceMs);
    for (const [sort, attempts] of sorts) {
      source.attempts += attempts;
      source.bySort.set(sort, (source.bySort.get(sort) ?? 0) + attempts);
    }
  }

  /** All sums, the greatest first, in no more than `most` parts: the small ones become one. Begins anew. */
  take(most: number, nowMs: number): LeftOut[] {
    const sums: LeftOut[] = [];
    for (const source of this.#sources.values()) {
      if (source.attempts === 0) continue;
      sums.push({
        address: source.address,
        ...(source.caller === undefined ? {} : { caller: source.caller }),
        sources: Math.max(1, source.sources),
        attempts: source.attempts,
        bySort: Object.fromEntries(source.bySort),
        sinceMs: source.sinceMs,
      });
      source.attempts = 0;
      source.sources = 0;
      source.bySort.clear();
    }
    this.#forgetQuiet(nowMs);
    sums.sort((a, b) => b.attempts - a.attempts);
    return sums.length <= most ? sums : [...sums.slice(0, most - 1), merged(sums.slice(most - 1))];
  }

  #makeRoom(nowMs: number): boolean {
    if (this.#sources.size < this.#capacity) return true;
    if (nowMs - this.#sweptAtMs < SWEEP_MS) return false;
    this.#forgetQuiet(nowMs);
    return this.#sources.size < this.#capacity;
  }

  #forgetQuiet(nowMs: number): void {
    this.#sweptAtMs = nowMs;
    for (const [key, source] of this.#sources) {
      if (source.attempts > 0) continue;
      refill(source.bucket, this.rate, nowMs);
      if (source.bucket.tokens >= this.rate.capacity) this.#sources.delete(key);
    }
  }
}

function merged(sums: readonly LeftOut[]): LeftOut {
  const bySort: Record<string, number> = {};
  let [sources, attempts, sinceMs] = [0, 0, Number.POSITIVE_INFINITY];
  for (const sum of sums) {
    sources += sum.sources;
    attempts += sum.attempts;
    sinceMs = Math.min(sinceMs, sum.sinceMs);
    for (const [sort, count] of Object.entries(sum.bySort)) bySort[sort] = (bySort[sort] ?? 0) + count;
  }
  return { address: '', sources, attempts, bySort, sinceMs };
}
