import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createRoleState } from './role-state.ts';
import { createSavedViews } from './saved-views.ts';
import { openState, stateFile } from './state-file.ts';

const SEED = { auditorTeams: [{ team: 'Audit', servers: ['*'] }], adminViewTeams: [] };
const NONE = { auditorTeams: [], adminViewTeams: [] };
const AT = '2026-11-24T08:00:00.000Z';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'gatelens-state-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

test('outlives a restart; the configuration seeds the roles only once', () => {
  const first = openState(stateFile(dataDir));
  const roles = createRoleState(first, SEED, AT);
  expect(roles.current()).toMatchObject({ version: 1, mapping: SEED, changedBy: '' });
  expect(roles.change(1, { mapping: NONE, changedAt: AT, changedBy: 'olga' })).toBe(true);
  roles.auditorSeen('grafana:1:a', '"*"', AT);
  createSavedViews(first).add('grafana:1:a', { name: 'v', page: 'usage', query: '' }, AT);
  first.close();
  const second = openState(stateFile(dataDir));
  const again = createRoleState(second, SEED, AT);
  expect(again.current()).toMatchObject({ version: 2, mapping: NONE, changedBy: 'olga' });
  expect(again.isNewAuditor('grafana:1:a', '"*"')).toBe(false);
  expect(again.isNewAuditor('grafana:1:a', '["hr"]')).toBe(true);
  expect(createSavedViews(second).list('grafana:1:a')).toHaveLength(1);
  second.close();
});

test('of two changes of one version, one wins', () => {
  const state = openState(':memory:');
  const roles = createRoleState(state, SEED, AT);
  expect(roles.change(1, { mapping: NONE, changedAt: AT, changedBy: 'a' })).toBe(true);
  expect(roles.change(1, { mapping: SEED, changedAt: AT, changedBy: 'b' })).toBe(false);
  expect(roles.current()).toMatchObject({ version: 2, changedBy: 'a' });
  state.close();
});

test('is for its owner’s eyes, and for one process at a time', () => {
  const state = openState(stateFile(dataDir));
  expect(statSync(stateFile(dataDir)).mode & 0o777).toBe(0o600);
  expect(statSync(join(dataDir, 'state')).mode & 0o777).toBe(0o700);
  expect(() => openState(stateFile(dataDir))).toThrow('no other audit API uses it');
  state.close();
});

test('that is no such file, or of a later version, is refused with what to do', () => {
  const file = stateFile(dataDir);
  openState(file).close();
  const state = openState(file);
  state.exec('PRAGMA user_version = 99');
  state.close();
  expect(() => openState(file)).toThrow('cannot be opened');
  writeFileSync(file, 'no database, and longer than any header of one would be'.repeat(20));
  expect(() => openState(file)).toThrow('cannot be opened');
});
