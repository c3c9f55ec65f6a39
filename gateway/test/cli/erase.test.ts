/**
 * `gatelens erase` and `gatelens hold` as people run them: real calls of two people, one of them on legal hold, then
 * erased, and what an auditor, the store and the disk have of each afterwards.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCli } from '../../src/cli.ts';
import type { CliContext } from '../../src/cli/context.ts';
import { loadConfig } from '../../src/config.ts';
import { silentLogger } from '../../src/logger.ts';
import { startGatelens, type Gatelens } from '../../src/main.ts';
import { toolCall } from '../e2e/mcp-clients.ts';
import { until } from '../e2e/until.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const KEY = { ana: 'gl_key-of-ana', bob: 'gl_key-of-bob' } as const;
const TOKEN = 'gla_token-of-the-auditor';
type Person = keyof typeof KEY;

let cwd: string;
let config: string;
let running: Gatelens | undefined;

beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'gatelens-erase-'));
  config = join(cwd, 'gatelens.yaml');
  const port = '127.0.0.1:0';
  writeFileSync(
    config,
    JSON.stringify({
      listen: { mcp: port, auditApi: port, metrics: port, store: port },
      dataDir: join(cwd, 'data'),
      auth: {
        apiKeys: (['ana', 'bob'] as const).map((name) => ({
          name,
          user: `${name}@example.com`,
          sha256: sha256(KEY[name]),
        })),
      },
      auditApi: { tokens: [{ name: 'auditor', role: 'auditor', sha256: sha256(TOKEN) }] },
      mcpServers: {},
    })
  );
});
afterAll(async () => {
  await running?.close();
  rmSync(cwd, { recursive: true, force: true });
});

async function start(): Promise<void> {
  const loaded = loadConfig({ file: config, env: {}, cwd });
  running = await startGatelens({ config: loaded.config, env: {}, logger: silentLogger, version: '0.1.0' });
}
async function stop(): Promise<void> {
  await running?.close();
  running = undefined;
}

const erase = (...args: string[]) => gatelens('erase', ...args);

async function gatelens(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let err = '';
  let out = '';
  const context: CliContext = {
    env: {},
    cwd,
    nodePath: process.execPath,
    now: () => new Date(),
    print: (text) => void (out += text),
    note: (text) => void (err += `${text}\n`),
    log: () => undefined,
    onSignal: () => undefined,
    exitNow: () => undefined,
  };
  return { code: await runCli([...args, '--config', config], context), out, err };
}

interface Call {
  readonly id: string;
}

async function ask(path: string): Promise<{ status: number; text: string }> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const answer = await fetch(`${running?.urls.auditApi ?? ''}/api/v1${path}`, { headers });
  const text = await answer.text();
  return { status: answer.status, text };
}

/** A call of a tool of the audit log's own server; its payload holds the marker. */
async function call(person: Person): Promise<void> {
  const answer = await fetch(`${running?.urls.mcp ?? ''}/mcp/gatelens`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${KEY[person]}`,
    },
    body: toolCall(1, 'no_such_tool', { marker: `marker-of-${person}` }),
  });
  await answer.arrayBuffer();
}

const ids: Record<Person, string> = { ana: '', bob: '' };

it('opens the payloads of both before', async () => {
  await start();
  for (const person of ['ana', 'bob'] as const) {
    await call(person);
    const found = await until(async () => {
      const { text } = await ask(`/calls?limit=10&user=${person}@example.com`);
      return (JSON.parse(text) as { items: readonly Call[] }).items[0]?.id;
    }, 'the call');
    ids[person] = found;
    await until(async () => (await ask(`/calls/${found}/payload`)).text.includes(`marker-of-${person}`), 'the payload');
  }
}, 60_000);

it('refuses while Gatelens runs, and says what to do', async () => {
  const { code, err } = await erase('--user', 'ana@example.com', '--yes');
  expect(code).toBe(4);
  expect(err).toContain('Stop it');
});

it('spares whom a legal hold covers, names it, and goes on once it is released', async () => {
  const add = ['hold', 'add', '--reason', 'case 7', '--by', 'legal'];
  // beside a running one, like the erasure
  expect((await gatelens(...add)).code).toBe(4);
  await stop();
  expect((await gatelens(...add, '--user', ' ')).code).toBe(2);
  expect((await gatelens(...add, '--from', '2026-13-01')).code).toBe(2);
  const added = await gatelens(...add, '--user', 'Ana@example.com');
  expect(added).toMatchObject({ code: 0, err: expect.stringContaining('is in force') as string });
  const [id = ''] = /hold-[0-9a-f]{8}/.exec(added.err) ?? [];
  expect((await gatelens('hold', 'list')).out).toMatch(new RegExp(`${id} .* legal +ana@example.com .*case 7`));
  for (const confirmed of [[], ['--yes']]) {
    const refused = await erase('--user', 'ana@example.com', ...confirmed);
    expect(refused).toMatchObject({
      code: 1,
      err: expect.stringContaining(`Nothing was erased: a legal hold`) as string,
    });
    expect(refused.err).toContain(id);
  }
  expect((await gatelens('hold', 'release', '--id', 'hold-00000000', '--by', 'legal')).err).toContain(
    'No hold in force'
  );
  expect((await gatelens('hold', 'release', '--id', id, '--by', 'legal')).err).toContain('No hold is in force');
  expect((await gatelens('hold', 'list')).err).toContain('No hold is in force');
  expect((await gatelens('hold', 'list', '--all')).out).toContain(id);
}, 180_000);

it('shows what it would do, and does it only with --yes', async () => {
  const shown = await erase('--user', 'Ana@example.com');
  expect(shown).toMatchObject({
    code: 0,
    err: expect.stringMatching(/would destroy 1 data keys.*and the name.*--yes/s) as string,
  });
  const done = await erase('--user', 'Ana@example.com', '--yes');
  expect(done).toMatchObject({
    code: 0,
    err: expect.stringMatching(/Destroyed: 1 data keys.*Left: 0 keys/s) as string,
  });
  expect((await erase('--user', 'ana@example.com', '--yes')).err).toContain('Nothing is known of this person');
}, 120_000);

it('closes the payloads of one person for ever, and of nobody else; the call and the erasure stay in the log', async () => {
  await start();
  const closed = await ask(`/calls/${ids.ana}/payload`);
  expect(closed.text).not.toContain('marker-of-ana');
  expect(closed.text).toContain('key_destroyed');
  expect((await ask(`/calls/${ids.bob}/payload`)).text).toContain('marker-of-bob');
  const { text, status } = await ask(`/calls/${ids.ana}`);
  expect(status).toBe(200);
  expect(text).not.toContain('ana@example.com');
  const log = await until(async () => {
    const { text: entries } = await ask('/access-log?limit=100');
    return entries.includes('"action":"subject.erase","decision":"allowed"') ? entries : undefined;
  }, 'the erasure in the access log');
  for (const [action, decision] of [
    ['hold.add', 'allowed'],
    ['subject.erase', 'refused'],
    ['hold.release', 'allowed'],
  ])
    expect(log).toContain(`"action":"${action}","decision":"${decision}"`);
  expect(log).not.toMatch(/case 7|"legal"/);
  expect(log).not.toContain('ana@example.com');
}, 60_000);
