/** The test of the connection: each link, in words, with the real engine and a stand-in for Grafana. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ConnectionLink, Status } from '../../src/audit-api/contract.ts';
import type { TestCall, TestStore } from './api-under-test.ts';
import { NS, callIdAt, clickhouseTime, insertCalls, startTestApi, startTestStore } from './api-under-test.ts';
import type { FakeGrafana, Person } from './fake-grafana.ts';
import { startFakeGrafana } from './fake-grafana.ts';

const OLGA: Person = { id: 1, login: 'olga', role: 'Admin' };
const ANA: Person = { id: 2, login: 'ana', role: 'Viewer' };

let store: TestStore;
let grafana: FakeGrafana;
beforeAll(async () => {
  store = await startTestStore();
  grafana = await startFakeGrafana([OLGA, ANA], ['Security Audit', 'GitHub Audit']);
  const call = (email: string, n: number): TestCall => {
    const ms = Date.now() - 86_400_000 - n;
    return { call_id: callIdAt(ms), startedNs: BigInt(ms) * NS, email, server: 'github' };
  };
  await insertCalls(store, ['ana@example.com', 'ana@example.com', 'bob@example.com', 'carl@example.com', ''].map(call));
  await store.admin.command({ query: 'SYSTEM REFRESH VIEW mcp.usage_user_hour_refresh' });
  await store.admin.command({ query: 'SYSTEM WAIT VIEW mcp.usage_user_hour_refresh' });
});
afterAll(() => Promise.all([store.close(), grafana.close()]));

async function report(component: string, agoMs: number, over: object = {}): Promise<void> {
  const row = { at: clickhouseTime(BigInt(Date.now() - agoMs) * NS), component, chain_id: `${component}-1`, ...over };
  await store.admin.insert({ table: 'mcp.health', format: 'JSONEachRow', values: [row] });
}

async function status(): Promise<{ links: Record<string, ConnectionLink>; body: Status }> {
  const api = startTestApi(store.reader, { grafana: grafana.settings });
  const answer = await api.api.request('/api/v1/settings/status', { headers: await grafana.headers(OLGA) });
  expect(answer.status).toBe(200);
  const body = (await answer.json()) as Status;
  return { body, links: Object.fromEntries(body.links.map((link) => [link.link, link])) };
}

test('says of each link whether it holds, and what to do about one that does not', async () => {
  const first = await status();
  expect(first.links.grafana_user?.state).toBe('ok');
  expect(first.links.signing_keys?.state).toBe('ok');
  expect(first.links.teams).toMatchObject({ state: 'ok', message: '2 users and 2 teams are known.' });
  expect(first.links.store).toMatchObject({ state: 'ok' });
  expect(first.links.spool).toMatchObject({ state: 'failed' });
  expect(first.links.spool?.message).toContain('No gateway reported');

  await report('gateway', 30_000, { recorded: 10, lost: 0, oldest_unshipped_at: 0 });
  await report('gateway', 10_000, {
    recorded: 12,
    shipped: 11,
    spool_bytes: 500,
    refused: 1,
    attempts_left_out: 2,
    payloads_truncated: 3,
    payloads_failed: 4,
  });
  const second = await status();
  expect(second.links.spool?.state).toBe('ok');
  expect(second.body.components).toMatchObject([
    { refused: 1, attemptsLeftOut: 2, payloadsTruncated: 3, payloadsFailed: 4 },
  ]);
  expect(second.body.components).toMatchObject([
    { component: 'gateway', recorded: 12, shipped: 11, spoolBytes: 500, oldestUnshippedAt: null, lastVerifiedAt: null },
  ]);
  await report('gateway', 0, { lost: 3 });
  expect((await status()).links.spool?.message).toContain('3 records could not be kept');
});

test('names Auditor teams that do not exist', async () => {
  grafana.teams.pop();
  const { links } = await status();
  expect(links.teams).toMatchObject({ state: 'failed' });
  expect(links.teams?.message).toContain('do not exist: GitHub Audit');
  grafana.teams.push('GitHub Audit');
});

test('tells how many people find their own calls, what is kept how long, and how much there is', async () => {
  const { body } = await status();
  expect(body.users).toEqual({ calling: 3, matched: 1 });
  expect(body.retentionDays).toEqual({ metadata: 400, payloads: 90, accessLog: 2555, usage: 1095, traces: 3 });
  expect(body.store.calls).toBe(5);
  expect(body.store.bytesOnDisk).toBeGreaterThan(0);
});

test('names the legal holds in force, and whom they are about only by number', async () => {
  expect((await status()).body.holds).toEqual([]);
  const row = { reason: 'case 7', set_by: 'legal', set_at: '2026-11-01 10:00:00.000', version: 0 };
  const values = [
    { ...row, hold_id: 'hold-1', user_key: 'key-of-ana', server: 'hr' },
    { ...row, hold_id: 'hold-2', released_at: '2026-11-02 10:00:00.000', version: 1 },
  ];
  await store.admin.insert({ table: 'mcp_protected.legal_holds', format: 'JSONEachRow', values });
  const { holds } = (await status()).body;
  expect(holds).toEqual([
    {
      id: 'hold-1',
      reason: 'case 7',
      setBy: 'legal',
      setAt: '2026-11-01T10:00:00.000000000Z',
      covers: 'one person',
      server: 'hr',
      from: null,
      to: null,
    },
  ]);
});

test('holds no secret', async () => {
  const text = JSON.stringify((await status()).body);
  expect(text).not.toContain(grafana.settings.routeSecret);
  expect(text).not.toContain(grafana.settings.serviceAccountToken);
});

test('works for automation, which does not come through Grafana', async () => {
  const answer = await startTestApi(store.reader).get('/api/v1/settings/status', 'admin');
  const { links, users } = (await answer.json()) as Status;
  expect(links.slice(0, 3).map(({ state }) => state)).toEqual(['not_used', 'not_used', 'not_used']);
  expect(users).toBeNull();
});
