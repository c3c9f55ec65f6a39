/**
 * `gatelens hold` against a store at `store.url`, as on a server (the embedded engine by its endpoint): it takes somebody
 * who may change tables, and the access log has what was tried and what was done.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCli } from '../../src/cli.ts';
import { until } from '../e2e/until.ts';
import { type TestStore, startTestStore } from '../store/test-store.ts';

let test: TestStore;
let cwd: string;
beforeAll(async () => {
  test = await startTestStore({ migrated: true });
  cwd = mkdtempSync(join(tmpdir(), 'gatelens-hold-'));
  const { username, password } = test.store.credentials.gatelens_api;
  const store = { url: test.store.url, username, password };
  const config = { dataDir: join(cwd, 'data'), mcpServers: {}, store, otlp: test.store.otlp };
  writeFileSync(join(cwd, 'gatelens.yaml'), JSON.stringify(config));
});
afterAll(async () => {
  await test.stop();
  rmSync(cwd, { recursive: true, force: true });
});

async function hold(args: readonly string[], adminPassword?: string): Promise<{ code: number; said: string }> {
  let said = '';
  const say = (text: string): void => void (said += `${text}\n`);
  const code = await runCli(['hold', ...args, '--config', join(cwd, 'gatelens.yaml')], {
    env: adminPassword === undefined ? {} : { GATELENS_STORE_ADMIN_PASSWORD: adminPassword },
    cwd,
    nodePath: process.execPath,
    now: () => new Date(),
    print: say,
    note: say,
    log: () => undefined,
    onSignal: () => undefined,
    exitNow: () => undefined,
  });
  return { code, said };
}
const tablesWithTtl = async (): Promise<number> =>
  (await test.rows(`SELECT 1 FROM system.tables WHERE engine_full LIKE '% TTL %' AND database LIKE 'mcp%'`)).length;
const log = (): Promise<string[]> =>
  test
    .rows<{ line: string }>(
      `SELECT concat(action, ' ', decision) AS line FROM mcp.access_log FINAL ORDER BY started_at`
    )
    .then((rows) => rows.map(({ line }) => line));

const ADD = ['add', '--reason', 'case 7', '--by', 'legal', '--server', 'hr', '--from', '2026-01-01T00:00:00Z'];

it('is refused to who may not change tables, and nothing is changed', async () => {
  const before = await tablesWithTtl();
  const refused = await hold(ADD);
  expect(refused).toMatchObject({ code: 5, said: expect.stringContaining('or --admin') as string });
  expect((await hold([...ADD, '--admin', 'gatelens_admin'])).code).toBe(2);
  expect(await test.rows('SELECT 1 FROM mcp_protected.legal_holds')).toEqual([]);
  expect(await tablesWithTtl()).toBe(before);
});

it('is set and released by the administrator of the store', async () => {
  const { password } = test.store.credentials.gatelens_admin;
  const before = await tablesWithTtl();
  const added = await hold([...ADD, '--admin', 'gatelens_admin'], password);
  expect(added.code).toBe(0);
  const [id = ''] = /hold-[0-9a-f]{8}/.exec(added.said) ?? [];
  expect((await hold(['list'])).said).toMatch(new RegExp(`${id} .* hr +2026-01-01T00:00:00.000Z +case 7`));
  expect(await tablesWithTtl()).toBeLessThan(before);
  const released = await hold(['release', '--id', id, '--by', 'legal', '--admin', 'gatelens_admin'], password);
  expect(released.code).toBe(0);
  expect(await tablesWithTtl()).toBe(before);
  const all = ['hold.add allowed', 'hold.add refused', 'hold.add allowed', 'hold.release allowed'];
  await until(async () => (await log()).length >= all.length, 'the records have arrived');
  expect(await log()).toEqual(all);
});
