/**
 * Which call is open, kept in the address, and which row the keyboard is on. Moving while a call is open opens the next
 * one, in the same step of the history.
 */
import { useCallback, useMemo, useState } from 'react';
import type { Call } from '../data/contract.ts';
import { useSearch } from '../url/useSearch.ts';

export interface OpenCall {
  readonly id: string | undefined;
  /** the open call as the list has it */
  readonly known: Call | undefined;
  readonly activeId: string | undefined;
  open(call: Pick<Call, 'id'>): void;
  openActive(): void;
  move(by: number): void;
  close(): void;
  /** closes, and takes the keyboard off the list */
  leave(): void;
}

/** @param isLive the live list is another one: the keyboard is on none of its rows at first */
export function useOpenCall(rows: readonly Call[], isLive: boolean): OpenCall {
  const [search, change] = useSearch();
  const id = search.get('call') ?? undefined;
  const [reached, setReached] = useState<{ readonly id: string; readonly isLive: boolean }>();
  const moved = reached?.isLive === isLive ? reached.id : undefined;
  const setMoved = useCallback(
    (to: string | undefined) => setReached(to === undefined ? undefined : { id: to, isLive }),
    [isLive]
  );
  const [foreign, setForeign] = useState<Call>();
  const activeId = id ?? moved;
  const show = useCallback(
    (call: Pick<Call, 'id'>, replace: boolean) => {
      setMoved(call.id);
      change(
        (now) => {
          now.set('call', call.id);
          return now;
        },
        { replace }
      );
    },
    [change, setMoved]
  );
  const open = useCallback(
    (call: Call) => {
      setForeign(call);
      show(call, id !== undefined);
    },
    [show, id]
  );
  const close = useCallback(
    () =>
      change((now) => {
        now.delete('call');
        now.delete('tab');
        return now;
      }),
    [change]
  );
  const leave = useCallback(() => {
    setMoved(undefined);
    close();
  }, [close, setMoved]);
  const move = useCallback(
    (by: number) => {
      if (rows.length === 0) return;
      const at = rows.findIndex((call) => call.id === activeId);
      const next = rows[at < 0 ? 0 : Math.min(Math.max(at + by, 0), rows.length - 1)];
      if (next === undefined) return;
      if (id === undefined) setMoved(next.id);
      else show(next, true);
    },
    [rows, activeId, id, show, setMoved]
  );
  const openActive = useCallback(() => {
    if (id === undefined && moved !== undefined) show({ id: moved }, false);
  }, [id, moved, show]);
  const known = rows.find((call) => call.id === id) ?? (foreign?.id === id ? foreign : undefined);
  return useMemo(
    () => ({ id, known, activeId, open, openActive, move, close, leave }),
    [id, known, activeId, open, openActive, move, close, leave]
  );
}
