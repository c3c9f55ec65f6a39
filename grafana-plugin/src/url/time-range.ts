/**
 * A time range in the address, as Grafana writes it (`from=now-24h&to=now`, or epoch milliseconds), and the two instants
 * that the audit API is asked for. What is no time counts as the default.
 */
import { dateTime, rangeUtil, type RawTimeRange, type TimeRange } from '@grafana/data';

export interface RawRange {
  readonly from: string;
  readonly to: string;
}

export interface Instants {
  /** RFC 3339 */
  readonly from: string;
  readonly to: string;
}

const MIN_SPAN_MS = 1000;

export function readRange(search: URLSearchParams, fallback: RawRange): RawRange {
  const from = search.get('from') ?? fallback.from;
  const to = search.get('to') ?? fallback.to;
  const { from: start, to: end } = toTimeRange({ from, to });
  return start.isValid() && end.isValid() && start.valueOf() < end.valueOf() ? { from, to } : fallback;
}

/** Relative bounds stay as they are; others become epoch milliseconds. */
export function rawRangeOf({ from, to }: RawTimeRange): RawRange {
  return { from: boundText(from), to: boundText(to) };
}

/** A span of instants, e.g. drawn with the mouse; never shorter than a second. */
export function absoluteRange(fromMs: number, toMs: number): RawRange {
  const from = Math.floor(Math.min(fromMs, toMs));
  const to = Math.ceil(Math.max(fromMs, toMs));
  return { from: String(from), to: String(Math.max(to, from + MIN_SPAN_MS)) };
}

export function toTimeRange({ from, to }: RawRange): TimeRange {
  const raw = { from: parseBound(from), to: parseBound(to) };
  return rangeUtil.convertRawToRange(raw);
}

export function toInstants(range: TimeRange): Instants {
  return { from: range.from.toISOString(), to: range.to.toISOString() };
}

function parseBound(text: string): string | ReturnType<typeof dateTime> {
  if (text.startsWith('now')) return text;
  return dateTime(/^\d+$/.test(text) ? Number(text) : Date.parse(text));
}

function boundText(bound: RawTimeRange['from']): string {
  return typeof bound === 'string' ? bound : String(bound.valueOf());
}
