/**
 * The times of a schedule: each ends one window and begins the next. Reckoned in the schedule's time zone, so that "02:00"
 * stays 02:00 over a change of the clocks: that day's window is an hour shorter or longer. Knows no clock of its own.
 */
import { Cron } from 'croner';

export type Timing =
  | { readonly every: 'hour' }
  | { readonly every: 'day'; readonly at: string }
  | { readonly every: 'week'; readonly at: string; readonly weekday: number }
  | { readonly every: 'month'; readonly at: string; readonly day: number }
  | { readonly every: 'cron'; readonly cron: string };

export interface Times {
  /** the first time after, ms since 1970 */
  next(afterMs: number): number | undefined;
  /** the last time before or at, ms since 1970 */
  last(atMs: number): number | undefined;
}

const DAY_MS = 86_400_000;
/** How far back a time is looked for: a monthly one with the 28th at most, or a cron that fires once in a leap year. */
const BACK_MS = [2 * 3_600_000, 2 * DAY_MS, 35 * DAY_MS, 400 * DAY_MS, 1500 * DAY_MS];
const WEEKDAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

function patternOf(timing: Timing): string {
  if (timing.every === 'hour') return '0 * * * *';
  if (timing.every === 'cron') return timing.cron;
  const [hour, minute] = timing.at.split(':').map(Number);
  if (timing.every === 'day') return `${minute} ${hour} * * *`;
  if (timing.every === 'week') return `${minute} ${hour} * * ${timing.weekday % 7}`;
  return `${minute} ${hour} ${timing.day} * *`;
}

/** @returns undefined when the time zone or the cron pattern is none */
export function timesOf(timing: Timing, timeZone: string): Times | undefined {
  if (timing.every === 'cron' && timing.cron.trim().split(/\s+/).length !== 5) return undefined;
  // whole hours are whole hours everywhere, and the repeated one in autumn is two of them
  const zone = timing.every === 'hour' ? 'UTC' : timeZone;
  let cron: Cron;
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    cron = new Cron(patternOf(timing), { timezone: zone, paused: true });
    if (cron.nextRun(new Date(0)) === null) return undefined;
  } catch {
    return undefined;
  }
  const next = (afterMs: number): number | undefined => {
    // a time of day that the clock shows twice is one time
    for (let from = afterMs; ; from += 60_000) {
      const found = cron.nextRun(new Date(from))?.getTime();
      if (found === undefined || found > afterMs) return found;
    }
  };
  return {
    next,
    last(atMs) {
      for (const back of BACK_MS) {
        let found: number | undefined;
        for (let one = next(atMs - back); one !== undefined && one <= atMs; one = next(one)) found = one;
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}

export function timingInWords(timing: Timing, timeZone: string): string {
  if (timing.every === 'hour') return 'every hour';
  if (timing.every === 'cron') return `at the times of "${timing.cron}", ${timeZone}`;
  if (timing.every === 'day') return `every day at ${timing.at}, ${timeZone}`;
  if (timing.every === 'week') return `every ${WEEKDAYS[timing.weekday - 1] ?? ''} at ${timing.at}, ${timeZone}`;
  return `on day ${timing.day} of every month at ${timing.at}, ${timeZone}`;
}
