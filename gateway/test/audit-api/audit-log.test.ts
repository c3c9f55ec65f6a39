/** The audit log on the real engine: filters, paging, hostile values, re-delivery, cancellation, the index. */
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Call, CallPage } from '../../src/audit-api/contract.ts';
import { encodeCursor } from '../../src/audit-api/cursor.ts';
import { startAuditApiServer } from '../../src/audit-api/server.ts';
import type { QueryParam, StoreReader } from '../../src/store/queries/reader.ts';
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
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const PEOPLE = ['ana@example.com', 'bob@example.com', ''] as const;
const SERVERS = ['github', 'files', 'hr'] as const;
const OUTCOMES = ['success', 'tool_error', 'denied', 'rpc_error', 'timeout'] as const;
const KINDS = ['request', 'notification', 'attempt', 'server_request'] as const;

/** From seconds to months ago, many at the same nanosecond, as a burst gives them. */
const AGES_MS = [0, 1, 1, 1, 59_000, HOUR_MS, 5 * HOUR_MS, DAY_MS, 3 * DAY_MS, 8 * DAY_MS, 45 * DAY_MS, 200 * DAY_MS];

function pick<T>(values: readonly T[], n: number): T {
  return values[n % values.length] as T;
}

const HOSTILE_TOOLS = [
  `'; DROP TABLE mcp.calls; --`,
  `") OR 1=1 --`,
  "back\\slash \\' and \\N",
  'tab\tnewline\nreturn\r',
  'nul\u0000byte',
  '🧨 \u202eright-to-left\u202c é e\u0301',
  '{x:String} {{engine}} %s ${y}',
  '\u00ff\uffff',
  'x'.repeat(2048),
];

const CALLS: TestCall[] = Array.from({ length: 600 }, (_, n) => {
  const ms = NOW_MS - pick(AGES_MS, n);
  return {
    call_id: callIdAt(ms),
    startedNs: BigInt(ms) * NS + (n % 3 === 0 ? 123n : 0n),
    email: pick(PEOPLE, n),
    server: pick(SERVERS, Math.floor(n / 3)),
    operation: n % 7 === 0 ? 'resources/read' : 'tools/call',
    tool: n % 7 === 0 ? '' : pick(['search', 'read', 'Search'], Math.floor(n / 2)),
    outcome: pick(OUTCOMES, Math.floor(n / 5)),
    kind: n % 11 === 0 ? pick(KINDS, Math.floor(n / 11)) : 'request',
    demo: n % 13 === 0,
    duration: n * 1_000_000,
    client_name: n % 4 === 0 ? '' : pick(['cursor', 'claude'], n),
    client_version: `1.${n % 3}`,
    key_name: n % 5 === 0 ? 'ci' : '',
    session_key: n % 6 === 0 ? '' : `s${n % 50}`,
    trace_id: n % 9 === 0 ? 'aaaa' : `t${n}`,
    error_type: n % 8 === 0 ? '-32602' : '',
    resource_uri: n % 7 === 0 ? `file:///Docs/Übersicht-${n % 2}.md` : '',
  };
});
for (const [n, tool] of HOSTILE_TOOLS.entries()) {
  const ms = NOW_MS - n;
  CALLS.push({ call_id: callIdAt(ms), startedNs: BigInt(ms) * NS, email: 'ana@example.com', server: 'odd', tool });
}

let store: TestStore;
let testApi: TestApi;
const asked: { sql: string; params: Readonly<Record<string, QueryParam>> }[] = [];

beforeAll(async () => {
  store = await startTestStore();
  const watched: StoreReader = {
    query: (sql, params, options) => {
      asked.push({ sql, params });
      return store.reader.query(sql, params, options);
    },
  };
  testApi = startTestApi(watched, { wallMs: () => NOW_MS });
  await insertPrincipals(store, { 'ana@example.com': 'ana', 'bob@example.com': 'Bob' });
  await insertCalls(store, CALLS);
});
afterAll(() => store.close());

async function page(query: string, token = 'admin'): Promise<CallPage> {
  const answer = await testApi.get(`/api/v1/calls?${query}`, token);
  expect(answer.status).toBe(200);
  return (await answer.json()) as CallPage;
}

async function all(query: string, token = 'admin'): Promise<Call[]> {
  const items: Call[] = [];
  let cursor: string | null = null;
  do {
    const next: CallPage = await page(`${query}&limit=37${cursor === null ? '' : `&cursor=${cursor}`}`, token);
    items.push(...next.items);
    cursor = next.nextCursor;
  } while (cursor !== null);
  return items;
}

