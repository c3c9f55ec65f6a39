/**
 * How many refused attempts become records of their own. Strangers are counted by network and all together, known callers
 * by themselves, so that no flood of strangers hides what a caller was denied. What is beyond is counted by its sort until
 * somebody takes the sums and records them. Decides about records only; who is refused, and why, was decided before.
 */
import type { Caller } from '../mcp/observer.ts';
import { AttemptSources, type AttemptSource, type LeftOut } from './attempt-sources.ts';
import { networkOf } from './network.ts';
import { callerId } from './principal.ts';
import { fullBucket, refill, waitMs, type BucketRate, type TokenBucket } from './token-bucket.ts';

/** `limits.attempts` of the configuration. */
export interface AttemptLimitSettings {
  readonly perAddress: number;
  readonly perCaller: number;
  /** of strangers, over all addresses */
  readonly inAll: number;
  /** ms */
  readonly every: number;
}

/** Whether an attempt gets a record of its own. If not, it has been counted. */
export type AttemptDecision =
  | { readonly record: true }
  | {
      readonly record: false;
      /** set when the source alone sends more than it may: when it may come again */
      readonly retryAfterMs?: number;
    };

const MOST_SOURCES = 10_000;
/** Of strangers and of callers each: what a flood from everywhere costs in records. */
const MOST_SUMS = 50;
const RECORD: AttemptDecision = { record: true };
const ONLY_COUNT: AttemptDecision = { record: false };

export class AttemptLimits {
  readonly #strangers: AttemptSources;
  readonly #callers: AttemptSources;
  readonly #all: TokenBucket;
  readonly #allRate: BucketRate;
  readonly #now: () => number;
  #leftOut = 0;

  constructor(settings: AttemptLimitSettings, now: () => number = () => performance.now()) {
    const rate = (capacity: number): BucketRate => ({ capacity, perMs: capacity / settings.every });
    this.#now = now;
    this.#strangers = new AttemptSources(rate(settings.perAddress), MOST_SOURCES);
    this.#callers = new AttemptSources(rate(settings.perCaller), MOST_SOURCES);
    this.#allRate = rate(settings.inAll);
    this.#all = fullBucket(this.#allRate, now());
  }

  /** since start */
  get leftOutTotal(): number {
    return this.#leftOut;
  }

  /** A refused attempt of nobody who is known. @param sort an error code */
  ofStranger(address: string, sort: string): AttemptDecision {
    const nowMs = this.#now();
    const source = this.#stranger(address, nowMs);
    refill(this.#all, this.#allRate, nowMs);
    const within = source.bucket.tokens >= 1;
    if (within) source.bucket.tokens -= 1;
    if (within && this.#all.tokens >= 1) {
      this.#all.tokens -= 1;
      return RECORD;
    }
    this.#leaveOut(this.#strangers, source, sort, 1, nowMs);
    // others filled the common bucket: this one may go on, and needs the true answer to do so
    return within ? ONLY_COUNT : { record: false, retryAfterMs: waitMs(source.bucket, this.#strangers.rate) };
  }

  /** @param records how many it would make: a refused body makes one for each of its messages */
  ofCaller(caller: Caller, address: string, sort: string, records: number): AttemptDecision {
    const nowMs = this.#now();
    const source = this.#callers.find(callerId(caller), address, caller, nowMs);
    const { bucket } = source;
    if (bucket.tokens >= 1) {
      bucket.tokens -= records;
      return RECORD;
    }
    if (source.address !== address) source.address = '';
    this.#leaveOut(this.#callers, source, sort, records, nowMs);
    return { record: false, retryAfterMs: waitMs(bucket, this.#callers.rate) };
  }

  /** Counts what never has a record of its own. */
  count(address: string, sort: string): void {
    const nowMs = this.#now();
    this.#leaveOut(this.#strangers, this.#stranger(address, nowMs), sort, 1, nowMs);
  }

  /** The sums since the last time, and begins anew. */
  take(): LeftOut[] {
    const nowMs = this.#now();
    return [...this.#strangers.take(MOST_SUMS, nowMs), ...this.#callers.take(MOST_SUMS, nowMs)];
  }

  /** A sum that could not be recorded becomes part of the next. */
  giveBack({ caller, address, bySort, sources, sinceMs }: LeftOut): void {
    const nowMs = this.#now();
    const table = caller === undefined ? this.#strangers : this.#callers;
    const source = table.find(caller === undefined ? address : callerId(caller), address, caller, nowMs);
    source.sources = Math.max(source.sources, sources);
    table.add(source, Object.entries(bySort), sinceMs);
  }

  #stranger(address: string, nowMs: number): AttemptSource {
    const network = networkOf(address);
    return this.#strangers.find(network, network, undefined, nowMs);
  }

  #leaveOut(table: AttemptSources, source: AttemptSource, sort: string, attempts: number, nowMs: number): void {
    this.#leftOut += attempts;
    table.add(source, [[sort, attempts]], nowMs);
  }
}
