/** The access log on the real engine: what each caller may see of it, filters, paging. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AccessLogPage } from '../../src/audit-api/contract.ts';
import type { TestApi, TestStore } from './api-under-test.ts';
import { NS, clickhouseTime, insertPrincipals, startTestApi, startTestStore, userKey } from './api-under-test.ts';

const NOW_MS = Date.parse('2026-11-24T08:00:00Z');
const ANA = userKey('ana@example.com');
const BOB = userKey('bob@example.com');
const ENTRIES = Array.from({ length: 60 }, (_, n) => ({
  record_version: 1,
  kind: 'access',
  chain_id: 'api',
  seq: n + 1,
  access_id: `access-${String(n).padStart(3, '0')}`,
  // three at the same nanosecond
  started_at: clickhouseTime(BigInt(NOW_MS - Math.floor(n / 3) * 60_000) * NS + 7n),
  duration: 1_500_000,
  action: n % 2 === 0 ? 'payload.read' : 'calls.read',
  decision: n % 3 === 0 ? 'refused' : 'allowed',
  reason: n % 3 === 0 ? 'not_auditor' : '',
  actor_key: n % 4 === 0 ? ANA : n % 4 === 1 ? BOB : '',
  actor_kind: n % 4 === 3 ? 'none' : 'token',
  actor_name: n % 4 === 2 ? 'siem' : '',
  roles: ['viewer'],
  target_user_key: n % 5 === 0 ? BOB : '',
  target_server: n % 5 === 0 ? 'hr' : '',
  target_call_id: n % 5 === 0 ? `call-${n}` : '',
  detail: n === 1 ? '{"format":"csv","suppressed":3,"calls":["a","b"]}' : n === 2 ? '{broken' : '',
}));

let store: TestStore;
let testApi: TestApi;
beforeAll(async () => {
  store = await startTestStore();
  testApi = startTestApi(store.reader, { wallMs: () => NOW_MS });
  await insertPrincipals(store, { 'ana@example.com': 'ana', 'bob@example.com': 'bob' });
  await store.admin.insert({ table: 'mcp.access_log', format: 'JSONEachRow', values: ENTRIES });
  // delivered twice
  await store.admin.insert({ table: 'mcp.access_log', format: 'JSONEachRow', values: ENTRIES.slice(0, 20) });
});
afterAll(() => store.close());

async function all(query: string, token = 'admin'): Promise<AccessLogPage['items']> {
  const items: AccessLogPage['items'] = [];
  let cursor: string | null = null;
  do {
    const path = `/api/v1/access-log?limit=7&${query}${cursor === null ? '' : `&cursor=${cursor}`}`;
    const answer = await testApi.get(path, token);
    expect({ path, status: answer.status }).toEqual({ path, status: 200 });
    const page = (await answer.json()) as AccessLogPage;
    expect(page.scope).toBe(token === 'viewer' ? 'own' : 'all');
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return items;
}

type Entry = (typeof ENTRIES)[number];
function expected(matches: (entry: Entry) => boolean): string[] {
  return ENTRIES.filter(matches)
    .sort((a, b) =>
      a.started_at === b.started_at ? (a.access_id < b.access_id ? 1 : -1) : a.started_at < b.started_at ? 1 : -1
    )
    .map((entry) => entry.access_id);
}

describe('the access log', () => {
  test.each([
    ['', () => true],
    ['action=payload.read', (e) => e.action === 'payload.read'],
    ['decision=refused', (e) => e.decision === 'refused'],
    ['actor=ana', (e) => e.actor_key === ANA],
    ['actor=bob@example.com&actor=siem', (e) => e.actor_key === BOB || e.actor_name === 'siem'],
    ['user=bob', (e) => e.target_user_key === BOB],
    ['server=hr&decision=allowed', (e) => e.target_server === 'hr' && e.decision === 'allowed'],
    ['callId=call-5', (e) => e.target_call_id === 'call-5'],
    ['from=now-5m', (e) => e.started_at >= clickhouseTime(BigInt(NOW_MS - 5 * 60_000) * NS)],
  ] as [string, (entry: Entry) => boolean][])('%s gives each entry once, newest first', async (query, matches) => {
    expect((await all(query)).map(({ id }) => id)).toEqual(expected(matches));
  });

  test.each(['', 'actor=bob', 'user=bob', `actor=${BOB}`, 'actor=siem'])(
    'shows a viewer what they did themselves, whatever they ask: %s',
    async (query) => {
      const own = await all(query, 'viewer');
      expect(own.every(({ actor }) => actor.user?.key === ANA)).toBe(true);
      if (query === '') expect(own.map(({ id }) => id)).toEqual(expected((e) => e.actor_key === ANA));
      expect(JSON.stringify(own)).not.toContain('bob@');
    }
  );

  test('names people to those who may know, and keeps details flat', async () => {
    const items = await all('');
    expect(items.find(({ id }) => id === 'access-001')).toMatchObject({
      actor: { kind: 'token', tokenName: null, user: { email: 'bob@example.com', login: 'bob' } },
      decision: 'allowed',
      reason: null,
      detail: { format: 'csv', suppressed: 3, calls: ['a', 'b'] },
      durationMs: 1.5,
    });
    expect(items.find(({ id }) => id === 'access-002')?.detail).toEqual({ unreadable: true });
  });

  test('is closed to whoever stands for no person', async () => {
    const answer = await testApi.get('/api/v1/access-log', 'viewer without identity');
    expect(answer.status).toBe(403);
    expect(testApi.recorded.at(-1)).toMatchObject({ action: 'access_log.read', decision: 'refused' });
  });
});
