import { expect, it } from 'vitest';
import { RUNNING, taken } from './search-state.ts';

const event = (name: string, data: object) => ({ event: name, data: JSON.stringify(data) });
const progress = { calls: 7, bytes: 900, matches: 1, unreadable: 0, searchedTo: '2026-11-24T10:00:00Z' };

it('keeps matches as they come, and says why the search ended', () => {
  const found = taken(RUNNING, event('match', { call: { id: 'a' }, hits: [] }));
  const going = taken(found, event('progress', progress));
  expect([going.phase, going.matches.length, going.progress?.calls]).toEqual(['running', 1, 7]);
  const ended = taken(going, event('end', { ...progress, reason: 'bytes' }));
  expect(ended).toMatchObject({ phase: 'ended', reason: 'bytes', progress: { bytes: 900 } });
  expect(ended.matches).toHaveLength(1);
});

it('takes an event of a later version for nothing', () => {
  expect(taken(RUNNING, event('hint', { x: 1 }))).toBe(RUNNING);
});
