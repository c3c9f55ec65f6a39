/** The program as people run it: real processes, exit codes, streams. */
import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const BIN = fileURLToPath(new URL('../../bin/gatelens.mjs', import.meta.url));
let cwd: string;
beforeAll(() => (cwd = mkdtempSync(join(tmpdir(), 'gatelens-process-'))));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function gatelens(args: string[], { node = process.execPath, env = {} } = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(node, [BIN, ...args], {
      cwd,
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

describe('the program', () => {
  it('explains itself with examples and exit codes', async () => {
    const { code, out, err } = await gatelens(['--help']);
    expect(code).toBe(0);
    expect(err).toBe('');
    for (const word of [
      'serve',
      'demo',
      'migrate',
      'check-config',
      'api-keys',
      'tokens',
      'keyring',
      'Exit codes',
      '$ gatelens',
    ]) {
      expect(out).toContain(word);
    }
  });

  it.each<[string, string[], number, RegExp]>([
    ['an unknown command', ['frobnicate'], 2, /unknown command/],
    ['an unknown option', ['serve', '--prot', '1'], 2, /unknown option/],
    ['a missing option', ['api-keys', 'create'], 2, /--name/],
    ['a value outside the choices', ['serve', '--only', 'grafana'], 2, /gateway/],
    ['a configuration that is not there', ['serve', '--config', 'nope.yaml'], 3, /does not exist/],
    ['invalid YAML', ['check-config', '--config', 'broken.yaml'], 3, /line 2/],
    ['mistakes', ['serve', '--config', 'wrong.yaml'], 3, /2 mistakes[\s\S]*mcpServers[\s\S]*auditt/],
    [
      'a data directory that is a file',
      ['api-keys', 'create', '--name', 'a', '--data-dir', 'broken.yaml'],
      4,
      /--data-dir/,
    ],
    [
      'a data directory that cannot be made',
      ['tokens', 'create', '--name', 'a', '--role', 'admin', '--data-dir', '/proc/x'],
      4,
      /--data-dir/,
    ],
    ['a history of no days', ['demo', '--history', '--days', '0'], 2, /--days takes a whole number/],
    ['a demo without room for its files', ['demo', '--data-dir', '/proc/x'], 4, /--data-dir/],
    ['a quick start without room for its files', ['serve', '--data-dir', '/proc/x'], 4, /--data-dir/],
  ])('ends on %s with its own exit code, in words', async (_, args, code, words) => {
    writeFileSync(join(cwd, 'broken.yaml'), 'mcpServers:\n\tdocs: CANARY-secret\n');
    writeFileSync(join(cwd, 'wrong.yaml'), 'auditt: { durability: CANARY-secret }\n');
    const ended = await gatelens(args);
    expect(ended.err).toMatch(words);
    expect(ended).toMatchObject({ code, out: '' });
    expect(ended.err).not.toContain('CANARY');
    expect(ended.err).not.toMatch(/^\s+at /m);
    expect(ended.err).not.toContain('Warning');
  });

  it('makes a key that is alone on stdout, so that a script can take it', async () => {
    const { code, out } = await gatelens(['api-keys', 'create', '--name', 'script', '--data-dir', 'data']);
    expect(code).toBe(0);
    expect(out).toMatch(/^gl_[\w-]{43}\n$/);
  });

  it('loses no key when several are made at the same time', async () => {
    const names = ['a', 'b', 'c', 'd'];
    const made = await Promise.all(
      names.map((name) => gatelens(['tokens', 'create', '--name', name, '--role', 'admin', '--data-dir', 'many']))
    );
    expect(made.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    const { out } = await gatelens(['tokens', 'list', '--data-dir', 'many']);
    expect(
      out
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => line.split(' ')[0])
        .sort()
    ).toEqual(names);
  });

  it('takes secrets from the environment and shows only their names', async () => {
    writeFileSync(
      join(cwd, 'env.yaml'),
      "mcpServers: { d: { url: https://h/mcp, headers: { A: 'Bearer ${TOKEN}' } } }\n"
    );
    const { code, out, err } = await gatelens(['check-config', '--config', 'env.yaml'], {
      env: { TOKEN: 'CANARY-secret' },
    });
    expect(code).toBe(0);
    expect(out).toContain('Bearer ${TOKEN}');
    expect(out + err).not.toContain('CANARY');
  });

  it('is not disturbed by a reader that goes away', async () => {
    const child = spawn('sh', ['-c', `"${process.execPath}" "${BIN}" --help | true; echo done`], { cwd });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await new Promise((resolve) => child.on('close', resolve));
    expect(said.trim()).toBe('done');
  });
});

describe('on an older Node', () => {
  /** Plays a Node that is too old: the same binary under a version of 18. */
  function olderNode(): string {
    const file = join(cwd, 'old-node');
    const preload = join(cwd, 'old.cjs');
    writeFileSync(
      preload,
      "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.0.0' } });\n"
    );
    writeFileSync(file, `#!/bin/sh\nexec "${process.execPath}" --require "${preload}" "$@"\n`);
    chmodSync(file, 0o755);
    return file;
  }

  it('runs with the Node that is installed beside it, exit code and streams included', async () => {
    const { code, out } = await gatelens(['--version'], { node: olderNode() });
    expect(code).toBe(0);
    expect(out).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect((await gatelens(['frobnicate'], { node: olderNode() })).code).toBe(2);
  });

  it('says what is missing when there is none', async () => {
    const lonely = join(cwd, 'gatelens-alone.mjs');
    copyFileSync(BIN, lonely);
    const ended = await new Promise<Ended>((resolve) => {
      const child = spawn(olderNode(), [lonely, '--version'], { cwd });
      let err = '';
      child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
      child.on('close', (code) => resolve({ code, out: '', err }));
    });
    expect(ended.code).toBe(1);
    expect(ended.err).toContain('needs Node 22.18');
  });
});
