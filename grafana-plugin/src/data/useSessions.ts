/** Sessions of a range, and one session with its calls. */
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { getJson, type ApiQuery } from './api.ts';
import type { SessionDetail, SessionPage } from './contract.ts';

const PAGE_SESSIONS = 50;
/** of one session: as many as a picture can show */
const PAGE_CALLS = 500;

export function useSessions(query: ApiQuery) {
  return useInfiniteQuery({
    queryKey: ['sessions', query],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      getJson<SessionPage>('/sessions', { ...query, limit: PAGE_SESSIONS, ...cursorOf(pageParam) }, signal),
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    placeholderData: keepPreviousData,
  });
}

export function useSession(key: string) {
  return useInfiniteQuery({
    queryKey: ['session', key],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      getJson<SessionDetail>(
        `/sessions/${encodeURIComponent(key)}`,
        { limit: PAGE_CALLS, ...cursorOf(pageParam) },
        signal
      ),
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  });
}

function cursorOf(pageParam: string): ApiQuery {
  return pageParam === '' ? {} : { cursor: pageParam };
}
