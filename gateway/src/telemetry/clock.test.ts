import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../test/telemetry/fake-seams.ts';
import { EpochTime, addMs, epochNanos, nanosOfMs } from './clock.ts';

describe('EpochTime', () => {
  it('gives sub-millisecond epoch times from a wall clock of whole milliseconds', () => {
    const clock = new FakeClock();
    const time = new EpochTime(clock);
    const first = epochNanos(time.now());
    clock.pass(0.25);
    expect(epochNanos(time.now()) - first).toBe(250_000n);
  });

  it('places an earlier instant before now', () => {
    const clock = new FakeClock();
    const time = new EpochTime(clock);
    const arrived = clock.monotonicMs();
    clock.pass(1500);
    expect(epochNanos(time.now()) - epochNanos(time.at(arrived))).toBe(1_500_000_000n);
  });

  it('follows the system clock when it is set back', () => {
    const clock = new FakeClock();
    const time = new EpochTime(clock);
    const before = epochNanos(time.now());
    clock.pass(10);
    clock.wall -= 3_600_000;
    expect(epochNanos(time.now())).toBe(before + 10_000_000n - 3_600_000_000_000n);
  });
});

describe('addMs', () => {
  it.each([
    [[10, 999_999_999], 0.000001, [11, 0]],
    [[10, 0], 2500.5, [12, 500_500_000]],
    [[10, 5], -1, [10, 5]],
    [[10, 5], Number.NaN, [10, 5]],
  ] as const)('%j + %d ms = %j', (time, ms, expected) => {
    expect(addMs([time[0], time[1]], ms)).toEqual(expected);
  });

  it('never gives a duration that a double cannot count', () => {
    expect(nanosOfMs(Number.MAX_VALUE)).toBe(Number.MAX_SAFE_INTEGER);
  });
});
