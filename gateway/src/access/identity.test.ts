import { describe, expect, it } from 'vitest';
import { normalizeEmail, principalOfClaims, principalOfKey, teamsOfClaim } from './identity.ts';

describe('an e-mail', () => {
  it.each([
    ['Ana@Example.COM', 'ana@example.com'],
    [' ana@example.com ', 'ana@example.com'],
    // U+212A KELVIN SIGN: Unicode lower-casing would make it the k of somebody else
    ['\u212Aim@example.com', '\u212Aim@example.com'],
    // dotless and dotted i of Turkish
    ['\u0130da@example.com', '\u0130da@example.com'],
    // Cyrillic a
    ['\u0430na@example.com', '\u0430na@example.com'],
  ])('%s is compared as %s', (written, compared) => {
    expect(normalizeEmail(written)).toBe(compared);
  });
});

describe('claims', () => {
  it.each([
    ['an e-mail', { email: 'Ana@example.com', sub: '1' }, { subject: 'ana@example.com', email: 'ana@example.com' }],
    ['an unverified e-mail', { email: 'ana@example.com', email_verified: false, sub: '1' }, { subject: '1' }],
    ['only a subject', { sub: 'abc' }, { subject: 'abc' }],
    ['a subject that looks like an e-mail', { sub: 'ana@example.com' }, { subject: 'sub:ana@example.com' }],
    ['a subject that looks like a key', { sub: 'key:ci' }, { subject: 'sub:key:ci' }],
    [
      'a login and a name',
      { email: 'a@b', preferred_username: 'ana', name: 'Ana Ruiz' },
      { subject: 'a@b', email: 'a@b', login: 'ana', name: 'Ana Ruiz' },
    ],
    ['an e-mail that is none', { email: 'ana', sub: '1' }, { subject: 'ana' }],
    ['something else than texts', { email: ['a@b'], sub: 7 }, undefined],
    ['nothing', {}, undefined],
    ['blanks', { email: '  ', sub: '' }, undefined],
    ['an endless subject', { sub: 'x'.repeat(5000) }, undefined],
  ])('with %s name the right person', (_, claims, principal) => {
    expect(principalOfClaims(claims, 'email')).toEqual(principal);
  });

  it('may name the person elsewhere', () => {
    expect(principalOfClaims({ upn: 'Ana@example.com', email: 'other@example.com' }, 'upn')?.subject).toBe(
      'ana@example.com'
    );
  });

  it.each([
    ['a list', ['ops', 'dev', 'ops', '', 7], ['ops', 'dev']],
    ['a text', 'ops dev', ['ops', 'dev']],
    ['nothing', undefined, []],
    ['a map', { ops: true }, []],
  ])('give teams from %s', (_, claim, teams) => {
    expect(teamsOfClaim(claim)).toEqual(teams);
  });
});

describe('the owner of a key', () => {
  it('is its user, or the key itself', () => {
    expect(principalOfKey('ci', 'Ana@example.com')).toEqual({ subject: 'ana@example.com', email: 'ana@example.com' });
    expect(principalOfKey('ci', undefined)).toEqual({ subject: 'key:ci' });
    expect(principalOfKey('ci', 'key:other')).toEqual({ subject: 'sub:key:other', login: 'key:other' });
  });
});
