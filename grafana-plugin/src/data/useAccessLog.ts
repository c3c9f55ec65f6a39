/** What was done through the audit API, newest first. */
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { getJson, type ApiQuery } from './api.ts';
import type { AccessLogPage } from './contract.ts';

const PAGE_ROWS = 100;

export function useAccessLog(query: ApiQuery) {
  return useInfiniteQuery({
    queryKey: ['access-log', query],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      getJson<AccessLogPage>(
        '/access-log',
        { ...query, limit: PAGE_ROWS, ...(pageParam === '' ? {} : { cursor: pageParam }) },
        signal
      ),
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    placeholderData: keepPreviousData,
  });
}
