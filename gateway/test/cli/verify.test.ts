/**
 * `gatelens verify` as people run it: beside a running Gatelens, on a stopped one, with keys from elsewhere, and on a log
 * that somebody touched. Real engine; the exit code is what scripts go by.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli.ts';
import type { CliContext } from '../../src/cli/context.ts';
import { loadConfig } from '../../src/config.ts';
import { silentLogger } from '../../src/logger.ts';
import { startGatelens, type Gatelens } from '../../src/main.ts';
import { lastVerifiedNs } from '../../src/verify/last-verified.ts';

let cwd: string;
let config: string;
let running: Gatelens | undefined;

const start = async (): Promise<Gatelens> =>
  (running = await startGatelens({
    config: loadConfig({ file: config, env: {}, cwd }).config,
    env: {},
    logger: silentLogger,
    version: '0.1.0',
  }));

beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'gatelens-verify-cli-'));
  config = join(cwd, 'gatelens.yaml');
  const port = '127.0.0.1:0';
  writeFileSync(
    config,
    JSON.stringify({
      listen: { mcp: port, auditApi: port, metrics: port, store: port },
      dataDir: join(cwd, 'data'),
      auth: { anonymous: true },
      mcpServers: {},
    })
  );
});
afterAll(async () => {
  await running?.close();
  rmSync(cwd, { recursive: true, force: true });
});

async function verify(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
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
  const code = await runCli(['verify', '--config', config, ...args], context);
  return { code, out, err };
}

/** Attempts at a server that does not exist: each is a record. */
async function knock(gatelens: Gatelens, times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) {
    const body = JSON.stringify({ jsonrpc: '2.0', id: n, method: 'tools/list' });
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
    const answer = await fetch(`${gatelens.urls.mcp ?? ''}/mcp/nobody`, { method: 'POST', body, headers });
    expect(answer.status).toBe(404);
    await answer.arrayBuffer();
  }
}

/** A statement as the administrator of the store. @returns the answer */
async function rows(gatelens: Gatelens, statement: string): Promise<string> {
  const keys = JSON.parse(readFileSync(join(cwd, 'data/keys/store.json'), 'utf8')) as {
    passwords: { gatelens_admin: string };
  };
  const answer = await fetch(`${gatelens.urls.store}/?mutations_sync=2`, {
    method: 'POST',
    body: statement,
    headers: { 'X-ClickHouse-User': 'gatelens_admin', 'X-ClickHouse-Key': keys.passwords.gatelens_admin },
  });
  const text = await answer.text();
  expect(answer.status, text).toBe(200);
  return text;
}

describe('gatelens verify', () => {
  it('says that there is nothing to verify where nothing ever ran, and makes nothing', async () => {
    const { code, err } = await verify('--data-dir', join(cwd, 'nothing'));
    expect(code).toBe(3);
    expect(err).toMatch(/no signing key/);
  });

  it('verifies beside a running Gatelens and after it has ended, by its own key or by one that was kept', async () => {
    const gatelens = await start();
    await knock(gatelens, 20);
    expect((await fetch(`${gatelens.urls.auditApi ?? ''}/api/v1/me`)).status).toBe(401);
    await gatelens.close();
    await start();
    const beside = await verify('--json');
    expect(beside.err).toMatch(/of the running Gatelens/);
    expect(beside.code).toBe(0);
    const { ok, chains, findings } = JSON.parse(beside.out) as {
      ok: boolean;
      chains: { chainId: string; verified: number; checkpoints: { valid: number } }[];
      findings: unknown[];
    };
    expect({ ok, findings }).toEqual({ ok: true, findings: [] });
    expect(chains.map(({ chainId, verified }) => [chainId.slice(0, 3), verified])).toEqual([
      ['api', 1],
      ['gw-', 20],
    ]);
    await running?.close();
    expect(lastVerifiedNs(join(cwd, 'data'))).toBeGreaterThan(0n);

    let pem = '';
    const stopped = await verify();
    expect(stopped).toMatchObject({ code: 0 });
    expect(stopped.err).toMatch(/was not running[\s\S]*Verified: 21 records in 2 chain/);
    const keyring = await runCli(['keyring', 'signing-key', '--data-dir', join(cwd, 'data')], {
      env: {},
      cwd,
      nodePath: '',
      now: () => new Date(),
      print: (text) => void (pem += text),
      note: () => undefined,
      log: () => undefined,
      onSignal: () => undefined,
      exitNow: () => undefined,
    });
    expect(keyring).toBe(0);
    writeFileSync(join(cwd, 'gateway.pem'), pem);
    expect((await verify('--public-key', 'gateway.pem')).code).toBe(0);
  });

  it('ends with 1 and names what was done to the log, in words and as JSON', async () => {
    const gatelens = await start();
    await rows(gatelens, "ALTER TABLE mcp.calls UPDATE outcome = 'success' WHERE seq = 3");
    await rows(gatelens, 'ALTER TABLE mcp.calls DELETE WHERE seq IN (7, 8)');
    const found = await verify();
    expect(found.code).toBe(1);
    expect(found.out).toMatch(/changed +gw-\w+ +3 +[0-9a-f-]{36} +its content/);
    expect(found.out).toMatch(/missing +gw-\w+ +7 +[0-9a-f-]{36} +the record is gone/);
    expect(found.err).toMatch(/NOT verified: (1 changed, 2 missing|2 missing, 1 changed)/);
    const reported = await rows(gatelens, 'SELECT max(last_verify_at) > 0 AS told FROM mcp.health FORMAT TSV');
    expect(reported).toBe('1\n');
    const { counts } = JSON.parse((await verify('--json')).out) as { counts: Record<string, number> };
    expect(counts).toEqual({ changed: 1, missing: 2 });
    await gatelens.close();
  });

  it.each<[string, string[], number, RegExp]>([
    ['a key file that is none', ['--public-key', 'gatelens.yaml'], 3, /no Ed25519 public key/],
    ['a key file that is not there', ['--public-key', 'nope.pem'], 2, /cannot be read/],
    ['a duration that is none', ['--settle', 'soon'], 2, /--settle takes/],
  ])('refuses %s in words', async (_, args, code, words) => {
    const answer = await verify(...args);
    expect(answer.code).toBe(code);
    expect(answer.err).toMatch(words);
  });
});
