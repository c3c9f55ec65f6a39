/** Facets, timeline and sessions on the real engine, held against the same figures counted from the rows themselves. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Facets, Session, SessionDetail, SessionPage, Timeline } from '../../src/audit-api/contract.ts';
import type { TestApi, TestCall, TestStore } from './api-under-test.ts';
import {
  NS,
  callIdAt,
  insertCalls,
  insertPrincipals,
  startTestApi,
  startTestStore,
  userKey,
} from './api-under-test.ts';

const NOW_MS = Date.parse('2026-11-24T08:00:00Z');
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const PEOPLE = ['ana@example.com', 'bob@example.com', ''] as const;
const OUTCOMES = ['success', 'success', 'tool_error', 'denied', 'timeout'] as const;
const KINDS = ['request', 'request', 'notification', 'server_request', 'attempt'] as const;
const ERRORS: ReadonlySet<unknown> = new Set(['tool_error', 'rpc_error', 'timeout', 'upstream_unreachable']);

function pick<T>(values: readonly T[], n: number): T {
  return values[n % values.length] as T;
}

const CALLS: TestCall[] = Array.from({ length: 700 }, (_, n) => {
  const ms = NOW_MS - 1 - n * 2 * MINUTE_MS;
  const email = pick(PEOPLE, n);
  return {
    call_id: callIdAt(ms),
    startedNs: BigInt(ms) * NS,
    email,
    server: `server-${n % 26}`,
    operation: n % 10 === 0 ? 'resources/read' : 'tools/call',
    tool: n % 10 === 0 ? '' : pick(['search', 'read'], Math.floor(n / 6)),
    client_name: n % 4 === 0 ? '' : 'cursor',
    outcome: pick(OUTCOMES, Math.floor(n / 2)),
    kind: pick(KINDS, Math.floor(n / 3)),
    duration: 1_000_000 + n * 1000,
    session_key: n % 7 === 0 ? '' : `${email.slice(0, 3)}-${Math.floor(n / 30)}`,
    session_kind: 'mcp',
    tokens_estimated: n,
    demo: n % 23 === 0,
  };
});
/** A stream that runs, and one session that two people share. */
CALLS.push(
  made(NOW_MS - 5 * MINUTE_MS, { kind: 'stream', phase: 'open', outcome: '', session_key: 'shared' }),
  made(NOW_MS - 4 * MINUTE_MS, { email: 'bob@example.com', session_key: 'shared', outcome: 'tool_error' })
);

function made(ms: number, over: Record<string, unknown>): TestCall {
  const base = { call_id: callIdAt(ms), startedNs: BigInt(ms) * NS, email: 'ana@example.com', server: 'files' };
  return { ...base, ...over };
}

let store: TestStore;
let testApi: TestApi;
beforeAll(async () => {
  store = await startTestStore();
  testApi = startTestApi(store.reader, { wallMs: () => NOW_MS });
  await insertPrincipals(store, { 'ana@example.com': 'ana', 'bob@example.com': 'bob' });
  await insertCalls(store, CALLS);
  // delivered twice
  await insertCalls(store, CALLS.slice(0, 100));
});
afterAll(() => store.close());

async function get<T>(path: string, token = 'admin'): Promise<T> {
  const answer = await testApi.get(`/api/v1/${path}`, token);
  expect({ path, status: answer.status }).toEqual({ path, status: 200 });
  return (await answer.json()) as T;
}

const since = (ms: number): bigint => BigInt(NOW_MS - ms) * NS;
function matching(matches: (call: TestCall) => boolean = () => true, ageMs = 24 * HOUR_MS): TestCall[] {
  return CALLS.filter((call) => call.demo !== true && call.startedNs >= since(ageMs) && matches(call));
}
function counts(calls: readonly TestCall[], key: (call: TestCall) => string): Record<string, number> {
  const found: Record<string, number> = {};
  for (const call of calls) found[key(call)] = (found[key(call)] ?? 0) + 1;
  return found;
}

