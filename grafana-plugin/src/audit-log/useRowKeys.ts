/**
 * Keys that move through a list: arrows or j and k, Home and End, Enter to open, Escape to close. Not while typing, nor
 * where something has keys of its own (`data-own-keys`).
 */
import { useEffect, useRef } from 'react';
import { isTyping } from '../filters/key-target.ts';

export interface RowKeys {
  /** steps down the list */
  move(by: number): void;
  open(): void;
  close(): void;
}

const STEPS: Readonly<Record<string, number>> = {
  ArrowDown: 1,
  ArrowUp: -1,
  j: 1,
  k: -1,
  PageDown: 15,
  PageUp: -15,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

export function useRowKeys(keys: RowKeys): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTaken(event)) return;
      const by = STEPS[event.key];
      if (by !== undefined) latest.current.move(by);
      else if (event.key === 'Enter' && isFree(event.target)) latest.current.open();
      else if (event.key === 'Escape') latest.current.close();
      else return;
      if (event.key !== 'Escape') event.preventDefault();
    };
    // while it comes down: a tooltip on the drawer's own button would keep the first Escape for itself
    document.addEventListener('keydown', press, true);
    return () => document.removeEventListener('keydown', press, true);
  }, []);
}

function isTaken({ key, target }: KeyboardEvent): boolean {
  if (isTyping(target)) return true;
  if (!(target instanceof Element)) return false;
  const menus = '[role="menu"], [role="listbox"], [role="tablist"], [data-own-keys]';
  return (
    target.closest(menus) !== null &&
    !(key === 'Escape' && target.closest('[data-own-keys], [role="tablist"]') !== null)
  );
}

/** Enter on a button presses the button. */
function isFree(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('button, a, summary, [role="button"]') === null;
}