function expectedIds(matches: (call: TestCall) => boolean, demo = false): string[] {
  return CALLS.filter((call) => (call.demo ?? false) === demo && matches(call))
    .sort((a, b) =>
      a.startedNs === b.startedNs ? (a.call_id < b.call_id ? 1 : -1) : a.startedNs < b.startedNs ? 1 : -1
    )
    .map((call) => call.call_id);
}

const ago = (ms: number): bigint => BigInt(NOW_MS - ms) * NS;
const FILTERS: readonly (readonly [query: string, matches: (call: TestCall) => boolean])[] = [
  ['', () => true],
  ['from=now-1h', (call) => call.startedNs >= ago(HOUR_MS)],
  ['to=now-1h', (call) => call.startedNs < ago(HOUR_MS)],
  ['from=now-8d&to=now-24h', (call) => call.startedNs >= ago(8 * DAY_MS) && call.startedNs < ago(DAY_MS)],
  ['from=2026-11-24T07:59:59.999000123Z', (call) => call.startedNs >= ago(1) + 123n],
  ['server=github', (call) => call.server === 'github'],
  ['server=github&server=hr', (call) => call.server === 'github' || call.server === 'hr'],
  ['user=ana@example.com', (call) => call.email === 'ana@example.com'],
  ['user=ANA@Example.com', (call) => call.email === 'ana@example.com'],
  ['user=bob', (call) => call.email === 'bob@example.com'],
  [`user=${userKey('bob@example.com')}&user=ana`, (call) => call.email !== ''],
  ['user=nobody', () => false],
  ['operation=resources/read', (call) => call.operation === 'resources/read'],
  ['tool=search', (call) => call.tool === 'search'],
  ['outcome=denied&outcome=timeout', (call) => call.outcome === 'denied' || call.outcome === 'timeout'],
  ['notServer=github&notServer=hr', (call) => call.server !== 'github' && call.server !== 'hr'],
  ['notUser=ana@example.com', (call) => call.email !== 'ana@example.com'],
  ['notUser=bob&notUser=(none)', (call) => call.email === 'ana@example.com'],
  ['user=(none)', (call) => call.email === ''],
  ['user=(none)&user=bob', (call) => call.email !== 'ana@example.com'],
  ['tool=(none)', (call) => call.tool === ''],
  ['notTool=search&notTool=(none)&notServer=odd', (call) => call.tool === 'read' || call.tool === 'Search'],
  ['notOutcome=success', (call) => (call.outcome ?? 'success') !== 'success'],
  ['outcome=denied&notOutcome=denied', () => false],
  ['outcome=open', () => false],
  ['notKind=request', (call) => (call.kind ?? 'request') !== 'request'],
  ['client=cursor', (call) => call.client_name === 'cursor'],
  ['notClient=(none)', (call) => (call.client_name ?? '') !== ''],
  ['client=claude&clientVersion=1.1', (call) => call.client_name === 'claude' && call.client_version === '1.1'],
  ['key=ci', (call) => call.key_name === 'ci'],
  ['session=s7', (call) => call.session_key === 's7'],
  ['traceId=aaaa', (call) => call.trace_id === 'aaaa'],
  ['errorType=-32602', (call) => call.error_type === '-32602'],
  ['minDurationMs=100&maxDurationMs=100.5', (call) => call.duration === 100_000_000],
  ['minDurationMs=590', (call) => Number(call.duration) >= 590_000_000],
  ['q=SEARCH', (call) => String(call.tool).toLowerCase() === 'search'],
  ['q=übersicht-1', (call) => String(call.resource_uri).endsWith('-1.md')],
  [
    'q=git%20%20read',
    (call) => call.server === 'github' && (call.operation === 'resources/read' || call.tool === 'read'),
  ],
  ['q=BOB@', (call) => call.email === 'bob@example.com'],
  ['q=%25', (call) => String(call.tool).includes('%')],
  [`q=DROP%20TABLE`, (call) => String(call.tool).includes('DROP TABLE')],
  ['kind=attempt&kind=notification', (call) => call.kind === 'attempt' || call.kind === 'notification'],
  [
    'user=ana&server=files&outcome=success&from=now-45d',
    (call) =>
      call.email === 'ana@example.com' &&
      call.server === 'files' &&
      call.outcome === 'success' &&
      call.startedNs >= ago(45 * DAY_MS),
  ],
];

