import { describe, expect, it } from 'vitest';
import { OUTCOMES } from '../../record/vocabulary.ts';
import { CONTRACTORS } from '../people.ts';
import { pastDays } from './history-days.ts';
import { planDay } from './plan-day.ts';

const DAYS = pastDays(new Date('2026-11-24T09:00:00Z'), 90);
const MONTH = DAYS.slice(-30);
const calls = MONTH.flatMap((day) => planDay(day));

describe('the history', () => {
  it('is the same each time a day is planned, and another on another day', () => {
    expect(planDay('2026-11-18')).toEqual(planDay('2026-11-18'));
    const bodies = (day: string) => planDay(day).map(({ bodySeed }) => bodySeed);
    expect(bodies('2026-11-18')).not.toEqual(bodies('2026-11-11'));
  });

  it('has 10 to 20 thousand records a month, of several people, servers and tools', () => {
    expect(calls.length).toBeGreaterThan(10_000);
    expect(calls.length).toBeLessThan(20_000);
    expect(new Set(calls.map(({ person }) => person.key)).size).toBeGreaterThanOrEqual(6);
    expect(new Set(calls.map(({ server }) => server.name)).size).toBeGreaterThanOrEqual(5);
    expect(new Set(calls.map(({ operation }) => operation?.name)).size).toBeGreaterThanOrEqual(15);
  });

  it('knows working days, weekends, nights and lunch', () => {
    const on = (day: string) => planDay(day).length;
    expect(on('2026-11-18')).toBeGreaterThan(4 * on('2026-11-21'));
    const at = (hour: number) => calls.filter(({ startMs }) => new Date(startMs).getUTCHours() === hour).length;
    expect(at(9)).toBeGreaterThan(5 * at(4));
    expect(at(9)).toBeGreaterThan(at(11));
  });

  it('shows every outcome that needs no crash, most calls being a success', () => {
    const outcomes = DAYS.flatMap((day) => planDay(day)).map(({ outcome }) => outcome);
    expect(new Set(outcomes)).toEqual(new Set(OUTCOMES.filter((outcome) => outcome !== 'interrupted')));
    expect(outcomes.filter((outcome) => outcome === 'success').length / outcomes.length).toBeGreaterThan(0.9);
  });

  it('keeps each call within its day, in the order of their starts', () => {
    for (const day of MONTH) {
      const starts = planDay(day).map(({ startMs }) => startMs);
      expect(starts).toEqual(starts.toSorted((a, b) => a - b));
      expect(starts.every((startMs) => new Date(startMs).toISOString().startsWith(day))).toBe(true);
    }
  });

  it('denies contractors what they may not write, and nobody else', () => {
    const writes = calls.filter(({ operation }) => operation?.writes === true);
    for (const { person, outcome } of writes) {
      expect(outcome === 'denied').toBe(person.teams.includes(CONTRACTORS));
    }
    expect(writes.some(({ outcome }) => outcome === 'denied')).toBe(true);
  });
});

describe('pastDays', () => {
  it('are the whole days in UTC before today', () => {
    expect(pastDays(new Date('2026-03-02T00:00:00Z'), 3)).toEqual(['2026-02-27', '2026-02-28', '2026-03-01']);
  });
});
