/**
 * A search in payloads: one at a time, ended by leaving the page. The text goes in the body, never into the address, and
 * is kept nowhere. Each search is recorded by the audit API, so it begins only when somebody asks for it.
 */
import { getBackendSrv } from '@grafana/runtime';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { Subscription } from 'rxjs';
import { apiUrl, type ApiQuery } from '../data/api.ts';
import { toApiFailure } from '../data/api-failure.ts';
import { EventStreamParser } from '../data/event-stream.ts';
import { IDLE, RUNNING, taken, type SearchState } from './search-state.ts';

export interface PayloadSearch {
  readonly state: SearchState;
  start(text: string, query: ApiQuery): void;
  cancel(): void;
}

export function usePayloadSearch(): PayloadSearch {
  const [state, setState] = useState<SearchState>(IDLE);
  const running = useRef<Subscription>(undefined);
  useEffect(() => () => running.current?.unsubscribe(), []);
  const start = useCallback((text: string, query: ApiQuery) => {
    running.current?.unsubscribe();
    setState(RUNNING);
    const parser = new EventStreamParser();
    const asked = { url: apiUrl('/payload-search', query), method: 'POST', data: { text }, showErrorAlert: false };
    running.current = getBackendSrv()
      .chunked(asked)
      .subscribe({
        next: ({ data }) => {
          if (data === undefined) return;
          const events = parser.push(data);
          if (events.length > 0) setState((now) => events.reduce(taken, now));
        },
        complete: () => setState((now) => (now.phase === 'running' ? { ...now, phase: 'cancelled' } : now)),
        error: (error: unknown) => setState((now) => ({ ...now, phase: 'failed', failure: toApiFailure(error) })),
      });
  }, []);
  const cancel = useCallback(() => {
    running.current?.unsubscribe();
    setState((now) => (now.phase === 'running' ? { ...now, phase: 'cancelled' } : now));
  }, []);
  return { state, start, cancel };
}
