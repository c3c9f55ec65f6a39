/** Filters of the audit log, kept in the address. */
import { useCallback, useMemo } from 'react';
import { readFilters, writeFilters, type CallFilters } from './call-filters.ts';
import { useSearch } from './useSearch.ts';

export type ChangeFilters = (change: (filters: CallFilters) => CallFilters) => void;

export function useCallFilters(): [CallFilters, ChangeFilters] {
  const [search, changeSearch] = useSearch();
  const filters = useMemo(() => readFilters(search), [search]);
  const change = useCallback<ChangeFilters>(
    (apply) => changeSearch((now) => writeFilters(now, apply(readFilters(now)))),
    [changeSearch]
  );
  return [filters, change];
}
