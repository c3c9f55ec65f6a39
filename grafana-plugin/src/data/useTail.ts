/**
 * Calls as the store gets them. Begins again where it ended: when its time is up, and after a break of the connection.
 * Ends for good when it is refused. Arrivals are shown in batches, since a busy gateway makes hundreds a second.
 */
import { getBackendSrv } from '@grafana/runtime';
import { useEffect, useRef, useState } from 'react';
import { type Subscription } from 'rxjs';
import { apiUrl, type ApiQuery } from './api.ts';
import { toApiFailure, type ApiFailure } from './api-failure.ts';
import type { Call, TailEnd, TailReady, TailSkipped } from './contract.ts';
import { EventStreamParser, type StreamEvent } from './event-stream.ts';
import { arrive, EMPTY_TAIL, resume, type TailBuffer } from './tail-buffer.ts';

const AGAIN_MS = 3000;
const TOO_MANY = 429;
const AFTER_TOO_MANY_MS = 15_000;
/** its time was up, or a proxy cut it off */
const AFTER_END_MS = 1000;
const BATCH_MS = 250;

export interface Tail {
  readonly buffer: TailBuffer;
  readonly isConnected: boolean;
  readonly failure: ApiFailure | undefined;
}

const OFF: Tail = { buffer: EMPTY_TAIL, isConnected: false, failure: undefined };

/** @param query filters only; undefined: not live */
export function useTail(query: ApiQuery | undefined, isPaused: boolean): Tail {
  const [tail, setTail] = useState(OFF);
  const paused = useRef(isPaused);
  useEffect(() => {
    paused.current = isPaused;
    if (!isPaused) setTail((now) => ({ ...now, buffer: resume(now.buffer) }));
  }, [isPaused]);
  useEffect(() => {
    if (query === undefined) return undefined;
    setTail(OFF);
    const connection = connect(query, {
      onState: (isConnected, failure) => setTail((now) => ({ ...now, isConnected, failure })),
      onCalls: (calls, skipped) =>
        setTail((now) => {
          const buffer = arrive(now.buffer, calls, paused.current);
          return { ...now, buffer: { ...buffer, skipped: buffer.skipped + skipped } };
        }),
    });
    return () => connection.close();
  }, [query]);
  return query === undefined ? OFF : tail;
}

interface Listener {
  onState(isConnected: boolean, failure: ApiFailure | undefined): void;
  onCalls(calls: readonly Call[], skipped: number): void;
}

function connect(query: ApiQuery, listener: Listener): { close(): void } {
  let since: string | undefined;
  let running: Subscription | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let batch: Call[] = [];
  let skipped = 0;
  const flush = setInterval(() => {
    if (batch.length === 0 && skipped === 0) return;
    listener.onCalls(batch, skipped);
    batch = [];
    skipped = 0;
  }, BATCH_MS);
  const take = ({ event, data }: StreamEvent) => {
    if (event === 'ready') {
      since ??= (JSON.parse(data) as TailReady).at;
      listener.onState(true, undefined);
    } else if (event === 'call') {
      const call = JSON.parse(data) as Call;
      // after a break it goes on from here; what comes twice is shown once
      since = call.ingestedAt;
      batch.push(call);
    } else if (event === 'skipped') skipped += (JSON.parse(data) as TailSkipped).calls;
    else if (event === 'end') since = (JSON.parse(data) as TailEnd).since;
  };
  const later = (afterMs: number) => {
    listener.onState(false, undefined);
    timer = setTimeout(begin, afterMs);
  };
  function begin(): void {
    const parser = new EventStreamParser();
    const asked = { url: apiUrl('/tail', { ...query, since }), method: 'GET', showErrorAlert: false };
    running = getBackendSrv()
      .chunked(asked)
      .subscribe({
        next: ({ data }) => {
          if (data !== undefined) parser.push(data).forEach(take);
        },
        complete: () => later(AFTER_END_MS),
        error: (error: unknown) => {
          const failure = toApiFailure(error);
          if (failure.kind === 'refused' || failure.kind === 'invalid') listener.onState(false, failure);
          else later(failure.status === TOO_MANY ? AFTER_TOO_MANY_MS : AGAIN_MS);
        },
      });
  }
  begin();
  return {
    close: () => {
      clearInterval(flush);
      clearTimeout(timer);
      running?.unsubscribe();
    },
  };
}
