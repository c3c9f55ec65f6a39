/** The calls of a range, newest first, page by page. */
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { getJson, type ApiQuery } from './api.ts';
import type { CallPage } from './contract.ts';

/** Enough for two screens, small enough to come at once. */
const FIRST_ROWS = 100;
/** of each page after it: who scrolls fast asks less often */
const MORE_ROWS = 250;

export function useCalls(query: ApiQuery, enabled = true) {
  return useInfiniteQuery({
    queryKey: ['calls', query],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      getJson<CallPage>(
        '/calls',
        { ...query, ...(pageParam === '' ? { limit: FIRST_ROWS } : { limit: MORE_ROWS, cursor: pageParam }) },
        signal
      ),
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    placeholderData: keepPreviousData,
    // no page changes once it is read; to compare all of them field by field with each new one takes longer than a frame
    structuralSharing: false,
    enabled,
  });
}
