import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { AuditToken } from './caller.ts';
import { createTokenAuthenticator } from './caller.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const NOW = Date.parse('2026-11-24T08:00:00Z');

const TOKENS: AuditToken[] = [
  { name: 'ana-cli', role: 'viewer', user: ' Ana@Example.com ', sha256: sha256('gla_ana') },
  { name: 'siem', role: 'auditor', servers: ['hr'], sha256: sha256('gla_siem') },
  { name: 'old', role: 'admin', sha256: sha256('gla_old'), expires: '2026-11-24T08:00:00Z' },
  { name: 'soon', role: 'admin', sha256: sha256('gla_soon'), expires: '2026-11-24T08:00:00.001Z' },
  { name: 'odd', role: 'admin', sha256: sha256('gla_odd'), expires: 'whenever' },
];
const authenticate = createTokenAuthenticator({
  tokens: () => TOKENS,
  pseudonyms: { hash: (purpose, value) => `${purpose}:${String(value)}` },
});

test('knows a token and the person behind it', () => {
  expect(authenticate('Bearer gla_ana', NOW)).toEqual({
    caller: {
      kind: 'token',
      name: 'ana-cli',
      roles: ['viewer'],
      userKey: 'user:ana@example.com',
      email: 'ana@example.com',
      auditorServers: '*',
    },
  });
  expect(authenticate('bearer  gla_siem', NOW)).toMatchObject({
    caller: { roles: ['auditor'], userKey: '', auditorServers: ['hr'] },
  });
});

test.each([
  ['no header', undefined, 'anonymous'],
  ['empty header', '', 'anonymous'],
  ['unknown token', 'Bearer gla_other', 'unknown_token'],
  ['the stored hash instead of the token', `Bearer ${sha256('gla_ana')}`, 'unknown_token'],
  ['another scheme', 'Basic gla_ana', 'unknown_token'],
  ['no scheme', 'gla_ana', 'unknown_token'],
  ['two tokens', 'Bearer gla_ana gla_siem', 'unknown_token'],
  ['a very long token', `Bearer ${'x'.repeat(513)}`, 'unknown_token'],
  ['expiry is now', 'Bearer gla_old', 'expired_token'],
  ['expiry is no date', 'Bearer gla_odd', 'expired_token'],
])('refuses: %s', (_what, header, refused) => {
  expect(authenticate(header, NOW)).toMatchObject({ refused });
});

test('a token holds until the moment of its expiry', () => {
  expect(authenticate('Bearer gla_soon', NOW)).toHaveProperty('caller');
  expect(authenticate('Bearer gla_soon', NOW + 1)).toEqual({ refused: 'expired_token', tokenName: 'soon' });
});
