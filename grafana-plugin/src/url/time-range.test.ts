import { describe, expect, it } from 'vitest';
import { absoluteRange, readRange, toInstants, toTimeRange } from './time-range.ts';

const LAST_DAY = { from: 'now-24h', to: 'now' };
const read = (text: string) => readRange(new URLSearchParams(text), LAST_DAY);

describe('a time range in the address', () => {
  it.each([
    ['from=now-7d&to=now', { from: 'now-7d', to: 'now' }],
    ['from=now-1d/d&to=now-1d/d', { from: 'now-1d/d', to: 'now-1d/d' }],
    ['from=1764000000000&to=1764003600000', { from: '1764000000000', to: '1764003600000' }],
    ['from=2026-11-24T08:00:00Z&to=2026-11-24T09:00:00Z', { from: '2026-11-24T08:00:00Z', to: '2026-11-24T09:00:00Z' }],
  ])('%s is kept as it is', (text, range) => {
    expect(read(text)).toEqual(range);
  });

  it.each(['', 'from=yesterday', 'from=now&to=now-1h', 'from=<script>&to=now', 'from=NaN'])(
    '%s falls back to the last day',
    (text) => {
      expect(read(text)).toEqual(LAST_DAY);
    }
  );

  it('becomes two instants that the audit API understands', () => {
    const { from, to } = toInstants(toTimeRange({ from: '1764000000000', to: '1764003600000' }));
    expect([from, to]).toEqual(['2025-11-24T16:00:00.000Z', '2025-11-24T17:00:00.000Z']);
  });

  it('drawn from right to left, or too short, is still a range of at least a second', () => {
    expect(absoluteRange(2000.7, 1000.2)).toEqual({ from: '1000', to: '2001' });
    expect(absoluteRange(1000, 1000)).toEqual({ from: '1000', to: '2000' });
  });
});
