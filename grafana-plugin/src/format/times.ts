/** Times in the time zone that the reader chose, in Grafana's formats. */
import { dateTimeFormat, dateTimeFormatTimeAgo, systemDateFormats } from '@grafana/data';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Milliseconds of an RFC 3339 text; what is below a millisecond is dropped. */
export function toMs(instant: string): number {
  return Date.parse(instant);
}

/** With date and milliseconds. */
export function formatFull(instant: string | number, timeZone: string): string {
  return dateTimeFormat(asMs(instant), { timeZone, format: systemDateFormats.fullDateMS });
}

export function formatMinute(instant: string, timeZone: string): string {
  return dateTimeFormat(toMs(instant), { timeZone, format: 'YYYY-MM-DD HH:mm' });
}

/** For rows: the date only where the range is longer than a day. */
export function formatRowTime(instant: string, timeZone: string, rangeMs: number): string {
  const format = rangeMs > DAY_MS ? 'MM-DD HH:mm:ss.SSS' : 'HH:mm:ss.SSS';
  return dateTimeFormat(asMs(instant), { timeZone, format });
}

export function formatAgo(instant: string | number, timeZone: string): string {
  return dateTimeFormatTimeAgo(asMs(instant), { timeZone });
}

/** For an axis with a tick every `stepMs`. */
export function formatTick(ms: number, timeZone: string, stepMs: number): string {
  const { interval } = systemDateFormats;
  // among hours, midnight is the one that says which day it is
  if (stepMs >= HOUR_MS && stepMs < DAY_MS && dateTimeFormat(ms, { timeZone, format: 'HH:mm' }) === '00:00') {
    return dateTimeFormat(ms, { timeZone, format: interval.day });
  }
  const format =
    stepMs >= 28 * DAY_MS
      ? interval.month
      : stepMs >= DAY_MS
        ? interval.day
        : stepMs >= 60_000
          ? interval.minute
          : interval.second;
  return dateTimeFormat(ms, { timeZone, format });
}

function asMs(instant: string | number): number {
  return typeof instant === 'number' ? instant : toMs(instant);
}
