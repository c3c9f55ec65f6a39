/** What the Usage page shows, kept in the address: range, whose calls, server, client, comparison. */
import { useCallback, useMemo } from 'react';
import type { ApiQuery } from '../data/api.ts';
import type { Me } from '../data/contract.ts';
import { auditLogLink, requestsOnly, type LinkBase } from '../url/audit-log-link.ts';
import { filterQuery, withTerm, type CallFilters, type FilterField } from '../url/call-filters.ts';
import { rawRangeOf, type RawRange } from '../url/time-range.ts';
import { useCallFilters } from '../url/useCallFilters.ts';
import { setParam, useSearch } from '../url/useSearch.ts';
import { useTimeRange, type PageTimeRange } from '../url/useTimeRange.ts';

export type LinkTo = (only?: Partial<Record<FilterField, string>>, range?: RawRange) => string;

export interface UsageState {
  readonly time: PageTimeRange;
  readonly filters: CallFilters;
  readonly isOnlyMe: boolean;
  readonly isCompared: boolean;
  /** for requests, without the comparison */
  readonly query: ApiQuery;
  /** with it */
  readonly compared: ApiQuery;
  readonly linkTo: LinkTo;
  setOnlyMe(only: boolean): void;
  setCompared(compared: boolean): void;
  setFilter(field: 'server' | 'client', value: string | undefined): void;
  setDemo(demo: boolean): void;
}

const LAST_WEEK: RawRange = { from: 'now-7d', to: 'now' };

export function useUsageState(me: Me | undefined): UsageState {
  const time = useTimeRange(LAST_WEEK);
  const [search, change] = useSearch();
  const [urlFilters, changeFilters] = useCallFilters();
  const ownKey = search.get('scope') === 'me' ? me?.user?.key : undefined;
  const isOnlyMe = ownKey !== undefined;
  const isCompared = search.get('compare') !== 'none';
  const filters = useMemo(
    () => (ownKey === undefined ? urlFilters : withTerm(urlFilters, { field: 'user', value: ownKey, not: false })),
    [urlFilters, ownKey]
  );
  const query = useMemo(() => ({ ...time.instants, ...filterQuery(filters) }), [time.instants, filters]);
  const compared = useMemo(() => (isCompared ? { ...query, compare: 'previous' } : query), [query, isCompared]);
  const base = useMemo<LinkBase>(
    () => ({ range: rawRangeOf(time.range.raw), filters: requestsOnly(filters) }),
    [time.range, filters]
  );
  const linkTo = useCallback<LinkTo>((only, range) => auditLogLink(base, only, range), [base]);
  return {
    time,
    filters,
    isOnlyMe,
    isCompared,
    query,
    compared,
    linkTo,
    setOnlyMe: (only) => change(setParam('scope', only ? 'me' : undefined)),
    setCompared: (next) => change(setParam('compare', next ? undefined : 'none')),
    setDemo: (demo) => changeFilters((now) => ({ ...now, demo })),
    setFilter: (field, value) =>
      changeFilters((now) => {
        const others = { ...now, terms: now.terms.filter((term) => term.field !== field) };
        return value === undefined ? others : withTerm(others, { field, value, not: false });
      }),
  };
}
