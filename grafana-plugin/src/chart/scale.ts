/** Axes of the charts: round values up the side, round times along the bottom. Pure functions. */
import { dateTimeForTimeZone } from '@grafana/data';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const TIME_STEPS_MS = [
  SECOND,
  5 * SECOND,
  15 * SECOND,
  30 * SECOND,
  MINUTE,
  2 * MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  15 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
  DAY,
  2 * DAY,
  7 * DAY,
  14 * DAY,
  30 * DAY,
  90 * DAY,
  365 * DAY,
] as const;

/** Space that a label needs. */
const PX_PER_TIME_TICK = 90;

export interface TimeTicks {
  readonly stepMs: number;
  readonly at: readonly number[];
}

/** Multiples of a round step in the reader's time zone. */
export function timeTicks(fromMs: number, toMs: number, widthPx: number, timeZone: string): TimeTicks {
  const wanted = Math.max(1, Math.floor(widthPx / PX_PER_TIME_TICK));
  const least = (toMs - fromMs) / wanted;
  const stepMs = TIME_STEPS_MS.find((step) => step >= least) ?? Math.ceil(least / DAY) * DAY;
  const offsetMs = dateTimeForTimeZone(timeZone, fromMs).utcOffset() * MINUTE;
  const at: number[] = [];
  for (let tick = Math.ceil((fromMs + offsetMs) / stepMs) * stepMs - offsetMs; tick < toMs; tick += stepMs) {
    at.push(tick);
  }
  return { stepMs, at };
}

/** From 0 to at least `max` in 1, 2, 5 steps. */
export function valueTicks(max: number, count: number, wholeNumbers: boolean): readonly number[] {
  if (!(max > 0)) return [0, 1];
  const rough = max / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((one) => one * power >= rough) ?? 10;
  const step = wholeNumbers ? Math.max(1, factor * power) : factor * power;
  const steps = Math.ceil(max / step - 1e-9);
  return Array.from({ length: steps + 1 }, (_unused, index) => index * step);
}

/** @returns position in pixels of a value */
export function linear(from: number, to: number, startPx: number, endPx: number): (value: number) => number {
  const span = to - from === 0 ? 1 : to - from;
  return (value) => startPx + ((value - from) / span) * (endPx - startPx);
}
