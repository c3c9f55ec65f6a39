/**
 * The rows of the audit log: pages of a range, or the live view. A refresh does not pull rows away from somebody who
 * reads: while they do, the list stays and says how many new ones there are.
 */
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { getJson, type ApiQuery } from '../data/api.ts';
import type { Call, CallPage } from '../data/contract.ts';
import { useCalls } from '../data/useCalls.ts';
import { useTail, type Tail } from '../data/useTail.ts';

/** new calls that are counted; more are `100+` */
export const COUNTED_NEW = 100;

export interface CallList {
  readonly rows: readonly Call[];
  readonly calls: ReturnType<typeof useCalls>;
  readonly tail: Tail;
  readonly isPaused: boolean;
  /** since the list was read */
  readonly newCalls: number;
  showNew(): void;
}

interface CallListOptions {
  readonly query: ApiQuery;
  /** the filters of it */
  readonly filters: ApiQuery;
  /** changes when the reader asks for something else, not when time goes on */
  readonly asked: string;
  readonly isLive: boolean;
  /** somebody scrolled down, points at a row, or has one open */
  readonly isReading: boolean;
}

export function useCallList({ query, filters, asked, isLive, isReading }: CallListOptions): CallList {
  const [held, setHeld] = useState({ asked, query });
  let { query: listed } = held;
  if (held.query !== query && (held.asked !== asked || !isReading)) {
    listed = query;
    setHeld({ asked, query });
  }
  const calls = useCalls(listed, !isLive);
  const tail = useTail(isLive ? filters : undefined, isReading);
  const pages = useMemo(() => calls.data?.pages.flatMap(({ items }) => items) ?? [], [calls.data]);
  const newest = pages[0];
  const isBehind = !isLive && listed !== query && newest !== undefined;
  const fresh = useQuery({
    queryKey: ['new-calls', query, newest?.id],
    queryFn: ({ signal }) =>
      getJson<CallPage>('/calls', { ...query, from: newest?.startedAt, limit: COUNTED_NEW }, signal),
    enabled: isBehind,
  });
  const newCalls = isBehind ? (fresh.data?.items.filter(({ id }) => id !== newest.id).length ?? 0) : 0;
  return {
    rows: isLive ? tail.buffer.shown : pages,
    calls,
    tail,
    isPaused: isReading,
    newCalls,
    showNew: () => setHeld({ asked, query }),
  };
}
