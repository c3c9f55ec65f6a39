/**
 * The time range of a page, kept in the address. Relative bounds become instants once, and again when the reader
 * refreshes, so that list, chart and counts of one look are about the same time.
 */
import type { TimeRange } from '@grafana/data';
import { useCallback, useMemo, useState } from 'react';
import { readRange, toInstants, toTimeRange, type Instants, type RawRange } from './time-range.ts';
import { useSearch } from './useSearch.ts';

export interface PageTimeRange {
  readonly range: TimeRange;
  readonly instants: Instants;
  readonly timeZone: string;
  /** e.g. `30s`; empty: off */
  readonly refreshEvery: string;
  setRange(raw: RawRange): void;
  setTimeZone(timeZone: string): void;
  setRefreshEvery(interval: string): void;
  /** Looks again, with `now` as it is then. */
  refresh(): void;
}

const LAST_DAY: RawRange = { from: 'now-24h', to: 'now' };

export function useTimeRange(fallback: RawRange = LAST_DAY): PageTimeRange {
  const [search, change] = useSearch();
  const { from, to } = readRange(search, fallback);
  const [resolved, setResolved] = useState(() => ({ from, to, range: toTimeRange({ from, to }) }));
  let { range } = resolved;
  if (resolved.from !== from || resolved.to !== to) {
    range = toTimeRange({ from, to });
    setResolved({ from, to, range });
  }
  const setRange = useCallback(
    (raw: RawRange) =>
      change((now) => {
        now.set('from', raw.from);
        now.set('to', raw.to);
        return now;
      }),
    [change]
  );
  const setOptional = useCallback(
    (name: string, value: string, unset: string) =>
      change((now) => {
        if (value === unset) now.delete(name);
        else now.set(name, value);
        return now;
      }),
    [change]
  );
  return {
    range,
    instants: useMemo(() => toInstants(range), [range]),
    timeZone: search.get('timezone') ?? 'browser',
    refreshEvery: search.get('refresh') ?? '',
    setRange,
    setTimeZone: useCallback((zone: string) => setOptional('timezone', zone, 'browser'), [setOptional]),
    setRefreshEvery: useCallback((interval: string) => setOptional('refresh', interval, ''), [setOptional]),
    refresh: useCallback(() => setResolved({ from, to, range: toTimeRange({ from, to }) }), [from, to]),
  };
}