describe('facets', () => {
  const facet = (facets: Facets, field: string) => {
    const found = facets.facets.find((one) => one.field === field);
    return Object.fromEntries((found?.values ?? []).map(({ value, calls }) => [value, calls]));
  };
  const text = (value: unknown): string => (typeof value === 'string' && value !== '' ? value : '(none)');

  test('count every value of the last 24 hours, empty ones as (none) and open', async () => {
    const told = await get<Facets>('facets?limit=200');
    const calls = matching();
    expect(told.facets.map(({ field }) => field)).toEqual(['outcome', 'server', 'user', 'operation', 'tool', 'client']);
    expect(facet(told, 'outcome')).toEqual(counts(calls, (c) => (c.outcome === '' ? 'open' : String(c.outcome))));
    expect(facet(told, 'server')).toEqual(counts(calls, (c) => c.server));
    expect(facet(told, 'user')).toEqual(counts(calls, (c) => (c.email === '' ? '(none)' : userKey(c.email))));
    expect(facet(told, 'client')).toEqual(counts(calls, (c) => text(c.client_name)));
    const users = told.facets.find(({ field }) => field === 'user')?.values.map(({ user }) => user?.login);
    expect(users?.sort()).toEqual(['ana', 'bob', undefined]);
  });

  test('obey the other filters, each but its own', async () => {
    const told = await get<Facets>('facets?limit=200&server=server-1&server=server-2&notOutcome=success&user=ana');
    const server = (c: TestCall): boolean => c.server === 'server-1' || c.server === 'server-2';
    const outcome = (c: TestCall): boolean => c.outcome !== 'success';
    const user = (c: TestCall): boolean => c.email === 'ana@example.com';
    expect(facet(told, 'server')).toEqual(
      counts(
        matching((c) => outcome(c) && user(c)),
        (c) => c.server
      )
    );
    expect(facet(told, 'outcome')).toEqual(
      counts(
        matching((c) => server(c) && user(c)),
        (c) => String(c.outcome)
      )
    );
    expect(facet(told, 'user')).toEqual(
      counts(
        matching((c) => server(c) && outcome(c)),
        (c) => (c.email === '' ? '(none)' : userKey(c.email))
      )
    );
    expect(facet(told, 'operation')).toEqual(
      counts(
        matching((c) => server(c) && outcome(c) && user(c)),
        (c) => String(c.operation)
      )
    );
  });

  test('that are cut say how many values and calls are left', async () => {
    const told = await get<Facets>('facets?field=server&limit=5');
    expect(told.facets).toHaveLength(1);
    const all = counts(matching(), (c) => c.server);
    const [server] = told.facets;
    expect(server?.distinct).toBe(Object.keys(all).length);
    const shown = server?.values.reduce((sum, { calls }) => sum + calls, 0) ?? 0;
    expect(server?.values.map(({ calls }) => calls)).toEqual(
      Object.values(all)
        .sort((a, b) => b - a)
        .slice(0, 5)
    );
    expect(server?.otherCalls).toBe(matching().length - shown);
  });

  test('show a viewer no user but themselves, whatever they ask', async () => {
    for (const query of ['', '?user=ana@example.com', '?notUser=ana', '?q=bob']) {
      const told = await get<Facets>(`facets${query}`, 'viewer');
      expect(JSON.stringify(told)).not.toContain(userKey('bob@example.com'));
      expect(told.facets.find(({ field }) => field === 'user')?.values.length).toBeLessThanOrEqual(1);
    }
  });
});

describe('the timeline', () => {
  test('covers the range without gaps and counts each call once', async () => {
    const told = await get<Timeline>('timeline?from=now-48h&buckets=100');
    expect(told.bucketSeconds).toBe(1800);
    expect(told.buckets).toHaveLength(96);
    expect(told.buckets[0]?.start).toBe('2026-11-22T08:00:00.000000000Z');
    const calls = matching(() => true, 48 * HOUR_MS);
    const expected = counts(calls, (c) => {
      const start = Math.floor(Number(c.startedNs / NS) / 1_800_000) * 1_800_000;
      return new Date(start).toISOString().replace('.000Z', '.000000000Z');
    });
    const busy = told.buckets.filter((bucket) => bucket.calls > 0);
    expect(Object.fromEntries(busy.map((bucket) => [bucket.start, bucket.calls]))).toEqual(expected);
    expect(told.totals.calls).toBe(calls.length);
    expect(told.totals.outcomes).toEqual(
      counts(calls, (c) => (c.outcome === '' ? 'open' : typeof c.outcome === 'string' ? c.outcome : 'success'))
    );
  });

  test('gives error rate and p95 of requests, as Usage does', async () => {
    const told = await get<Timeline>('timeline?server=server-3&notTool=(none)');
    const usage = await get<{ totals: { calls: number; errors: number; errorRate: number; p95Ms: number } }>(
      'usage/summary?server=server-3&notTool=(none)'
    );
    const requests = matching((c) => c.server === 'server-3' && c.tool !== '' && c.kind === 'request');
    expect(told.totals).toMatchObject({
      requests: requests.length,
      errors: requests.filter((c) => ERRORS.has(c.outcome)).length,
    });
    const { calls, errors, errorRate, p95Ms } = usage.totals;
    expect(told.totals).toMatchObject({ requests: calls, errors, errorRate, p95Ms });
    const sum = (key: 'requests' | 'errors' | 'calls'): number => told.buckets.reduce((all, one) => all + one[key], 0);
    expect([sum('requests'), sum('errors'), sum('calls')]).toEqual([calls, errors, told.totals.calls]);
  });

  test('of nothing has all its buckets, empty', async () => {
    const told = await get<Timeline>('timeline?from=2020-01-01T00:00:00Z&to=2020-01-01T01:00:00Z&buckets=60');
    expect(told.buckets).toHaveLength(60);
    expect(told.totals).toEqual({ calls: 0, outcomes: {}, requests: 0, errors: 0, errorRate: 0, p95Ms: null });
  });
});

