/**
 * The store process: killed, started twice, left behind, without its engine. What was answered is there afterwards.
 */
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/logger.ts';
import { createStoreClient } from '../../src/store/client.ts';
import { locateAddon } from '../../src/store/embedded/addon.ts';
import { startEmbeddedStore } from '../../src/store/embedded/supervisor.ts';
import { type TestStore, newDataDir, startTestStore } from './test-store.ts';

let test: TestStore;
beforeAll(async () => {
  test = await startTestStore();
  const admin = test.client('gatelens_admin');
  await admin.command({ query: 'CREATE DATABASE mcp' });
  await admin.command({ query: 'CREATE TABLE mcp.acknowledged (id UInt64) ENGINE = MergeTree ORDER BY id' });
});
afterAll(() => test.stop());

async function until<T>(attempt: () => Promise<T | undefined>, what: string, timeoutMs = 20_000): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const result = await attempt().catch(() => undefined);
    if (result !== undefined) return result;
    if (Date.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((wake) => setTimeout(wake, 50));
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('kill -9 of the store process', () => {
  it('loses no insert that was answered; the process is back at the same address with the same passwords', async () => {
    const exits: unknown[] = [];
    test.store.onExit((exit) => exits.push(exit));
    let acknowledged = 0;
    let next = 0;
    for (let round = 1; round <= 2; round += 1) {
      const pid = test.store.pid() ?? 0;
      const killAt = next + 15;
      for (;;) {
        const values = Array.from({ length: 50 }, (_, n) => ({ id: next * 50 + n }));
        const taken = await test
          .client('gatelens_admin')
          .insert({ table: 'mcp.acknowledged', format: 'JSONEachRow', values })
          .then(
            () => true,
            () => false
          );
        if (!taken) break;
        acknowledged += values.length;
        next += 1;
        // while the next insert is on its way
        if (next === killAt) setTimeout(() => process.kill(pid, 'SIGKILL'), 3);
      }
      next += 1;
      await until(
        async () => ((await test.client('gatelens_admin').ping()).success ? true : undefined),
        'the store is back'
      );
      expect(test.store.pid()).not.toBe(pid);
      expect(exits).toHaveLength(round);
      const [row] = await test.rows<{ n: string; batches: string }>(
        'SELECT count() AS n, uniqExact(intDiv(id, 50)) AS batches FROM mcp.acknowledged'
      );
      // at most the batch that was on its way is there without an answer, and then as a whole
      expect(Number(row?.n)).toBeGreaterThanOrEqual(acknowledged);
      expect(Number(row?.n)).toBe(Number(row?.batches) * 50);
    }
    expect(exits[0]).toEqual({ code: null, signal: 'SIGKILL' });
  });
});

describe('a store process that hangs', () => {
  it.each(['SIGSTOP', 'SIGSEGV'] as const)('is killed and started again (%s)', async (signal) => {
    const own = await startTestStore({ heartbeatMs: 200 });
    const exits: unknown[] = [];
    own.store.onExit((exit) => exits.push(exit));
    const first = own.store.pid() ?? 0;
    process.kill(first, signal);
    await until(() => own.rows('SELECT 1 AS x').then((rows) => (own.store.pid() === first ? undefined : rows)), 'back');
    expect(exits).toEqual([{ code: null, signal: 'SIGKILL' }]);
    expect(alive(first)).toBe(false);
    await own.stop();
  });
});

describe('a second process on the same data directory', () => {
  it('is refused with the reason, and the first one goes on', async () => {
    const started = performance.now();
    const second = startEmbeddedStore({ dataDir: test.dataDir, logger: silentLogger });
    await expect(second).rejects.toMatchObject({
      code: 'data_dir_locked',
      message: expect.stringContaining(test.dataDir) as string,
    });
    // it waits a little for a previous owner that is just ending
    expect(performance.now() - started).toBeGreaterThan(4_000);
    expect(await test.rows('SELECT 1 AS x')).toEqual([{ x: 1 }]);
  });

  it('may follow at once when the first one was closed; data and passwords stay', async () => {
    const dataDir = newDataDir();
    const first = await startTestStore({ dataDir });
    await first.client('gatelens_admin').command({ query: 'CREATE DATABASE mcp' });
    await first.store.close();
    const second = await startEmbeddedStore({ dataDir, logger: silentLogger });
    expect(second.credentials).toEqual(first.store.credentials);
    expect(second.otlp.metadata.token).toBe(first.store.otlp.metadata.token);
    const client = createStoreClient({ url: second.url, ...second.credentials.gatelens_admin });
    const databases = await client.query({
      query: `SELECT name FROM system.databases WHERE name = 'mcp'`,
      format: 'JSONEachRow',
    });
    expect(await databases.json()).toEqual([{ name: 'mcp' }]);
    await client.close();
    await second.close();
    rmSync(dataDir, { recursive: true });
  });
});

describe('closing', () => {
  it('while the process is being started again leaves none behind', async () => {
    const own = await startTestStore();
    const first = own.store.pid() ?? 0;
    process.kill(first, 'SIGKILL');
    const second = await until(
      () => Promise.resolve(own.store.pid() === first ? undefined : true),
      'the process is gone'
    );
    expect(second).toBe(true);
    const closed = own.store.close();
    await closed;
    expect(own.store.pid()).toBeUndefined();
    // free for another one, at once
    const next = await startEmbeddedStore({ dataDir: own.dataDir, logger: silentLogger });
    await next.close();
    await own.stop();
  });

  it('twice does no harm', async () => {
    const own = await startTestStore();
    await Promise.all([own.store.close(), own.store.close()]);
    await own.stop();
  });
});

describe('the end of the gateway', () => {
  it('by kill -9 ends the store process too', async () => {
    const dataDir = newDataDir();
    const script = `
      import { startEmbeddedStore } from '${fileURLToPath(new URL('../../src/store/embedded/supervisor.ts', import.meta.url))}';
      const store = await startEmbeddedStore({ dataDir: '${dataDir}', logger: { info() {}, warn() {}, error() {} } });
      console.log(store.pid());
      setInterval(() => {}, 1000);`;
    const gateway = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const storePid = await new Promise<number>((settle) =>
      gateway.stdout.once('data', (line: Buffer) => settle(Number(line)))
    );
    expect(alive(storePid)).toBe(true);
    gateway.kill('SIGKILL');
    await until(async () => Promise.resolve(alive(storePid) ? undefined : true), 'the store process ended');
    // and the directory is free
    const next = await startEmbeddedStore({ dataDir, logger: silentLogger });
    await next.close();
    rmSync(dataDir, { recursive: true });
  });
});

describe('a place where it cannot run', () => {
  it('names the port that is taken', async () => {
    const other = createServer();
    await new Promise<void>((listening) => other.listen(0, '127.0.0.1', listening));
    const { port } = other.address() as { port: number };
    const dataDir = newDataDir();
    await expect(startEmbeddedStore({ dataDir, logger: silentLogger, ports: { store: port } })).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining(`Port ${port} of 127.0.0.1`) as string,
    });
    other.close();
    rmSync(dataDir, { recursive: true });
  });

  it('says what to do on a platform without a build', () => {
    expect(() => locateAddon('win32', 'x64')).toThrow(/no build for win32-x64\. Set `store\.url`/);
    expect(() => locateAddon('linux', 'riscv64')).toThrow(/engine_missing|no build/);
  });

  it('says so when the directory is a file', async () => {
    const dataDir = newDataDir();
    const file = join(dataDir, 'file');
    writeFileSync(file, '');
    await expect(startEmbeddedStore({ dataDir: file, logger: silentLogger })).rejects.toMatchObject({
      code: 'data_dir_unusable',
    });
    // and when the engine's own directory cannot be made
    mkdirSync(join(dataDir, 'keys'), { recursive: true });
    writeFileSync(join(dataDir, 'store'), 'not a directory');
    await expect(startEmbeddedStore({ dataDir, logger: silentLogger })).rejects.toMatchObject({
      code: 'data_dir_unusable',
    });
    rmSync(dataDir, { recursive: true });
  });

  it.runIf(existsSync('/proc/self'))('gives up where the file system takes no directory', async () => {
    const failed = startEmbeddedStore({ dataDir: '/proc/gatelens', logger: silentLogger });
    await expect(failed).rejects.toMatchObject({ code: 'data_dir_unusable' });
  });

  it('does not quote a damaged file of passwords', async () => {
    const dataDir = newDataDir();
    mkdirSync(join(dataDir, 'keys'));
    writeFileSync(join(dataDir, 'keys', 'store.json'), '{"passwords": "hunter2"}');
    const error: unknown = await startEmbeddedStore({ dataDir, logger: silentLogger }).catch((cause: unknown) => cause);
    expect(error).toMatchObject({
      code: 'data_dir_unusable',
      message: expect.stringContaining('store.json is damaged') as string,
    });
    expect(String((error as Error).stack)).not.toContain('hunter2');
    rmSync(dataDir, { recursive: true });
  });
});

describe('secrets', () => {
  it('lie in a file of the owner alone, one for each user, and on no command line or environment', () => {
    const file = join(test.dataDir, 'keys', 'store.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const { passwords, metadataToken, payloadsToken } = JSON.parse(readFileSync(file, 'utf8')) as {
      passwords: Record<string, string>;
      metadataToken: string;
      payloadsToken: string;
    };
    const secrets = [...Object.values(passwords), metadataToken, payloadsToken];
    expect(new Set(secrets).size).toBe(7);
    const pid = test.store.pid() ?? 0;
    const visible = readFileSync(`/proc/${pid}/cmdline`, 'utf8') + readFileSync(`/proc/${pid}/environ`, 'utf8');
    for (const secret of secrets) expect(visible).not.toContain(secret);
  });

  it('the data directory itself is closed to others', () => {
    expect(statSync(join(test.dataDir, 'store')).mode & 0o077).toBe(0);
    expect(existsSync(join(test.dataDir, 'store', 'gatelens-engine.xml'))).toBe(true);
  });
});
