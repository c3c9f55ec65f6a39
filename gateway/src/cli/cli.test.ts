import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hashSecret } from '../access/secrets.ts';
import { runCli } from '../cli.ts';
import type { CliContext } from './context.ts';
import type { Gatelens, StartOptions } from '../main.ts';

let cwd: string;
let out: string;
let err: string;
let nowMs: number;
let signal: (name: string) => void;
let hangUp: () => void;
let exits: number[];
let context: CliContext;

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'gatelens-cli-'));
  [out, err, nowMs, exits] = ['', '', Date.parse('2026-11-24T08:00:00Z'), []];
  signal = () => undefined;
  context = {
    env: {},
    cwd,
    nodePath: '/usr/bin/node',
    now: () => new Date(nowMs),
    print: (text) => void (out += text),
    note: (text) => void (err += `${text}\n`),
    log: () => undefined,
    onSignal: (listener) => void (signal = listener),
    onReload: (listener) => void (hangUp = listener),
    exitNow: (code) => void exits.push(code),
  };
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const SERVERS = 'mcpServers: { docs: { url: https://mcp.example.com/mcp } }\n';
const config = (yaml: string) => writeFileSync(join(cwd, 'gatelens.yaml'), yaml);

function service(more: Partial<Gatelens> = {}) {
  const starts: StartOptions[] = [];
  const start = (options: StartOptions): Promise<Gatelens> => {
    starts.push(options);
    const urls = {
      store: 'http://127.0.0.1:8123',
      mcp: 'http://127.0.0.1:8080',
      auditApi: 'http://127.0.0.1:8081',
      metrics: 'http://127.0.0.1:9464',
    };
    return Promise.resolve({
      urls,
      warnings: [],
      reload: () => Promise.resolve([]),
      close: () => Promise.resolve(),
      ...more,
    });
  };
  return { start, starts };
}

/** Runs `serve` until it is up. */
async function serve(args: string[], more: Partial<Gatelens> = {}) {
  const { start, starts } = service(more);
  const done = runCli(['serve', ...args], context, start);
  for (let turn = 0; turn < 50 && out === '' && err === ''; turn++)
    await new Promise((resolve) => setImmediate(resolve));
  return { done, starts };
}

describe('gatelens api-keys', () => {
  const create = (...more: string[]) => runCli(['api-keys', 'create', '--name', 'ci', ...more], context);

  it('prints a key once, alone on stdout, and stores its hash', async () => {
    expect(await create('--user', 'Ana@Example.com', '--team', 'ops', '--team', 'dev', '--expires', '90d')).toBe(0);
    expect(out).toMatch(/^gl_[\w-]{43}\n$/);
    const file = join(cwd, '.gatelens/keys/api-keys.json');
    const stored = JSON.parse(readFileSync(file, 'utf8')).credentials[0];
    expect(stored).toMatchObject({
      name: 'ci',
      user: 'ana@example.com',
      teams: ['ops', 'dev'],
      sha256: hashSecret(out.trim()),
      expires: '2027-02-22T08:00:00.000Z',
    });
    expect(readFileSync(file, 'utf8') + err).not.toContain(out.trim());
  });

  it('lists without secrets, and revokes', async () => {
    await create('--user', 'ana@example.com');
    const secret = out.trim();
    out = '';
    expect(await runCli(['api-keys', 'list'], context)).toBe(0);
    expect(out).toMatch(/ci +ana@example.com +2026-11-24 +never +in force/);
    expect(out).not.toContain(secret);
    expect(out).not.toContain(hashSecret(secret));
    expect(await runCli(['api-keys', 'revoke', '--name', 'ci'], context)).toBe(0);
    out = '';
    await runCli(['api-keys', 'list'], context);
    expect(out).toContain('revoked 2026-11-24');
    expect(await runCli(['api-keys', 'revoke', '--name', 'ci'], context)).toBe(2);
  });

  it('works for the first key of a gateway that may not start without one', async () => {
    config(`${SERVERS}dataDir: ./data\nlisten: { mcp: 0.0.0.0:8080 }\nstore: { url: '\${NOT_SET_HERE}' }`);
    expect(await create()).toBe(0);
    expect(existsSync(join(cwd, 'data/keys/api-keys.json'))).toBe(true);
  });

  it.each<[string, string[], number, string]>([
    ['a bad name', ['--name', '../ci'], 2, '--name'],
    ['a name with a meaning', ['--name', 'anonymous'], 2, 'anonymous'],
    ['an end in the past', ['--expires', '2020-01-01'], 2, 'past'],
    ['an end that is none', ['--expires', 'soon'], 2, '90d'],
    ['a data directory that cannot be', ['--data-dir', '/dev/null/x'], 4, '--data-dir'],
    ['a configuration that is not there', ['--config', 'nope.yaml'], 3, 'does not exist'],
  ])('refuses %s and says what to do', async (_, args, exitCode, words) => {
    expect(await create(...args)).toBe(exitCode);
    expect(out).toBe('');
    expect(err).toContain(words);
    expect(err).not.toMatch(/\n {4}at /);
  });

  it('gives a name once', async () => {
    await create();
    expect(await create()).toBe(3);
    expect(err).toContain('in use');
  });
});

