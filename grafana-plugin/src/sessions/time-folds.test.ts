import { describe, expect, it } from 'vitest';
import { foldTime, PAUSE_PX } from './time-folds.ts';

describe('folded time', () => {
  it('keeps proportions where nothing pauses', () => {
    const { x, pauses } = foldTime(
      [
        { startMs: 0, endMs: 1000 },
        { startMs: 1000, endMs: 4000 },
      ],
      400
    );
    expect(pauses).toEqual([]);
    expect([x(0), x(1000), x(4000)]).toEqual([0, 100, 400]);
  });

  it('folds an hour between two calls into a mark of fixed width', () => {
    const hour = 3_600_000;
    const { x, pauses } = foldTime(
      [
        { startMs: 0, endMs: 1000 },
        { startMs: hour, endMs: hour + 1000 },
      ],
      228
    );
    expect(pauses).toEqual([{ startMs: 1000, endMs: hour, px: 100 }]);
    expect(x(hour)).toBe(100 + PAUSE_PX);
    expect(x(hour / 2)).toBe(100);
    expect(x(hour + 1000)).toBe(228);
  });

  it('keeps order when calls overlap and come unsorted', () => {
    const { x } = foldTime(
      [
        { startMs: 500, endMs: 600 },
        { startMs: 0, endMs: 2000 },
      ],
      200
    );
    expect([x(0), x(500), x(2000)]).toEqual([0, 50, 200]);
  });

  it('has a place for calls that took no time, and for none at all', () => {
    expect(foldTime([{ startMs: 5, endMs: 5 }], 100).x(5)).toBe(0);
    expect(foldTime([], 100).x(5)).toBe(0);
  });

  it('never runs over its width, however many pauses there are', () => {
    const spans = Array.from({ length: 100 }, (_unused, index) => ({ startMs: index * 1e6, endMs: index * 1e6 + 10 }));
    const { x } = foldTime(spans, 1000);
    expect(x(99e6)).toBeGreaterThan(x(0));
  });
});