describe('sessions', () => {
  async function all(query: string, token = 'admin'): Promise<Session[]> {
    const items: Session[] = [];
    let cursor: string | null = null;
    do {
      const next: SessionPage = await get(
        `sessions?limit=7${query}${cursor === null ? '' : `&cursor=${cursor}`}`,
        token
      );
      items.push(...next.items);
      cursor = next.nextCursor;
    } while (cursor !== null);
    return items;
  }
  /** By key, what the list should say. */
  function expected(calls: readonly TestCall[]) {
    const keys = [...new Set(calls.map((c) => String(c.session_key)))].filter((key) => key !== '');
    return keys
      .map((key) => {
        const own = calls.filter((c) => c.session_key === key);
        const first = own.reduce((a, b) => (b.startedNs < a.startedNs ? b : a));
        const requests = own.filter((c) => (c.kind ?? 'request') === 'request');
        return {
          key,
          startedNs: first.startedNs,
          records: own.length,
          calls: requests.length,
          errors: requests.filter((c) => ERRORS.has(c.outcome)).length,
          servers: [...new Set(own.map((c) => c.server))].sort().slice(0, 20).length,
        };
      })
      .sort((a, b) => (a.startedNs === b.startedNs ? (a.key < b.key ? 1 : -1) : a.startedNs < b.startedNs ? 1 : -1));
  }
  const told = (items: readonly Session[]) =>
    items.map(({ key, records, calls, errors, servers }) => ({ key, records, calls, errors, servers: servers.length }));
  const plain = (rows: ReturnType<typeof expected>) =>
    rows.map(({ key, records, calls, errors, servers }) => ({ key, records, calls, errors, servers }));

  test('are listed once each over all pages, the latest begun first', async () => {
    expect(told(await all(''))).toEqual(plain(expected(matching())));
  });

  test('are chosen by a filter, and count all their calls all the same', async () => {
    const chosen = new Set(matching((c) => c.outcome === 'timeout').map((c) => c.session_key));
    expect(told(await all('&outcome=timeout'))).toEqual(plain(expected(matching((c) => chosen.has(c.session_key)))));
  });

  test('name the people in them to those who may know, and to each person their own part only', async () => {
    const shared = (await all('')).find(({ key }) => key === 'shared');
    expect(shared?.users.map(({ login }) => login).sort()).toEqual(['ana', 'bob']);
    const own = (await all('', 'viewer')).find(({ key }) => key === 'shared');
    expect(own).toMatchObject({ records: 1, calls: 0, errors: 0, users: [{ key: userKey('ana@example.com') }] });
    expect((await all('', 'viewer')).every(({ key }) => key === 'shared' || key.startsWith('ana'))).toBe(true);
  });

  test('open with their calls in order, page after page, server requests and notifications among them', async () => {
    const key = 'ana-3';
    const calls = CALLS.filter((c) => c.session_key === key);
    const ids: string[] = [];
    let cursor: string | null = null;
    do {
      const next: SessionDetail = await get(`sessions/${key}?limit=3${cursor === null ? '' : `&cursor=${cursor}`}`);
      ids.push(...next.items.map(({ id }) => id));
      expect(next.session).toMatchObject({ key, records: calls.length, kind: 'mcp' });
      cursor = next.nextCursor;
    } while (cursor !== null);
    expect(ids).toEqual(calls.sort((a, b) => (a.startedNs < b.startedNs ? -1 : 1)).map((c) => c.call_id));
  });

  test.each([`'; DROP TABLE mcp.calls --`, '%', '', '(none)', 'x'.repeat(4000)])(
    'of a hostile key are not there: %.20j',
    async (key) => {
      expect((await testApi.get(`/api/v1/sessions/${encodeURIComponent(key)}`, 'admin')).status).toBe(404);
    }
  );
});
