/**
 * The newest calls of a live view: newest first, never more than a thousand, a stream's second record in place of its
 * first. While paused, what arrives waits. Pure: every change gives a new buffer.
 */
import type { Call } from './contract.ts';

export interface TailBuffer {
  readonly shown: readonly Call[];
  /** newest first, too */
  readonly waiting: readonly Call[];
  /** calls that were too many for one reader */
  readonly skipped: number;
}

export const MOST_CALLS = 1000;
export const EMPTY_TAIL: TailBuffer = { shown: [], waiting: [], skipped: 0 };

/** @param arrived oldest first */
export function arrive(buffer: TailBuffer, arrived: readonly Call[], isPaused: boolean): TailBuffer {
  if (arrived.length === 0) return buffer;
  if (isPaused) return { ...buffer, waiting: onTop(buffer.waiting, arrived) };
  return { ...buffer, shown: onTop(buffer.shown, arrived) };
}

export function resume(buffer: TailBuffer): TailBuffer {
  if (buffer.waiting.length === 0) return buffer;
  return { ...buffer, shown: onTop(buffer.shown, [...buffer.waiting].reverse()), waiting: [] };
}

function onTop(calls: readonly Call[], arrived: readonly Call[]): readonly Call[] {
  const newest = new Map(arrived.map((call) => [call.id, call]));
  const others = calls.filter(({ id }) => !newest.has(id));
  return [...[...newest.values()].reverse(), ...others].slice(0, MOST_CALLS);
}
