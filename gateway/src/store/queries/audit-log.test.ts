import { describe, expect, test } from 'vitest';
import { windows } from './audit-log.ts';

const HOUR = 3_600_000_000_000n;
const DAY = 24n * HOUR;
const NOW = 1_795_508_000_000_000_000n;
const LATEST = 9_223_372_036_854_775_807n;

function cut(filter: { fromNs?: bigint; toNs?: bigint }, after?: bigint): [bigint, bigint][] {
  const page = { nowNs: NOW, ...filter, ...(after === undefined ? {} : { after: { startedNs: after, callId: 'x' } }) };
  return [...windows(page)].map(({ fromNs, toNs }) => [fromNs, toNs]);
}

describe('windows of an audit log page', () => {
  test('begin narrow at now, and the first holds rows from a clock that runs ahead', () => {
    expect(cut({})).toEqual([
      [NOW - HOUR, LATEST],
      [NOW - DAY, NOW - HOUR],
      [NOW - 7n * DAY, NOW - DAY],
      [NOW - 30n * DAY, NOW - 7n * DAY],
      [NOW - 90n * DAY, NOW - 30n * DAY],
      [NOW - 365n * DAY, NOW - 90n * DAY],
      [0n, NOW - 365n * DAY],
    ]);
  });

  test.each([
    ['a short range', { fromNs: NOW - HOUR / 2n, toNs: NOW }],
    ['a range of two days', { fromNs: NOW - 2n * DAY, toNs: NOW }],
    ['a range long past', { fromNs: NOW - 90n * DAY, toNs: NOW - 50n * DAY }],
    ['a range in the future', { fromNs: NOW + HOUR, toNs: NOW + 2n * DAY }],
    ['from a time on', { fromNs: NOW - 3n * DAY }],
    ['until a time', { toNs: NOW - 3n * DAY }],
  ])('cover %s without gap or overlap', (_what, filter: { fromNs?: bigint; toNs?: bigint }) => {
    const pieces = cut(filter);
    expect(pieces[0]?.[1]).toBe(filter.toNs ?? LATEST);
    expect(pieces.at(-1)?.[0]).toBe(filter.fromNs ?? 0n);
    for (const [index, [lower, upper]] of pieces.entries()) {
      expect(lower < upper).toBe(true);
      if (index > 0) expect(upper).toBe(pieces[index - 1]?.[0]);
    }
  });

  test('go on from the cursor, its nanosecond included for rows of the same time', () => {
    expect(cut({}, NOW - 10n * DAY)[0]).toEqual([NOW - 10n * DAY + 1n - HOUR, NOW - 10n * DAY + 1n]);
    expect(cut({ fromNs: 0n, toNs: NOW }, NOW + DAY)[0]).toEqual([NOW - HOUR, NOW]);
  });

  test('are none when the cursor is past the end', () => {
    expect(cut({ fromNs: NOW }, NOW - DAY)).toEqual([]);
  });
});
