import { describe, expect, it } from 'vitest';
import type { RoleSettings } from '../data/contract.ts';
import { chosenServers, draftOf, effectOf, isChanged, mappingOf } from './role-draft.ts';

const settings: RoleSettings = {
  version: 3,
  auditorTeams: [{ team: 'Security Audit', servers: ['*'], members: 14 }],
  adminViewTeams: [{ team: 'Managers', members: null }],
  changedAt: '2026-11-24T08:00:00Z',
  changedBy: null,
  mayChange: true,
  teams: [],
};

describe('a mapping while it is edited', () => {
  it('is unchanged until something is changed, and says which version it replaces', () => {
    const draft = draftOf(settings);
    expect(isChanged(settings, draft)).toBe(false);
    const other = { ...draft, adminViewTeams: [] };
    expect(isChanged(settings, other)).toBe(true);
    expect(mappingOf(settings, other)).toEqual({
      version: 3,
      auditorTeams: [{ team: 'Security Audit', servers: ['*'] }],
      adminViewTeams: [],
    });
  });

  it('names all servers, or some, never both', () => {
    expect(chosenServers(['a'], ['a', '*'])).toEqual(['*']);
    expect(chosenServers(['*'], ['*', 'a'])).toEqual(['a']);
    expect(chosenServers(['a'], ['a', 'b'])).toEqual(['a', 'b']);
  });

  it.each([
    [['*'], 14, '14 people in Security Audit can open payloads of all servers.'],
    [['hr'], 1, '1 person in Security Audit can open payloads of hr.'],
    [['*'], null, 'Nobody known is in Security Audit, which can open payloads of all servers.'],
    [[], 2, '2 people in Security Audit can open payloads of no server yet: choose some.'],
  ] as const)('%j with %j members means: %s', (servers, members, words) => {
    expect(effectOf({ team: 'Security Audit', servers }, members)).toBe(words);
  });
});
