/**
 * Times of the API in and out: RFC 3339 with nanoseconds and `now-24h`, as nanoseconds since 1970. A time that does not
 * exist (month 13) is refused, not moved.
 */
import { badParameter } from './api-error.ts';

const UNIT_NS: Readonly<Record<string, bigint>> = {
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
  w: 604_800_000_000_000n,
};
const RELATIVE = /^now(?:-(\d+)([smhdw]))?$/;
const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;
/** What a DateTime64(9) and a signed 64-bit number of nanoseconds both hold. */
const LATEST_NS = 9_223_372_036_000_000_000n;

/** @returns undefined when it is no time */
export function parseInstant(text: string, nowNs: bigint): bigint | undefined {
  const relative = RELATIVE.exec(text);
  if (relative !== null) {
    const backNs = relative[1] === undefined ? 0n : BigInt(relative[1]) * (UNIT_NS[relative[2] ?? ''] ?? 0n);
    return nowNs > backNs ? nowNs - backNs : 0n;
  }
  const match = RFC_3339.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', sign, offsetHours = '0', offsetMinutes = '0'] = match;
  const civilMs = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  if (new Date(civilMs).toISOString().slice(0, 19) !== `${year}-${month}-${day}T${hour}:${minute}:${second}`) {
    return undefined;
  }
  if (Number(offsetHours) > 23 || Number(offsetMinutes) > 59) return undefined;
  const offsetMs = (sign === '-' ? -1 : 1) * (Number(offsetHours) * 60 + Number(offsetMinutes)) * 60_000;
  const ns = BigInt(civilMs - offsetMs) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
  return ns >= 0n && ns <= LATEST_NS ? ns : undefined;
}

/** @returns RFC 3339, UTC, nine fraction digits */
export function formatInstant(ns: bigint): string {
  const wholeSeconds = new Date(Number(ns / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  return `${wholeSeconds}.${(ns % 1_000_000_000n).toString().padStart(9, '0')}Z`;
}

export interface TimeRange {
  readonly fromNs?: bigint;
  readonly toNs?: bigint;
}

const DAY_NS = 86_400_000_000_000n;

/** The last 24 hours where nothing else is said. Throws ApiError `invalid_request`. */
export function recentRange(query: Parameters<typeof parseRange>[0], nowNs: bigint): Required<TimeRange> {
  const { toNs = nowNs, fromNs = toNs > DAY_NS ? toNs - DAY_NS : 0n } = parseRange(query, nowNs);
  if (fromNs >= toNs) throw badParameter('from', 'must be before `to`, which is now if left out');
  return { fromNs, toNs };
}

/** Throws ApiError `invalid_request`. */
export function parseRange(query: { from?: string | undefined; to?: string | undefined }, nowNs: bigint): TimeRange {
  const read = (field: 'from' | 'to'): bigint | undefined => {
    const text = query[field];
    if (text === undefined) return undefined;
    const ns = parseInstant(text, nowNs);
    if (ns === undefined) throw badParameter(field, 'there is no such time; use e.g. 2026-11-24T08:00:00Z or now-24h');
    return ns;
  };
  const fromNs = read('from');
  const toNs = read('to');
  if (fromNs !== undefined && toNs !== undefined && fromNs >= toNs) {
    throw badParameter('from', 'must be before `to`');
  }
  return { ...(fromNs === undefined ? {} : { fromNs }), ...(toNs === undefined ? {} : { toNs }) };
}
