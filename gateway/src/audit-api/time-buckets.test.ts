import { describe, expect, test } from 'vitest';
import { bucketStart, fillBuckets, timeBuckets } from './time-buckets.ts';

const ns = (iso: string): bigint => BigInt(Date.parse(iso)) * 1_000_000n;
const range = (from: string, to: string) => ({ fromNs: ns(from), toNs: ns(to) });

describe('the width', () => {
  test.each([
    ['2026-11-24T08:00:00Z', '2026-11-24T08:01:00Z', 120, 1],
    ['2026-11-24T08:00:00Z', '2026-11-24T09:00:00Z', 120, 30],
    ['2026-11-23T08:00:00Z', '2026-11-24T08:00:00Z', 120, 1800],
    ['2026-11-17T08:00:00Z', '2026-11-24T08:00:00Z', 120, 3 * 3600],
    ['2026-10-24T08:00:00Z', '2026-11-24T08:00:00Z', 120, 12 * 3600],
    ['2025-11-24T08:00:00Z', '2026-11-24T08:00:00Z', 120, 7 * 86400],
    ['1970-01-01T00:00:00Z', '2262-04-11T00:00:00Z', 10, (122_880 * 86400) / 8],
    ['2026-11-24T08:00:00.000Z', '2026-11-24T08:00:00.001Z', 120, 1],
  ])('of %s to %s in at most %i is %i s', (from, to, atMost, seconds) => {
    const buckets = timeBuckets(range(from, to), atMost);
    expect(buckets.seconds).toBe(seconds);
    expect(buckets.count).toBeLessThanOrEqual(atMost);
  });
});

test('buckets cover the range: the first holds its start, the last the nanosecond before its end', () => {
  const buckets = timeBuckets(range('2026-11-24T08:00:10Z', '2026-11-24T09:00:00Z'), 12);
  expect(buckets.seconds).toBe(300);
  expect(bucketStart(buckets, 0)).toBe('2026-11-24T08:00:00.000000000Z');
  expect(bucketStart(buckets, buckets.count - 1)).toBe('2026-11-24T08:55:00.000000000Z');
});

test('buckets without a row are there all the same, and rows outside are not', () => {
  const buckets = timeBuckets(range('1970-01-01T00:00:10Z', '1970-01-01T00:00:13Z'), 5);
  const rows = [
    { bucket: '11', n: 1 },
    { bucket: 11, n: 2 },
    { bucket: 99, n: 3 },
  ];
  const sums = fillBuckets(buckets, rows, (own) => own.reduce((sum, { n }) => sum + n, 0));
  expect(sums).toEqual([0, 3, 0]);
});
