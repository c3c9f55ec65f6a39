import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../logger.ts';
import { createPseudonyms } from '../protection/pseudonyms.ts';
import { openSessionOwners, type SessionOwnersOptions } from './session-owners.ts';

const DAY_MS = 86_400_000;
const pseudonyms = createPseudonyms(new Uint8Array(32).fill(1));
const clock = { ms: 1e12 };
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gatelens-owners-'));
  clock.ms = 1e12;
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const file = () => join(dir, 'state', 'sessions.sqlite');
const open = (more: Partial<SessionOwnersOptions> = {}) =>
  openSessionOwners({ file: file(), pseudonyms, logger: silentLogger, now: () => clock.ms, ...more });

describe('owners of sessions', () => {
  it('are known after a restart, each at its server, until forgotten; the file holds no session id', () => {
    const first = open();
    first.keep('docs', 'secret-id', 'ana');
    first.keep('docs', 'other', 'bob');
    first.forget('docs', 'other');
    first.close();
    expect(readFileSync(file()).includes('secret-id')).toBe(false);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    const second = open();
    expect(second.find('docs', 'secret-id')).toBe('ana');
    expect(second.find('hr', 'secret-id')).toBeUndefined();
    expect(second.find('docs', 'other')).toBeUndefined();
    second.close();
  });

  it('are forgotten when nobody used them for long, not while somebody does', () => {
    const first = open();
    first.keep('docs', 'used', 'ana');
    first.keep('docs', 'left', 'ana');
    clock.ms += 20 * DAY_MS;
    expect(first.find('docs', 'used')).toBe('ana');
    clock.ms += 20 * DAY_MS;
    expect([first.find('docs', 'used'), first.find('docs', 'left')]).toEqual(['ana', undefined]);
    first.close();
  });

  it('are bounded: the longest unused go', () => {
    const owners = open({ capacity: 100 });
    for (let n = 0; n < 1000; n++) {
      clock.ms += 1;
      owners.keep('docs', `s${n}`, 'ana');
    }
    const known = Array.from({ length: 1000 }, (_, n) => owners.find('docs', `s${n}`) !== undefined);
    expect(known.filter(Boolean).length).toBeGreaterThanOrEqual(90);
    expect(known.filter(Boolean).length).toBeLessThanOrEqual(100);
    expect([known[0], known[999]]).toEqual([false, true]);
    owners.close();
  });

  it('are not pushed out by sessions that have ended', () => {
    const owners = open({ capacity: 100 });
    for (let n = 0; n < 90; n++) owners.keep('docs', `s${n}`, 'ana');
    for (let n = 0; n < 500; n++) {
      clock.ms += 1;
      owners.keep('docs', `ended${n}`, 'bob');
      owners.keep('docs', `ended${n}`, 'bob');
      owners.forget('docs', `ended${n}`);
    }
    expect(Array.from({ length: 90 }, (_, n) => owners.find('docs', `s${n}`))).toEqual(Array(90).fill('ana'));
    owners.close();
  });

  it('that cannot be read stop the start, with what to do', () => {
    open().close();
    writeFileSync(file(), 'no database at all, but long enough to be looked at as if it were one'.repeat(20));
    expect(() => open()).toThrow(/delete it/);
  });

  it('that cannot be written are logged once, and hold up no session', () => {
    const errors: string[] = [];
    const owners = open({ logger: { ...silentLogger, error: (event) => void errors.push(event) } });
    owners.close();
    owners.keep('docs', 's', 'ana');
    expect(owners.find('docs', 's')).toBeUndefined();
    expect(errors).toEqual(['session_owners_failed']);
  });
});
