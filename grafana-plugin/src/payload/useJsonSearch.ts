/** Search in a JSON value, with steps between the finds. */
import { useEffect, useState } from 'react';
import { pathOf, type Json, type JsonStep } from './json.ts';
import { searchJson } from './search-json.ts';

const PAUSE_MS = 150;

export interface JsonSearch {
  readonly text: string;
  readonly count: number | undefined;
  readonly isCut: boolean;
  readonly at: number;
  /** of the current find */
  readonly steps: readonly JsonStep[] | undefined;
  readonly path: string | undefined;
  setText(text: string): void;
  step(by: number): void;
}

interface Finds {
  readonly paths: readonly (readonly JsonStep[])[];
  readonly isCut: boolean;
}

const NOTHING: Finds = { paths: [], isCut: false };

export function useJsonSearch(value: Json): JsonSearch {
  const [text, setText] = useState('');
  const [finds, setFinds] = useState<Finds | undefined>(NOTHING);
  const [at, setAt] = useState(0);
  useEffect(() => {
    if (text === '') return undefined;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      void searchJson(value, text, abort.signal).then((found) => {
        if (found !== undefined) setFinds(found);
      });
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [value, text]);
  const steps = finds?.paths[at];
  return {
    text,
    count: finds?.paths.length,
    isCut: finds?.isCut ?? false,
    at,
    steps,
    path: steps === undefined ? undefined : pathOf(steps),
    setText: (next) => {
      setText(next);
      setAt(0);
      setFinds(next === '' ? NOTHING : undefined);
    },
    step: (by) => {
      const count = finds?.paths.length ?? 0;
      if (count > 0) setAt((now) => (now + by + count) % count);
    },
  };
}