describe('filters and pages', () => {
  test.each(FILTERS)('%s gives every match once, newest first', async (query, matches) => {
    expect((await all(query)).map(({ id }) => id)).toEqual(expectedIds(matches));
  });

  test('rows of the demo history are never mixed with real ones', async () => {
    const items = await all('demo=true');
    expect(items.map(({ id }) => id)).toEqual(expectedIds(() => true, true));
    expect(items.length).toBeGreaterThan(0);
  });

  test('a page larger than what is left ends the list', async () => {
    const { items, nextCursor } = await page('limit=1000');
    expect(items.map(({ id }) => id)).toEqual(expectedIds(() => true));
    expect(nextCursor).toBeNull();
  });

  test('the newest page reads the last hour only', async () => {
    asked.length = 0;
    await page('limit=5');
    const lists = asked.filter(({ sql }) => sql.includes('ORDER BY started_at'));
    const [candidates, rows, ...more] = lists.map(({ params }) => params.fromNs);
    expect(candidates).toBe(String(ago(HOUR_MS)));
    expect(Number(rows)).toBeGreaterThan(Number(candidates));
    expect(more).toEqual([]);
  });
});

describe('a hostile value', () => {
  test.each(HOSTILE_TOOLS.slice(0, -1))('finds exactly itself: %j', async (tool) => {
    const items = await all(`tool=${encodeURIComponent(tool)}`);
    expect(items.map((call) => call.tool)).toEqual([tool]);
  });

  test('may be as long as the limit allows, fifty times', async () => {
    const long = 'x'.repeat(2048);
    const others = Array.from({ length: 49 }, (_, n) => `tool=${String(n).repeat(1024)}`).join('&');
    expect((await all(`tool=${long}&${others}`)).map((call) => call.tool)).toEqual([long]);
  });

  test('leaves the table as it was', async () => {
    expect((await page('limit=1')).items).toHaveLength(1);
  });
});

describe('a cursor', () => {
  test('of one’s own making shows a viewer nothing but own calls', async () => {
    const own = new Set(expectedIds((call) => call.email === 'ana@example.com'));
    for (const startedNs of [0n, ago(DAY_MS), 9_223_372_036_854_775_806n]) {
      const { items } = await page(`limit=1000&cursor=${encodeCursor({ startedNs, callId: 'zzz' })}`, 'viewer');
      for (const { id } of items) expect(own).toContain(id);
    }
  });

  test('stays good when newer calls arrive between two pages', async () => {
    const first = await page('limit=10&server=github');
    const ms = NOW_MS + 1000;
    const late = { call_id: callIdAt(ms), startedNs: BigInt(ms) * NS, email: 'bob@example.com', server: 'late' };
    await insertCalls(store, [late]);
    const second = await page(`limit=10&server=github&cursor=${String(first.nextCursor)}`);
    const expected = expectedIds((call) => call.server === 'github');
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(expected.slice(0, 20));
    // a clock that runs ahead hides nothing
    expect((await page('limit=1')).items[0]?.id).toBe(late.call_id);
  });
});

describe('re-delivery', () => {
  test('of the same rows changes nothing', async () => {
    const before = await all('server=hr');
    const copies = CALLS.filter(({ server }) => server === 'hr');
    await insertCalls(store, copies.slice(0, 50));
    await insertCalls(store, copies);
    const after = await all('server=hr');
    expect(after.map(({ id }) => id)).toEqual(before.map(({ id }) => id));
  });

  test('of a stream that ended replaces the open row', async () => {
    const ms = NOW_MS - 10;
    const stream = {
      call_id: callIdAt(ms),
      startedNs: BigInt(ms) * NS,
      email: '',
      server: 'sse',
      kind: 'stream',
      tool: '',
    };
    await insertCalls(store, [{ ...stream, phase: 'open', outcome: '' }]);
    expect(await all('server=sse')).toMatchObject([{ phase: 'open', outcome: null, user: null }]);
    await insertCalls(store, [{ ...stream, phase: 'closed', outcome: 'success' }]);
    expect(await all('server=sse')).toMatchObject([{ phase: 'closed', outcome: 'success' }]);
    expect(await all('server=sse&outcome=success')).toHaveLength(1);
  });

  test('of hundreds of streams that ended leaves none open, and pages go past them to the one that is', async () => {
    const stream = (n: number) => {
      const ms = NOW_MS - DAY_MS - n;
      const of = { call_id: callIdAt(ms), startedNs: BigInt(ms) * NS, email: '', server: 'many', kind: 'stream' };
      return { ...of, tool: '', client_name: `client ${n}` };
    };
    const streams = Array.from({ length: 300 }, (_, n) => stream(n));
    const running = streams.filter((_, n) => n % 100 === 99);
    await insertCalls(
      store,
      streams.map((one) => ({ ...one, phase: 'open', outcome: '' }))
    );
    await insertCalls(
      store,
      streams.filter((one) => !running.includes(one)).map((one) => ({ ...one, phase: 'closed', outcome: 'success' }))
    );
    const idsOf = (calls: readonly { readonly call_id: string }[]): string[] => calls.map(({ call_id: id }) => id);
    expect((await all('server=many&outcome=open')).map(({ id }) => id)).toEqual(idsOf(running));
    const first = await page('server=many&outcome=open&limit=2');
    expect(first.items.map(({ id }) => id)).toEqual(idsOf(running.slice(0, 2)));
    const rest = await page(`server=many&outcome=open&limit=2&cursor=${String(first.nextCursor)}`);
    expect(rest.items.map(({ id }) => id)).toEqual(idsOf(running.slice(2)));
    expect(rest.nextCursor).toBeNull();
    expect(await all('server=many&outcome=success')).toHaveLength(297);
    expect(await all('server=many&q=client')).toHaveLength(300);
  });
});

