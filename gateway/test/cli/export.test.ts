/** `gatelens export` and `export verify` against a listening audit API: real HTTP, real files, real exit codes. */
import { mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startAuditApiServer, type AuditApiServer } from '../../src/audit-api/server.ts';
import { runCli } from '../../src/cli.ts';
import type { TestStore } from '../audit-api/api-under-test.ts';
import { NS, callIdAt, insertCalls, signingKeyPem, startTestApi, startTestStore } from '../audit-api/api-under-test.ts';

let store: TestStore;
let server: AuditApiServer;
let root: string;
let cwd: string;
const START_MS = Date.now() - 3_600_000;
const RANGE = ['--from', new Date(START_MS).toISOString(), '--to', new Date(START_MS + 3_000_000).toISOString()];
const COUNT = 200;

beforeAll(async () => {
  store = await startTestStore();
  server = await startAuditApiServer(startTestApi(store.reader).api, { host: '127.0.0.1', port: 0 });
  root = mkdtempSync(join(tmpdir(), 'gatelens-cli-export-'));
  const calls = Array.from({ length: COUNT }, (_, index) => {
    const ms = START_MS + index * 1000;
    const name = index % 2 === 0 ? 'hr' : 'github';
    return { call_id: callIdAt(ms), startedNs: BigInt(ms) * NS, email: 'ana@example.com', server: name };
  });
  await insertCalls(store, calls);
});
afterAll(async () => {
  await server.close();
  await store.close();
  rmSync(root, { recursive: true, force: true });
});
beforeEach(() => {
  cwd = mkdtempSync(join(root, 'run-'));
  writeFileSync(join(cwd, 'key.pem'), signingKeyPem);
});

async function gatelens(args: string[], env: Record<string, string> = { GATELENS_TOKEN: 'admin' }) {
  let said = '';
  const say = (text: string): void => void (said += `${text}\n`);
  const code = await runCli(args, {
    env,
    cwd,
    nodePath: process.execPath,
    now: () => new Date(),
    print: say,
    note: say,
    log: say,
    onSignal: () => undefined,
    exitNow: () => undefined,
  });
  return { code, said };
}
const take = (...args: string[]) => gatelens(['export', '--url', server.url, ...RANGE, ...args]);
const verify = (...args: string[]) => gatelens(['export', 'verify', ...args, '--public-key', 'key.pem']);
const here = (): string[] => readdirSync(cwd).filter((name) => name !== 'key.pem');

test('takes what is filtered, under a name with the range, with a manifest that verifies', async () => {
  expect(await take('--filter', 'server=hr', '--compression', 'zstd')).toMatchObject({ code: 0 });
  const [file = '', manifest] = here().sort();
  expect(manifest).toBe(`${file}.manifest.json`);
  const rows = zstdDecompressSync(readFileSync(join(cwd, file)))
    .toString()
    .trim()
    .split('\n');
  expect(rows).toHaveLength(COUNT / 2);
  expect(await verify(file)).toMatchObject({ code: 0, said: expect.stringContaining('as it was exported') });
  writeFileSync(join(cwd, file), 'changed');
  expect(await verify('.')).toMatchObject({ code: 1, said: expect.stringContaining('not what was exported') });
});

test('gets from the server what every answer has, and the whole file in pieces', async () => {
  const headers = { authorization: 'Bearer admin' };
  const query = new URLSearchParams({ from: RANGE[1] ?? '', to: RANGE[3] ?? '' }).toString();
  const answer = await fetch(`${server.url}/api/v1/exports/stream?${query}`, { headers });
  const page = await fetch(`${server.url}/api/v1/calls?limit=1`, { headers });
  const file = await answer.text();
  const own = new Set(['content-type', 'content-length', 'transfer-encoding', 'date']);
  for (const [name, value] of page.headers) if (!own.has(name)) expect(answer.headers.get(name)).toBe(value);
  expect(answer.headers.get('content-disposition')).toContain('gatelens-calls-');
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  expect(file.length).toBeGreaterThan(128 * 1024);
  expect(
    file
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { server: string }).server)
  ).toHaveLength(COUNT);
});

test('goes on where it broke off', async () => {
  await take('--out', 'whole.jsonl');
  const whole = readFileSync(join(cwd, 'whole.jsonl'), 'utf8');
  const query = new URLSearchParams({ from: RANGE[1] ?? '', to: RANGE[3] ?? '', format: 'jsonl', compression: 'none' });
  for (const end of ['from', 'to']) query.set(end, (query.get(end) ?? '').replace(/\.(\d{3})Z$/, '.$1000000Z'));
  const piece = { from: query.get('from'), to: query.get('to'), rows: COUNT };
  writeFileSync(join(cwd, 'half.jsonl.part'), whole);
  truncateSync(join(cwd, 'half.jsonl.part'), Math.floor(whole.length / 3));
  writeFileSync(join(cwd, 'half.jsonl.part.json'), JSON.stringify({ asked: query.toString(), piece }));
  expect(await take('--out', 'half.jsonl', '--resume')).toMatchObject({ code: 0 });
  expect(readFileSync(join(cwd, 'half.jsonl'), 'utf8')).toBe(whole);
  expect(here().sort()).toEqual(['half.jsonl', 'whole.jsonl', 'whole.jsonl.manifest.json']);
});

test.each<[string, string[], Record<string, string>, RegExp]>([
  ['no token', [], {}, /GATELENS_TOKEN/],
  ['a token that may not', [], { GATELENS_TOKEN: 'viewer' }, /refused \(403\): Only admins and auditors export/],
  ['payloads by an admin', ['--payloads'], { GATELENS_TOKEN: 'admin' }, /refused \(403\): Only auditors/],
  ['a filter that is none', ['--filter', 'colour=red'], { GATELENS_TOKEN: 'admin' }, /refused \(400\)/],
  ['a filter without =', ['--filter', 'red'], { GATELENS_TOKEN: 'admin' }, /write name=value/],
  ['a file that is there', ['--out', 'key.pem'], { GATELENS_TOKEN: 'admin' }, /is there already/],
  ['resuming what cannot be', ['--resume', '--format', 'csv'], { GATELENS_TOKEN: 'admin' }, /Only uncompressed JSONL/],
])('%s: exit code 2, with what to do, and no file', async (_what, args, env, message) => {
  const { code, said } = await gatelens(['export', '--url', server.url, ...RANGE, ...args], env);
  expect(code).toBe(2);
  expect(said).toMatch(message);
  expect(here()).toEqual([]);
});

test('nobody there: exit code 5', async () => {
  const { code, said } = await gatelens(['export', '--url', 'http://127.0.0.1:9', ...RANGE]);
  expect([code, said]).toEqual([5, expect.stringContaining('does not answer')]);
});
