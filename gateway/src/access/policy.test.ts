import { describe, expect, it } from 'vitest';
import { createPolicy, type PolicyRule } from './policy.ts';
import type { AuthenticatedCaller } from './principal.ts';

const ALL = { users: ['*'], servers: ['*'], tools: ['*'], methods: ['*'] };
const rule = (more: Partial<PolicyRule>): PolicyRule => ({ allow: true, ...ALL, ...more });

const ana: AuthenticatedCaller = {
  userKey: 'u1',
  keyName: '',
  teams: ['ops'],
  authMethod: 'jwt',
  principal: { subject: 'ana@example.com', email: 'ana@example.com' },
};
const ci: AuthenticatedCaller = {
  userKey: 'u2',
  keyName: 'ci',
  teams: [],
  authMethod: 'api_key',
  principal: { subject: 'key:ci' },
};
const anonymous: AuthenticatedCaller = { userKey: '', keyName: '', teams: [], authMethod: 'anonymous' };
/** an identity provider gives subjects as it likes */
const pretender: AuthenticatedCaller = {
  userKey: 'u3',
  keyName: '',
  teams: ['ci'],
  authMethod: 'jwt',
  principal: { subject: 'ci' },
};

const ask = (
  rules: readonly PolicyRule[],
  caller: AuthenticatedCaller,
  method = 'tools/call',
  tool = 'echo',
  server = 'docs'
) => createPolicy(rules).decide({ caller, server, method, ...(method === 'tools/call' ? { tool } : {}) });

describe('policy', () => {
  it('denies when no rule matches, an empty list included', () => {
    expect(ask([], ana)).toEqual({ allow: false, rule: '', reason: 'no_rule' });
    expect(ask([rule({ servers: ['other'] })], ana).allow).toBe(false);
  });

  it('lets the first rule that matches decide, and names it', () => {
    const rules = [rule({ allow: false, tools: ['delete_*'], name: 'no-deletes' }), rule({})];
    expect(ask(rules, ana, 'tools/call', 'delete_all')).toEqual({ allow: false, rule: 'no-deletes', reason: 'rule' });
    expect(ask(rules, ana, 'tools/call', 'read_all')).toEqual({ allow: true, rule: '#2', reason: 'rule' });
  });

  it.each<[pattern: string, caller: AuthenticatedCaller, matches: boolean]>([
    ['*', anonymous, true],
    ['anonymous', anonymous, true],
    ['anonymous', ana, false],
    ['ana@example.com', ana, true],
    ['ANA@Example.com', ana, true],
    ['*@example.com', ana, true],
    ['*@example.com', ci, false],
    ['*@other.com', ana, false],
    // U+0430, Cyrillic a
    ['\u0430na@example.com', ana, false],
    // a pattern is no regular expression
    ['ana@example.c.m', ana, false],
    ['.*@example.com', ana, false],
    ['ci', ci, true],
    ['key:ci', ci, true],
    ['key:c*', ci, true],
    ['CI', ci, false],
    ['ci', pretender, false],
    ['key:ci', pretender, false],
    ['sub:ci', pretender, true],
    ['team:ci', pretender, true],
    ['team:ops', ana, true],
    ['team:op?', ana, false],
    ['team:OPS', ana, false],
    ['team:*', ci, false],
    ['team:', ana, false],
    ['team:*', ana, true],
  ])('users [%s] against %o: %s', (pattern, caller, matches) => {
    expect(ask([rule({ users: [pattern] })], caller).allow).toBe(matches);
  });

  it.each([
    ['echo', 'echo', true],
    ['echo', 'Echo', false],
    ['echo', 'echo ', false],
    ['echo', 'echo\u0000', false],
    // é as one code point and as two
    ['caf\u00e9', 'cafe\u0301', false],
    // U+0435, Cyrillic e
    ['echo', '\u0435cho', false],
    ['read_*', 'read_', true],
    ['read_*', 'xread_y', false],
    ['*', '', true],
    ['(a+)+$', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!', false],
  ])('tools [%s] against %j: %s', (pattern, tool, matches) => {
    expect(ask([rule({ tools: [pattern] })], ana, 'tools/call', tool).allow).toBe(matches);
  });

  it('opens what a session needs to a caller who may use one tool, and nothing else', () => {
    const rules = [rule({ tools: ['echo'] })];
    for (const method of [
      'initialize',
      'ping',
      'tools/list',
      'notifications/initialized',
      'server/discover',
      'stream',
    ]) {
      expect(ask(rules, ana, method).allow, method).toBe(true);
    }
    for (const method of ['resources/read', 'prompts/get', 'completion/complete', 'tools/unknown', '', 'tools/call ']) {
      expect(ask(rules, ana, method).allow, method).toBe(false);
    }
  });

  it('does not close a server by the denial of one tool', () => {
    const rules = [rule({ allow: false, tools: ['echo'] }), rule({})];
    expect(ask(rules, ana, 'initialize').allow).toBe(true);
    expect(ask(rules, ana, 'resources/read').allow).toBe(true);
    expect(ask(rules, ana, 'tools/call', 'echo').allow).toBe(false);
  });

  it('takes a tool call without a readable name for none of the named tools', () => {
    const nameless = { caller: ana, server: 'docs', method: 'tools/call' };
    expect(createPolicy([rule({ tools: ['echo'] })]).decide(nameless).allow).toBe(false);
  });

  it('can speak of methods', () => {
    const rules = [rule({ allow: false, methods: ['resources/*'] }), rule({})];
    expect(ask(rules, ana, 'resources/read').allow).toBe(false);
    expect(ask(rules, ana, 'tools/call').allow).toBe(true);
  });

  it('decides quickly about a hostile name', () => {
    const startedAt = performance.now();
    ask([rule({ tools: ['*a*a*a*a*a*b'] })], ana, 'tools/call', 'a'.repeat(10_000));
    expect(performance.now() - startedAt).toBeLessThan(1000);
  });
});
