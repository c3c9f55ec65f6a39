/** The judge itself: what it takes for equal, and that nothing passes that was not checked. */
import { describe, expect, it } from 'vitest';
import { compare, formatCounts, totalOf } from './compare.ts';
import type { Difference } from './differences.ts';
import type { Check, SuiteResult, Verdict } from './official-suite.ts';

const WHERE = { suite: 'one', route: 'http' } as const;

function result(scenarios: Record<string, readonly (readonly [id: string, verdict?: Verdict])[]>): SuiteResult {
  const checks = (list: readonly (readonly [string, Verdict?])[]): Check[] =>
    list.map(([id, verdict = 'SUCCESS']) => ({ id, verdict, message: '' }));
  return new Map(Object.entries(scenarios).map(([scenario, list]) => [scenario, checks(list)]));
}

function reason(more: Partial<Difference> = {}): Difference {
  return { suites: ['one'], route: 'http', scenario: 's', through: '1', clause: 'c', why: 'w', ...more };
}

const TWO = result({ s: [['a'], ['b']] });

describe('a comparison', () => {
  it('is content with the same checks in any order', () => {
    expect(compare(TWO, result({ s: [['b'], ['a']] }), [], WHERE).problems).toEqual([]);
  });

  it.each<[string, SuiteResult, RegExp]>([
    ['a missing check', result({ s: [['a']] }), /Directly: b SUCCESS/],
    ['an added check', result({ s: [['a'], ['b'], ['c']] }), /Through the gateway: c SUCCESS/],
    ['another verdict', result({ s: [['a'], ['b', 'WARNING']] }), /Directly: b SUCCESS.*b WARNING/],
    ['the same number of other checks', result({ s: [['a'], ['c']] }), /Directly: b SUCCESS.*c SUCCESS/],
    ['a check that came once instead of twice', result({ s: [['a'], ['a']] }), /Directly: b SUCCESS/],
    ['no checks, which the suite counts as passed', result({ s: [] }), /no checks at all/],
    ['a scenario that is not there', result({}), /no checks at all/],
  ])('finds %s', (_, through, problem) => {
    expect(compare(TWO, through, [], WHERE).problems.join('\n')).toMatch(problem);
  });

  it('fails for a scenario without checks also when it has none directly', () => {
    const empty = result({ s: [] });
    expect(compare(empty, empty, [], WHERE).problems).toContain('one, http, s: no checks at all when asked directly.');
  });

  it('takes a difference that is listed, for its suite, its route and its outcome only', () => {
    const less = result({ s: [['a']] });
    expect(compare(TWO, less, [reason()], WHERE).problems).toEqual([]);
    for (const other of [reason({ suites: ['two'] }), reason({ route: 'stdio' }), reason({ through: '0' })]) {
      expect(compare(TWO, less, [other], WHERE).problems).not.toEqual([]);
    }
  });

  it('wants no reason that is not needed any more, or names nothing', () => {
    expect(compare(TWO, TWO, [reason({ through: '2' })], WHERE).problems).toHaveLength(1);
    expect(compare(TWO, TWO, [reason({ scenario: 'gone' })], WHERE).problems).toHaveLength(1);
  });
});

describe('counts', () => {
  it('say what did not pass', () => {
    expect(formatCounts(totalOf(result({ s: [['a'], ['b', 'FAILURE']], t: [['c', 'SKIPPED']] })))).toBe(
      '1 + 1 failed + 1 skipped'
    );
    expect(formatCounts(totalOf(result({ s: [] })))).toBe('0');
  });
});
