/**
 * One cache for all pages. What a range showed does not change under the reader's eyes: it is asked again when the reader
 * refreshes, never because a window got the focus, so that no payload is opened (and recorded) twice by accident.
 */
import { QueryClient } from '@tanstack/react-query';
import { ApiFailure } from './api-failure.ts';

const KEPT_MS = 120_000;

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: Infinity,
        gcTime: KEPT_MS,
        refetchOnWindowFocus: false,
        refetchOnReconnect: false,
        // the proxy's 502 may be a restart; what was refused or wrong stays so
        retry: (failures, error) => failures < 1 && error instanceof ApiFailure && error.status === 502,
        retryDelay: 1000,
      },
    },
  });
}
