import { describe, expect, it } from 'vitest';
import { SessionDurations } from './session-durations.ts';

const MINUTE = 60_000;

describe('SessionDurations', () => {
  it('measures from the first call to the end', () => {
    const ended: unknown[] = [];
    const sessions = new SessionDurations<string>((durationMs, info) => ended.push([durationMs, info]));
    sessions.seen('a', 1000, () => 'first');
    sessions.seen('a', 5000, () => 'second');
    sessions.ended('a', 7000);
    sessions.ended('a', 9000);
    sessions.ended('never seen', 9000);
    expect(ended).toEqual([[6000, 'first']]);
    expect(sessions.size).toBe(0);
  });

  it('ends silent sessions at their last call, and only those', () => {
    const ended: unknown[] = [];
    const sessions = new SessionDurations<string>((durationMs, info) => ended.push([durationMs, info]));
    sessions.seen('a', 0, () => 'a');
    sessions.seen('b', 0, () => 'b');
    sessions.seen('a', 20 * MINUTE, () => 'a');
    sessions.sweep(31 * MINUTE);
    expect(ended).toEqual([[0, 'b']]);
    sessions.sweep(50 * MINUTE);
    expect(ended).toEqual([
      [0, 'b'],
      [20 * MINUTE, 'a'],
    ]);
  });

  it('is bounded', () => {
    const sessions = new SessionDurations<number>(() => undefined);
    for (let i = 0; i < 20_100; i += 1) sessions.seen(String(i), i, () => i);
    expect(sessions.size).toBe(20_000);
  });
});
