/** What a search inside a payload found, with steps between the finds. A new search drops the one before. */
import { useEffect, useState } from 'react';
import { Slices } from './slices.ts';

/** more than anybody would step through */
export const MAX_FINDS = 1000;
/** after the last key */
const PAUSE_MS = 150;

export interface Finds<Found> {
  readonly found: readonly Found[];
  /** there are more */
  readonly isCut: boolean;
}

export interface PayloadSearch<Found> {
  readonly text: string;
  /** undefined while searching */
  readonly count: number | undefined;
  readonly isCut: boolean;
  /** from 0 */
  readonly at: number;
  readonly current: Found | undefined;
  setText(text: string): void;
  step(by: number): void;
}

/** @param search must stay the same function while the same is searched; undefined: it was aborted */
export function usePayloadSearch<Found>(
  search: (text: string, slices: Slices) => Promise<Finds<Found> | undefined>
): PayloadSearch<Found> {
  const [text, setText] = useState('');
  const [finds, setFinds] = useState<Finds<Found> | undefined>({ found: [], isCut: false });
  const [at, setAt] = useState(0);
  useEffect(() => {
    if (text === '') return undefined;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      void search(text, new Slices({ signal: abort.signal })).then((found) => {
        if (found !== undefined && !abort.signal.aborted) setFinds(found);
      });
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [search, text]);
  const count = finds?.found.length;
  return {
    text,
    count,
    isCut: finds?.isCut ?? false,
    at,
    current: finds?.found[at],
    setText: (next) => {
      setText(next);
      setAt(0);
      setFinds(next === '' ? { found: [], isCut: false } : undefined);
    },
    step: (by) => {
      if (count !== undefined && count > 0) setAt((now) => (now + by + count) % count);
    },
  };
}
