/**
 * How wide the bars of a chart are, and all of them in order: buckets without a row are there too. Widths are those
 * that people read off a clock; starts are multiples of the width since 1970, so they stay when the range moves.
 */
import type { TimeWindow } from '../store/queries/scope.ts';
import { formatInstant } from './time-range.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WIDTHS_SECONDS = [
  1,
  5,
  10,
  30,
  MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
  DAY,
  7 * DAY,
  30 * DAY,
];
const NS_PER_SECOND = 1_000_000_000n;

export interface TimeBuckets {
  readonly seconds: number;
  /** number of the first one: seconds since 1970 / width */
  readonly first: number;
  readonly count: number;
}

/** @param atMost a range of centuries is cut into wider ones than any on the list */
export function timeBuckets({ fromNs, toNs }: TimeWindow, atMost: number): TimeBuckets {
  const cut = (seconds: number): TimeBuckets => {
    const widthNs = BigInt(seconds) * NS_PER_SECOND;
    const first = fromNs / widthNs;
    return { seconds, first: Number(first), count: Number((toNs - 1n) / widthNs - first) + 1 };
  };
  for (const seconds of WIDTHS_SECONDS) {
    const buckets = cut(seconds);
    if (buckets.count <= atMost) return buckets;
  }
  let seconds = 60 * DAY;
  while (cut(seconds).count > atMost) seconds *= 2;
  return cut(seconds);
}

/** RFC 3339 */
export function bucketStart(buckets: TimeBuckets, index: number): string {
  return formatInstant(BigInt(buckets.first + index) * BigInt(buckets.seconds) * NS_PER_SECOND);
}

/** One result for each bucket, in order. */
export function fillBuckets<Row extends { readonly bucket: number | string }, Result>(
  buckets: TimeBuckets,
  rows: readonly Row[],
  make: (rows: readonly Row[], start: string) => Result
): Result[] {
  const byBucket = new Map<number, Row[]>();
  for (const row of rows) {
    const index = Number(row.bucket) - buckets.first;
    const there = byBucket.get(index);
    if (there === undefined) byBucket.set(index, [row]);
    else there.push(row);
  }
  return Array.from({ length: buckets.count }, (_, index) =>
    make(byBucket.get(index) ?? [], bucketStart(buckets, index))
  );
}
