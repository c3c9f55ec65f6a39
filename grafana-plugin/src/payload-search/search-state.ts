/** What a search in payloads has found so far, and why it ended. Pure: every event gives a new state. */
import type { SearchEnd, SearchMatch, SearchProgress } from '../data/contract.ts';
import type { ApiFailure } from '../data/api-failure.ts';
import type { StreamEvent } from '../data/event-stream.ts';

export interface SearchState {
  readonly phase: 'idle' | 'running' | 'ended' | 'cancelled' | 'failed';
  readonly matches: readonly SearchMatch[];
  readonly progress: SearchProgress | undefined;
  readonly reason: SearchEnd['reason'] | undefined;
  readonly failure: ApiFailure | undefined;
}

export const IDLE: SearchState = {
  phase: 'idle',
  matches: [],
  progress: undefined,
  reason: undefined,
  failure: undefined,
};
export const RUNNING: SearchState = { ...IDLE, phase: 'running' };

/** Events that are not known change nothing. */
export function taken(state: SearchState, { event, data }: StreamEvent): SearchState {
  if (event === 'match') return { ...state, matches: [...state.matches, JSON.parse(data) as SearchMatch] };
  if (event === 'progress') return { ...state, progress: JSON.parse(data) as SearchProgress };
  if (event !== 'end') return state;
  const end = JSON.parse(data) as SearchEnd;
  return { ...state, phase: 'ended', progress: end, reason: end.reason };
}

/** Why it ended, and what to do to see more. */
export const REASON_WORDS: Readonly<Record<SearchEnd['reason'], string>> = {
  complete: 'Every call that fits the filters was looked at.',
  calls: 'It ended at the limit of calls. Narrow the filters, or go on further back.',
  bytes: 'It ended at the limit of bytes. Narrow the filters, or go on further back.',
  seconds: 'It ended when its time was up. Narrow the filters, or go on further back.',
  matches: 'It ended at the limit of matches. Narrow the filters, or go on further back.',
  rights: 'It ended because your rights changed.',
  store: 'The store did not answer any more. What was found so far is shown.',
  not_recorded: 'It ended because what it found could not be recorded.',
};
