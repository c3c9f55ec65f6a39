/** `gatelens export` and `export verify` against a listening audit API: real HTTP, real files, real exit codes. */
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
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
const here = (): string[] =>
  readdirSync(cwd)
    .filter((name) => name !== 'key.pem')
    .sort();

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

/** In front of the audit API: breaks each file off after so many bytes, until it is told not to. */
async function startDoor(out: string): Promise<{ readonly url: string; breakAfter: number; close(): Promise<void> }> {
  const { hostname, port } = new URL(server.url);
  const part = join(cwd, `${out}.part`);
  const door = {
    url: '',
    breakAfter: Number.POSITIVE_INFINITY,
    onDisk: () => (existsSync(part) ? statSync(part).size : 0),
    close: () => Promise.resolve(),
  };
  const listener = createServer((incoming, answer) => {
    const { method, url, headers } = incoming;
    const passed = request({ hostname, port, method, path: url, headers }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      if (!(url ?? '').includes('/stream?')) {
        got.pipe(answer);
        return;
      }
      let left = door.breakAfter;
      let sent = 0;
      got.on('data', (chunk: Buffer) => {
        const piece = chunk.subarray(0, left);
        left -= piece.length;
        sent += piece.length;
        if (piece.length > 0) answer.write(piece);
        if (left > 0) return;
        // what a client has not taken when a connection breaks is lost to it
        const before = door.onDisk();
        const taken = setInterval(() => {
          if (door.onDisk() < before + sent) return;
          clearInterval(taken);
          answer.destroy();
        }, 5);
        got.removeAllListeners('data').resume();
      });
      got.on('end', () => left > 0 && answer.end());
    });
    passed.on('error', () => answer.destroy());
    incoming.pipe(passed);
  });
  await new Promise<void>((ready) => listener.listen(0, '127.0.0.1', ready));
  door.url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  door.close = () =>
    new Promise((closed) => {
      listener.close(() => closed());
      listener.closeAllConnections();
    });
  return door;
}

test.each([
  [['--format', 'jsonl'], 'x.jsonl'],
  [['--format', 'jsonl', '--compression', 'zstd'], 'x.jsonl.zst'],
  [['--format', 'csv', '--compression', 'gzip'], 'x.csv.gz'],
  [['--format', 'parquet'], 'x.parquet'],
])('goes on where it broke off, more than once, with one manifest of all of it: %j', async (shape, out) => {
  const door = await startDoor(out);
  try {
    const via = (...more: string[]) =>
      gatelens(['export', '--url', door.url, ...RANGE, ...shape, '--out', out, ...more]);
    door.breakAfter = 2000;
    const broken = await via();
    expect([broken.code, broken.said]).toEqual([5, expect.stringContaining(`--resume --out ${join(cwd, out)}`)]);
    expect(here()).toEqual([`${out}.part`, `${out}.part.json`]);
    expect((await via('--resume')).code).toBe(5);
    expect(statSync(join(cwd, `${out}.part`)).size).toBe(4000);
    const other = await via('--resume', '--filter', 'server=hr');
    expect([other.code, other.said]).toEqual([2, expect.stringContaining('begun with other options')]);
    door.breakAfter = Number.POSITIVE_INFINITY;
    expect(await via('--resume')).toMatchObject({ code: 0, said: expect.stringContaining('Manifest beside it') });
    expect(here()).toEqual([out, `${out}.manifest.json`]);
    expect(await verify(out)).toMatchObject({ code: 0, said: expect.stringContaining(String(COUNT)) });
    await take(...shape, '--out', `whole-${out}`);
    expect(readFileSync(join(cwd, out)).equals(readFileSync(join(cwd, `whole-${out}`)))).toBe(true);
  } finally {
    await door.close();
  }
});

test('does not go on with a file that begins otherwise by now', async () => {
  const door = await startDoor('x.jsonl');
  try {
    const via = (...more: string[]) => gatelens(['export', '--url', door.url, ...RANGE, '--out', 'x.jsonl', ...more]);
    door.breakAfter = 2000;
    await via();
    writeFileSync(join(cwd, 'x.jsonl.part'), 'something else');
    door.breakAfter = Number.POSITIVE_INFINITY;
    expect(await via('--resume')).toMatchObject({
      code: 2,
      said: expect.stringMatching(/refused \(409\).*Begin anew/),
    });
    // what is there is left alone
    expect(readFileSync(join(cwd, 'x.jsonl.part'), 'utf8')).toBe('something else');
  } finally {
    await door.close();
  }
});

test.each<[string, string[], Record<string, string>, RegExp]>([
  ['no token', [], {}, /GATELENS_TOKEN/],
  ['a token that may not', [], { GATELENS_TOKEN: 'viewer' }, /refused \(403\): Only admins and auditors export/],
  ['payloads by an admin', ['--payloads'], { GATELENS_TOKEN: 'admin' }, /refused \(403\): Only auditors/],
  ['a filter that is none', ['--filter', 'colour=red'], { GATELENS_TOKEN: 'admin' }, /refused \(400\)/],
  ['a filter without =', ['--filter', 'red'], { GATELENS_TOKEN: 'admin' }, /write name=value/],
  ['a file that is there', ['--out', 'key.pem'], { GATELENS_TOKEN: 'admin' }, /is there already/],
  ['resuming without a file', ['--resume'], { GATELENS_TOKEN: 'admin' }, /Name the unfinished file by --out/],
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
