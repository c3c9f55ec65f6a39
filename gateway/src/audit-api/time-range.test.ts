import { describe, expect, test } from 'vitest';
import { formatInstant, parseInstant, parseRange } from './time-range.ts';

const NOW = BigInt(Date.parse('2026-11-24T08:00:00Z')) * 1_000_000n;

test.each([
  ['now', '2026-11-24T08:00:00.000000000Z'],
  ['now-90s', '2026-11-24T07:58:30.000000000Z'],
  ['now-15m', '2026-11-24T07:45:00.000000000Z'],
  ['now-24h', '2026-11-23T08:00:00.000000000Z'],
  ['now-7d', '2026-11-17T08:00:00.000000000Z'],
  ['now-1w', '2026-11-17T08:00:00.000000000Z'],
  ['now-999999w', '1970-01-01T00:00:00.000000000Z'],
  ['2026-11-24T08:00:00Z', '2026-11-24T08:00:00.000000000Z'],
  ['2026-11-24T08:00:00.123456789Z', '2026-11-24T08:00:00.123456789Z'],
  ['2026-11-24T08:00:00.5+05:30', '2026-11-24T02:30:00.500000000Z'],
  ['2026-11-24t08:00:00.000000001z', '2026-11-24T08:00:00.000000001Z'],
  ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000000000Z'],
])('reads %s', (text, expected) => {
  const ns = parseInstant(text, NOW);
  expect(ns === undefined ? undefined : formatInstant(ns)).toBe(expected);
});

test.each([
  '2026-13-01T00:00:00Z',
  '2026-02-30T00:00:00Z',
  '2026-11-24T25:00:00Z',
  '2026-11-24T08:00:60Z',
  '2026-11-24T08:00:00+24:00',
  '2026-11-24T08:00:00',
  '2026-11-24',
  '1969-12-31T23:59:59Z',
  '9999-12-31T23:59:59Z',
  'now+1h',
  'now-1y',
  'now-h',
  'yesterday',
  "now'; DROP TABLE mcp.calls --",
])('refuses %s', (text) => {
  expect(parseInstant(text, NOW)).toBeUndefined();
});

describe('a range', () => {
  test('that is empty or turned round is refused', () => {
    expect(() => parseRange({ from: 'now', to: 'now' }, NOW)).toThrow('from: must be before `to`');
    expect(() => parseRange({ from: 'now-1h', to: 'now-2h' }, NOW)).toThrow('from: must be before `to`');
  });
  test('may be open at either end', () => {
    expect(parseRange({ to: 'now' }, NOW)).toEqual({ toNs: NOW });
    expect(parseRange({}, NOW)).toEqual({});
  });
});
