/** The calls of a range, newest first, page by page. */
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { getJson, type ApiQuery } from './api.ts';
import type { CallPage } from './contract.ts';

/** Enough for two screens, small enough to come at once. */
const PAGE_ROWS = 100;

export function useCalls(query: ApiQuery, enabled = true) {
  return useInfiniteQuery({
    queryKey: ['calls', query],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      getJson<CallPage>(
        '/calls',
        { ...query, limit: PAGE_ROWS, ...(pageParam === '' ? {} : { cursor: pageParam }) },
        signal
      ),
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    placeholderData: keepPreviousData,
    enabled,
  });
}