describe('one call', () => {
  test('is found by its id, also where the id does not tell the time', async () => {
    const ms = NOW_MS - 100 * DAY_MS;
    const odd = { call_id: 'imported-0001', startedNs: BigInt(ms) * NS + 7n, email: 'bob@example.com', server: 'old' };
    await insertCalls(store, [{ ...odd, attributes: { 'network.transport': 'pipe' } }]);
    const answer = await testApi.get('/api/v1/calls/imported-0001', 'admin');
    expect(await answer.json()).toMatchObject({
      id: 'imported-0001',
      startedAt: '2026-08-16T08:00:00.000000007Z',
      user: { key: userKey('bob@example.com'), email: 'bob@example.com', login: 'Bob', name: 'BOB' },
      attributes: { 'network.transport': 'pipe' },
    });
  });

  test.each([`'; DROP TABLE mcp.calls --`, '../../etc/passwd', '%', '\u0000', 'x'.repeat(4000)])(
    'of a hostile id is not there: %.20j',
    async (id) => {
      const answer = await testApi.get(`/api/v1/calls/${encodeURIComponent(id)}`, 'admin');
      expect(answer.status).toBe(404);
    }
  );
});

describe('the database', () => {
  /** What the engine says it will read of `mcp.calls` for the last list asked. */
  async function plan(query: string): Promise<string> {
    asked.length = 0;
    await page(query);
    const list = asked.find(({ sql }) => sql.includes('ORDER BY started_at'));
    const explained = await store.admin.query({
      query: `EXPLAIN indexes = 1 ${list?.sql ?? ''}`,
      query_params: { ...list?.params },
      format: 'TabSeparatedRaw',
    });
    return explained.text();
  }

  test('finds the newest page by the primary key and the partitions', async () => {
    const text = await plan('limit=1');
    expect(text).toMatch(/PrimaryKey[\s\S]*Keys:[\s\S]*started_at/);
    const parts = [...text.matchAll(/Parts: (\d+)\/(\d+)/g)].map(([, read, of]) => [Number(read), Number(of)]);
    expect(parts[0]?.[1]).toBeGreaterThan(parts[0]?.[0] ?? 0);
  });

  test('stops a query whose caller has gone away', async () => {
    const marker = 'gatelens_cancel_test';
    const slow: StoreReader = {
      query: (_sql, _params, options) =>
        store.reader.query(`SELECT count() AS ${marker} FROM numbers(1000000000000)`, {}, options),
    };
    const running = async (): Promise<number> => {
      const query = `SELECT count() AS n FROM system.processes WHERE query LIKE '%AS ${marker}%' AND query NOT LIKE '%system.processes%'`;
      const rows = await (await store.admin.query({ query, format: 'JSONEachRow' })).json<{ n: string }>();
      return Number(rows[0]?.n);
    };
    const server = await startAuditApiServer(startTestApi(slow).api, { host: '127.0.0.1', port: 0 });
    try {
      const leaving = request(`${server.url}/api/v1/calls`, { headers: { Authorization: 'Bearer admin' } });
      leaving.on('error', () => undefined);
      leaving.end();
      await expect.poll(running, { timeout: 10_000 }).toBe(1);
      leaving.destroy();
      await expect.poll(running, { timeout: 10_000 }).toBe(0);
    } finally {
      await server.close();
    }
  });
});
