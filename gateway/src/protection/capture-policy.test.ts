import { describe, expect, it } from 'vitest';
import { createCapturePolicy, globMatches } from './capture-policy.ts';
import type { CaptureOptions } from './capture-policy.ts';

const RULES: CaptureOptions = {
  default: 'full',
  maxBytes: 1000,
  rules: [
    { server: 'hr', tool: 'search_*', mode: 'full' },
    { server: 'hr', tool: '*', mode: 'redacted' },
    { server: '*', tool: '*_secret', mode: 'off' },
    { server: 'bank*', tool: '*', mode: 'hash' },
  ],
};

describe('capture policy', () => {
  it.each([
    ['files', 'read', 'full'],
    ['hr', 'search_people', 'full'],
    ['hr', 'search', 'redacted'],
    ['hr', '', 'redacted'],
    ['hr', 'get_secret', 'redacted'],
    ['files', 'get_secret', 'off'],
    ['files', 'secret', 'full'],
    ['bank', '', 'hash'],
    ['bank-eu', 'pay', 'hash'],
    ['HR', 'x', 'full'],
  ])('server %j, tool %j: the first rule that matches gives %s', (server, tool, mode) => {
    const policy = createCapturePolicy(RULES);
    expect(policy.decide(server, tool).mode).toBe(mode);
    expect(policy.decide(server, tool).mode, 'asked again').toBe(mode);
  });

  it('gives the cap with every mode that keeps something, and none with off', () => {
    const policy = createCapturePolicy(RULES);
    expect(policy.decide('files', 'read').maxBytes).toBe(1000);
    expect(policy.decide('files', 'a_secret').maxBytes).toBe(0);
  });

  it.each([
    ['an unknown default', { ...RULES, default: 'ful', rules: [] }],
    ['an unknown mode in the rule that matches', { ...RULES, rules: [{ server: '*', tool: '*', mode: 'FULL' }] }],
    ['no default', { maxBytes: 1, rules: [] }],
  ])('captures nothing with %s', (_, options) => {
    const policy = createCapturePolicy(options as unknown as CaptureOptions);
    expect(policy.decide('files', 'read')).toEqual({ mode: 'off', maxBytes: 0 });
  });

  it('captures nothing of a call without names', () => {
    const policy = createCapturePolicy(RULES) as unknown as { decide(server: unknown, tool: unknown): unknown };
    expect(policy.decide(undefined, 'x')).toEqual({ mode: 'off', maxBytes: 0 });
    expect(policy.decide('files', null)).toEqual({ mode: 'off', maxBytes: 0 });
  });

  it.each([Number.NaN, -1, Number.POSITIVE_INFINITY])('keeps no body bytes under a cap of %d', (maxBytes) => {
    expect(createCapturePolicy({ ...RULES, maxBytes }).decide('files', 'x').maxBytes).toBe(0);
  });

  it('does not take long for a pattern full of stars against a hostile name', () => {
    const started = performance.now();
    expect(globMatches('*a*a*a*a*a*a*b', 'a'.repeat(10_000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it.each([
    ['*', '', true],
    ['**', 'x', true],
    ['a*c', 'abbc', true],
    ['a*c', 'abbcd', false],
    ['a.c', 'abc', false],
    ['(', '(', true],
    ['', '', true],
    ['', 'a', false],
  ])('%j against %j: %s', (pattern, name, matches) => {
    expect(globMatches(pattern, name)).toBe(matches);
  });
});
