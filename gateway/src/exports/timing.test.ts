import { describe, expect, test } from 'vitest';
import { timesOf, timingInWords, type Timing } from './timing.ts';

const iso = (ms: number | undefined): string => (ms === undefined ? 'never' : new Date(ms).toISOString().slice(0, 16));
function following(timing: Timing, timeZone: string, after: string, count: number): string[] {
  const times = timesOf(timing, timeZone);
  const found: string[] = [];
  for (let at = times?.next(Date.parse(after)); at !== undefined && found.length < count; at = times?.next(at)) {
    found.push(iso(at));
  }
  return found;
}

describe('times of a schedule', () => {
  test.each<[string, Timing, string, string, string[]]>([
    ['hourly', { every: 'hour' }, 'Asia/Kolkata', '2026-11-24T08:03:00Z', ['2026-11-24T09:00', '2026-11-24T10:00']],
    [
      'daily, in a zone of its own',
      { every: 'day', at: '02:00' },
      'Europe/Berlin',
      '2026-11-24T08:00:00Z',
      ['2026-11-25T01:00', '2026-11-26T01:00'],
    ],
    [
      'daily over the start of summer time: 02:30 does not exist that day, so it is 03:00, and the day ends once',
      { every: 'day', at: '02:30' },
      'Europe/Berlin',
      '2026-03-27T12:00:00Z',
      ['2026-03-28T01:30', '2026-03-29T01:00', '2026-03-30T00:30'],
    ],
    [
      'daily over its end: 02:30 is twice, and the day still ends once',
      { every: 'day', at: '02:30' },
      'Europe/Berlin',
      '2026-10-24T12:00:00Z',
      ['2026-10-25T00:30', '2026-10-26T01:30', '2026-10-27T01:30'],
    ],
    [
      'hourly over the end of summer time: the repeated hour is two',
      { every: 'hour' },
      'Europe/Berlin',
      '2026-10-24T23:59:00Z',
      ['2026-10-25T00:00', '2026-10-25T01:00', '2026-10-25T02:00'],
    ],
    ['weekly', { every: 'week', at: '06:00', weekday: 7 }, 'UTC', '2026-11-24T00:00:00Z', ['2026-11-29T06:00']],
    [
      'monthly',
      { every: 'month', at: '00:00', day: 1 },
      'America/New_York',
      '2026-10-15T00:00:00Z',
      ['2026-11-01T04:00', '2026-12-01T05:00'],
    ],
    [
      'cron',
      { every: 'cron', cron: '*/20 9 * * 1-5' },
      'UTC',
      '2026-11-27T09:30:00Z',
      ['2026-11-27T09:40', '2026-11-30T09:00'],
    ],
  ])('%s', (_name, timing, timeZone, after, expected) => {
    expect(following(timing, timeZone, after, expected.length)).toEqual(expected);
  });

  test.each<[Timing, string]>([
    [{ every: 'day', at: '00:00' }, 'Mars/Olympus'],
    [{ every: 'cron', cron: 'never' }, 'UTC'],
    [{ every: 'cron', cron: '0 0 31 2 *' }, 'UTC'],
    [{ every: 'cron', cron: '* * * * * *' }, 'UTC'],
    [{ every: 'cron', cron: '61 * * * *' }, 'UTC'],
  ])('%j in %s are none', (timing, timeZone) => {
    expect(timesOf(timing, timeZone)).toBeUndefined();
  });

  test('the last one before is the start of the first window', () => {
    const daily = timesOf({ every: 'day', at: '02:00' }, 'Europe/Berlin');
    expect(iso(daily?.last(Date.parse('2026-11-24T08:00:00Z')))).toBe('2026-11-24T01:00');
    expect(
      iso(timesOf({ every: 'month', at: '00:00', day: 28 }, 'UTC')?.last(Date.parse('2026-03-01T00:00:00Z')))
    ).toBe('2026-02-28T00:00');
    expect(iso(timesOf({ every: 'hour' }, 'UTC')?.last(Date.parse('2026-03-01T00:00:00Z')))).toBe('2026-03-01T00:00');
  });

  test('are told in words', () => {
    expect(timingInWords({ every: 'week', at: '06:00', weekday: 1 }, 'UTC')).toBe('every Monday at 06:00, UTC');
  });
});
