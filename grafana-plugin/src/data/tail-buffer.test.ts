import { describe, expect, it } from 'vitest';
import type { Call } from './contract.ts';
import { arrive, EMPTY_TAIL, MOST_CALLS, resume } from './tail-buffer.ts';

const call = (id: string, outcome: Call['outcome'] = 'success') => ({ id, outcome }) as Call;
const ids = (calls: readonly Call[]) => calls.map(({ id }) => id);

describe('the calls of a live view', () => {
  it('stand newest first', () => {
    const buffer = arrive(arrive(EMPTY_TAIL, [call('a'), call('b')], false), [call('c')], false);
    expect(ids(buffer.shown)).toEqual(['c', 'b', 'a']);
  });

  it('wait while it is paused, and come on top when it goes on', () => {
    const paused = arrive(arrive(EMPTY_TAIL, [call('a')], false), [call('b'), call('c')], true);
    expect([ids(paused.shown), ids(paused.waiting)]).toEqual([['a'], ['c', 'b']]);
    const going = resume(paused);
    expect([ids(going.shown), going.waiting]).toEqual([['c', 'b', 'a'], []]);
  });

  it('are there once: a stream that ends replaces itself', () => {
    const buffer = arrive(arrive(EMPTY_TAIL, [call('s', null), call('a')], false), [call('s')], false);
    expect(ids(buffer.shown)).toEqual(['s', 'a']);
    expect(buffer.shown[0]?.outcome).toBe('success');
  });

  it('are never more than a thousand, shown or waiting', () => {
    const many = Array.from({ length: 1500 }, (_unused, index) => call(String(index)));
    expect(arrive(EMPTY_TAIL, many, false).shown).toHaveLength(MOST_CALLS);
    expect(arrive(EMPTY_TAIL, many, true).waiting).toHaveLength(MOST_CALLS);
    expect(arrive(EMPTY_TAIL, many, false).shown[0]?.id).toBe('1499');
  });
});
