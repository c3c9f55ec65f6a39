import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../logger.ts';
import { apiKeyFile, createApiKeys } from './api-keys.ts';
import { addCredential, readCredentials, revokeCredential } from './credential-file.ts';
import { createSecret, hashSecret } from './secrets.ts';

let dataDir: string;
let file: string;
let nowMs: number;
const CREATED = '2026-11-24T08:00:00.000Z';

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'gatelens-keys-'));
  file = apiKeyFile(dataDir);
  nowMs = Date.parse(CREATED);
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const keysOf = (configured: Parameters<typeof createApiKeys>[0]['configured'] = []) =>
  createApiKeys({ configured, file, logger: silentLogger, now: () => nowMs });

function add(name: string, more: { user?: string; expires?: string } = {}): string {
  const secret = createSecret('gl_');
  addCredential(file, { name, sha256: hashSecret(secret), createdAt: CREATED, ...more });
  return secret;
}

describe('API keys', () => {
  it('are known by their hash, from the configuration and from the data directory', () => {
    const configured = createSecret('gl_');
    const stored = add('ci', { user: 'ana@example.com' });
    const keys = keysOf([{ name: 'conf', teams: ['ops'], sha256: hashSecret(configured) }]);
    expect(keys.find(configured)).toEqual({ ok: true, key: { name: 'conf', teams: ['ops'] } });
    expect(keys.find(stored)).toEqual({ ok: true, key: { name: 'ci', teams: [], user: 'ana@example.com' } });
    expect(keys.count()).toBe(2);
  });

  it('made later are known at once; revoked ones within a second', () => {
    const keys = keysOf();
    const secret = add('late');
    expect(keys.find(secret).ok).toBe(true);
    revokeCredential(file, 'late', new Date(nowMs));
    nowMs += 1000;
    expect(keys.find(secret)).toEqual({ ok: false, reason: 'api_key_revoked' });
  });

  it('expire at their time, not a moment later', () => {
    const secret = add('short', { expires: '2026-11-24T09:00:00.000Z' });
    const keys = keysOf();
    nowMs = Date.parse('2026-11-24T08:59:59.999Z');
    expect(keys.find(secret).ok).toBe(true);
    nowMs += 1;
    expect(keys.find(secret)).toEqual({ ok: false, reason: 'api_key_expired' });
  });

  it.each([
    ['one never made', () => createSecret('gl_')],
    ['the hash itself', () => `gl_${hashSecret('x')}`],
    ['a token of the audit API', () => createSecret('gla_')],
    ['nothing', () => ''],
    ['only the prefix', () => 'gl_'],
    ['something endless', () => `gl_${'x'.repeat(100_000)}`],
  ])('are refused: %s', (_, make) => {
    add('ci');
    expect(keysOf().find(make())).toEqual({ ok: false, reason: 'api_key_unknown' });
  });

  it('are not the stored hash: who reads the file cannot call', () => {
    const secret = add('ci');
    expect(readFileSync(file, 'utf8')).not.toContain(secret.slice(3));
    expect(keysOf().find(readCredentials(file)[0]?.sha256 ?? '').ok).toBe(false);
  });

  it('of a damaged or vanished file open nothing, and come back with it', () => {
    const secret = add('ci');
    const good = readFileSync(file, 'utf8');
    const events: string[] = [];
    const logger = { ...silentLogger, error: (event: string) => void events.push(event) };
    const keys = createApiKeys({ configured: [], file, logger, now: () => nowMs });
    expect(keys.find(secret).ok).toBe(true);
    for (const damaged of ['{"version":1,"credentials":[{"name":"ci"}]}', 'rubbish', '']) {
      writeFileSync(file, damaged);
      nowMs += 1000;
      expect(keys.find(secret).ok).toBe(false);
    }
    expect(events).toContain('credentials.file_unusable');
    rmSync(file);
    nowMs += 1000;
    expect(keys.find(secret).ok).toBe(false);
    writeFileSync(file, good);
    expect(keys.find(secret).ok).toBe(true);
  });

  it('are stored for their owner alone, under a name used once, and can be made anew after revoking', () => {
    add('ci');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(dataDir, 'keys')).mode & 0o777).toBe(0o700);
    expect(() => add('ci')).toThrow('in use');
    expect(existsSync(`${file}.lock`)).toBe(false);
    expect(revokeCredential(file, 'ci', new Date(nowMs))).toBe(true);
    expect(revokeCredential(file, 'ci', new Date(nowMs))).toBe(false);
    expect(keysOf().find(add('ci')).ok).toBe(true);
  });

  it.skipIf(process.getuid?.() === 0)('say what to do when the file may not be read', () => {
    add('ci');
    chmodSync(file, 0o000);
    expect(() => readCredentials(file)).toThrow('--data-dir');
  });
});
