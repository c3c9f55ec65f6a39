import { describe, expect, it } from 'vitest';
import { globMatches } from './glob.ts';

describe('a pattern', () => {
  it.each([
    ['', '', true],
    ['', 'a', false],
    ['*', '', true],
    ['**', 'anything', true],
    ['a*', 'a', true],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['*ab', 'aab', true],
    ['*ab*', 'xaby', true],
    ['a*b*c', 'abbbc', true],
    ['a*b*c', 'acb', false],
    ['ab*ba', 'aba', false],
    ['*.csv', 'x.csv.bak', false],
    ['a.c', 'abc', false],
    ['[ab]', 'a', false],
  ])('%j against %j: %s', (pattern, name, matches) => {
    expect(globMatches(pattern, name)).toBe(matches);
  });
});