describe('gatelens tokens', () => {
  it('makes tokens with a role, and a viewer only for a person', async () => {
    expect(await runCli(['tokens', 'create', '--name', 'siem', '--role', 'auditor', '--server', 'docs'], context)).toBe(
      0
    );
    expect(out).toMatch(/^gla_/);
    expect(await runCli(['tokens', 'create', '--name', 'x', '--role', 'viewer'], context)).toBe(2);
    expect(err).toContain('--user');
    expect(await runCli(['tokens', 'create', '--name', 'x', '--role', 'root'], context)).toBe(2);
    expect(await runCli(['tokens', 'create', '--name', 'x', '--role', 'admin', '--server', 'docs'], context)).toBe(2);
    out = '';
    await runCli(['tokens', 'list'], context);
    expect(out).toMatch(/siem +auditor +docs/);
  });
});

describe('gatelens keyring', () => {
  it('takes in a public key, seals with it, makes new pairs, and never prints a private half', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('x25519');
    writeFileSync(join(cwd, 'public.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
    writeFileSync(join(cwd, 'private.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const add = (id: string, file: string) =>
      runCli(['keyring', 'add', '--id', id, '--key-file', file, '--activate'], context);
    expect(await add('mine', 'private.pem')).toBe(3);
    expect(await add('mine', 'nowhere.pem')).toBe(2);
    expect(await add('mine', 'public.pem')).toBe(0);
    out = '';
    expect(await runCli(['keyring', 'list'], context)).toBe(0);
    expect(out).toMatch(/mine +yes +elsewhere +data directory/);
    out = '';
    expect(await runCli(['keyring', 'rotate'], context)).toBe(0);
    const [id] = out.split(' ');
    out = '';
    await runCli(['keyring', 'list'], context);
    expect(out).toMatch(new RegExp(`${id} +yes +here`));
    expect(out + err).not.toContain(privateKey.export({ format: 'jwk' }).d);
  });
});

describe('gatelens check-config', () => {
  it('prints what is in force, secrets hidden, and notes', async () => {
    config(`${SERVERS}metrics: { token: very-secret-token-1 }`);
    expect(await runCli(['check-config'], context)).toBe(0);
    expect(out).toContain('durability: before-reply');
    expect(out).not.toContain('very-secret-token-1');
    expect(err).toContain('nobody can call yet');
  });

  it('prints every mistake and exits with 3', async () => {
    config('mcpServers: { a: { comand: x } }\naudit: { durability: never }');
    expect(await runCli(['check-config'], context)).toBe(3);
    expect(err).toMatch(/mcpServers\.a\.command[\s\S]*comand[\s\S]*audit\.durability/);
  });

  it('makes no file', async () => {
    expect(await runCli(['check-config'], context)).toBe(0);
    expect(existsSync(join(cwd, '.gatelens'))).toBe(false);
  });
});

describe('gatelens serve', () => {
  it('without a configuration starts sample servers, and shows what to paste and the same tokens each time', async () => {
    const first = await serve([]);
    const [start] = first.starts;
    expect(Object.keys(start?.config.mcpServers ?? {})).toEqual(['everything', 'filesystem', 'memory', 'flaky']);
    expect(start?.config.auth.anonymous).toBe(true);
    const { filesystem } = start?.config.mcpServers ?? {};
    expect(filesystem).toMatchObject({ command: '/usr/bin/node' });
    const samples = filesystem?.type === 'stdio' ? filesystem.args.at(-1) : undefined;
    expect(existsSync(join(samples ?? '', 'welcome.md'))).toBe(true);

    const pasted = JSON.parse(/^\{[\s\S]*?^\}/m.exec(out)?.[0] ?? 'null');
    expect(pasted.mcpServers.everything).toEqual({ type: 'http', url: 'http://127.0.0.1:8080/mcp/everything' });
    const auditor = /Bearer (gla_[\w-]+)/.exec(out)?.[1] ?? '';
    expect(start?.config.auditApi.tokens.find(({ role }) => role === 'auditor')?.sha256).toBe(hashSecret(auditor));
    expect(statSync(join(cwd, '.gatelens/keys/demo-tokens.json')).mode & 0o777).toBe(0o600);

    signal('SIGTERM');
    expect(await first.done).toBe(0);
    out = err = '';
    const second = await serve([]);
    expect(out).toContain(auditor);
    signal('SIGINT');
    await second.done;
  });

  it('reads its configuration again on SIGHUP, and goes on with the old one where the new one is wrong', async () => {
    config(SERVERS);
    const reloads: unknown[] = [];
    const { done } = await serve([], {
      reload: (next) => {
        reloads.push(Object.keys(next.mcpServers));
        return Promise.resolve(['mcpServers']);
      },
    });
    const told = async (words: string): Promise<void> => {
      for (let turn = 0; turn < 50 && !err.includes(words); turn++) await new Promise((next) => setImmediate(next));
      expect(err).toContain(words);
    };
    config('mcpServers: { other: { url: https://mcp.example.com/mcp } }\n');
    hangUp();
    await told('Reloaded: mcpServers.');
    expect(reloads).toEqual([['other']]);
    config('mcpServers: { other: { urll: CANARY-secret } }\n');
    hangUp();
    await told('Not reloaded, everything goes on as before.');
    expect(err).toMatch(/mcpServers\.other/);
    expect(err).not.toContain('CANARY');
    expect(reloads).toHaveLength(1);
    signal('SIGTERM');
    expect(await done).toBe(0);
  });

  it("takes a client's file in place of the samples", async () => {
    writeFileSync(join(cwd, 'mcp.json'), JSON.stringify({ mcpServers: { mine: { command: 'x' } } }));
    const { done, starts } = await serve(['--mcp-config', 'mcp.json', '--only', 'gateway']);
    expect(Object.keys(starts[0]?.config.mcpServers ?? {})).toEqual(['mine']);
    expect(starts[0]?.only).toBe('gateway');
    signal('SIGTERM');
    expect(await done).toBe(0);
  });

  it('with a configuration shows no token and says how to make one', async () => {
    config(SERVERS);
    const { done } = await serve([]);
    expect(out).toContain('gatelens api-keys create');
    expect(out).toContain('gatelens tokens create');
    expect(out).toContain('"Authorization": "Bearer gl_…"');
    expect(existsSync(join(cwd, '.gatelens'))).toBe(false);
    signal('SIGTERM');
    await done;
  });

  it('ends at once on a second signal, but takes a doubled one for the same', async () => {
    config(SERVERS);
    let finish = (): void => undefined;
    const { done } = await serve([], { close: () => new Promise((resolve) => (finish = resolve)) });
    signal('SIGINT');
    nowMs += 50;
    signal('SIGINT');
    expect(exits).toEqual([]);
    nowMs += 600;
    signal('SIGINT');
    expect(exits).toEqual([1]);
    await new Promise((resolve) => setImmediate(resolve));
    finish();
    expect(await done).toBe(0);
  });

  it.each([
    ['EADDRINUSE', { code: 'EADDRINUSE', address: '127.0.0.1', port: 8080 }, '127.0.0.1:8080: another program uses it'],
    ['something unknown', { code: 'EWHATEVER' }, 'EWHATEVER'],
  ])('that fails by %s says so without a stack trace or the text of the error', async (_, properties, words) => {
    config(SERVERS);
    const failing = () => Promise.reject(Object.assign(new Error('CANARY text of an unknown error'), properties));
    expect(await runCli(['serve'], context, failing)).toBe(1);
    expect(err).toContain(words);
    expect(err).not.toContain('CANARY');
    err = '';
    await runCli(['serve', '--debug'], context, failing);
    expect(err).toMatch(/\n {4}at /);
  });
});
