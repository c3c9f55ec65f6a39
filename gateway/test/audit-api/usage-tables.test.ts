/** The tables and charts of Usage on the real engine, held against figures counted from the rows themselves. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type {
  Concurrency,
  UsageClients,
  UsageOverTime,
  UsageServers,
  UsageSummary,
  UsageTools,
  UsageUnused,
  UsageUsers,
} from '../../src/audit-api/contract.ts';
import type { TestApi, TestCall, TestStore } from './api-under-test.ts';
import { NS, callIdAt, insertCalls, insertPrincipals, startTestApi, startTestStore } from './api-under-test.ts';

const NOW_MS = Date.now();
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const OUTCOMES = ['success', 'success', 'tool_error', 'denied', 'timeout'] as const;
const ERRORS: ReadonlySet<unknown> = new Set(['tool_error', 'timeout']);

function pick<T>(values: readonly T[], n: number): T {
  return values[n % values.length] as T;
}

function made(ms: number, n: number, over: Record<string, unknown> = {}): TestCall {
  return {
    call_id: callIdAt(ms),
    startedNs: BigInt(ms) * NS + BigInt(n),
    email: pick(['ana@example.com', 'bob@example.com', ''], n),
    server: pick(['github', 'files'], Math.floor(n / 3)),
    tool: n % 10 === 0 ? '' : pick(['search', '=HYPERLINK("http://evil")', '@read'], Math.floor(n / 6)),
    client_name: n % 4 === 0 ? '' : pick(['cursor', '+claude'], n),
    client_version: n % 4 === 0 ? '' : `1.${n % 3}`,
    outcome: pick(OUTCOMES, n),
    kind: n % 17 === 0 ? 'notification' : 'request',
    duration: 1_000_000 * (1 + (n % 400)),
    tokens_estimated: n,
    request_bytes: 10,
    response_bytes: n,
    ...over,
  };
}
const CALLS = Array.from({ length: 600 }, (_, n) => made(NOW_MS - 60_000 - ((n * 277_003) % (47 * HOUR_MS)), n));
/** A busy minute: ten at once. */
const BURST_MS = Math.floor((NOW_MS - 5 * HOUR_MS) / 60_000) * 60_000;
CALLS.push(
  ...Array.from({ length: 20 }, (_, n) => made(BURST_MS + n * 100, n, { server: 'burst', duration: 1_000_000_000 }))
);
/** Long unused. */
CALLS.push(
  made(NOW_MS - 50 * DAY_MS, 1, { server: 'hr', tool: 'payroll', email: 'bob@example.com' }),
  made(NOW_MS - 60 * DAY_MS, 1, { server: 'github', tool: 'old_tool', email: 'ana@example.com' })
);

let store: TestStore;
let testApi: TestApi;
beforeAll(async () => {
  store = await startTestStore();
  testApi = startTestApi(store.reader, { wallMs: () => NOW_MS });
  await insertPrincipals(store, { 'ana@example.com': 'ana', 'bob@example.com': 'bob' });
  await insertCalls(store, CALLS);
  for (const view of ['usage_minute_refresh', 'usage_hour_refresh', 'usage_user_hour_refresh']) {
    await store.admin.command({ query: `SYSTEM REFRESH VIEW mcp.${view}` });
    await store.admin.command({ query: `SYSTEM WAIT VIEW mcp.${view}` });
  }
});
afterAll(() => store.close());

async function get<T>(path: string, token = 'admin'): Promise<T> {
  const answer = await testApi.get(`/api/v1/usage/${path}`, token);
  expect({ path, status: answer.status }).toEqual({ path, status: 200 });
  return (await answer.json()) as T;
}

function requests(ageMs = 24 * HOUR_MS, untilMs = 0): TestCall[] {
  const from = BigInt(NOW_MS - ageMs) * NS;
  const to = BigInt(NOW_MS - untilMs) * NS;
  return CALLS.filter((call) => call.kind === 'request' && call.startedNs >= from && call.startedNs < to);
}

interface Line {
  calls: number;
  errors: number;
  tokensEstimated: number;
}
function grouped(calls: readonly TestCall[], key: (call: TestCall) => string): Record<string, Line> {
  const lines: Record<string, Line> = {};
  for (const call of calls) {
    const line = (lines[key(call)] ??= { calls: 0, errors: 0, tokensEstimated: 0 });
    line.calls += 1;
    if (ERRORS.has(call.outcome)) line.errors += 1;
    line.tokensEstimated += Number(call.tokens_estimated);
  }
  return lines;
}
function told<Item extends Line>(items: readonly Item[], key: (item: Item) => string): Record<string, Line> {
  return Object.fromEntries(
    items.map((item) => [key(item), { calls: item.calls, errors: item.errors, tokensEstimated: item.tokensEstimated }])
  );
}
const none = (value: unknown): string => (typeof value === 'string' && value !== '' ? value : 'null');

describe('tables', () => {
  test('of servers, with people and trend', async () => {
    const table = await get<UsageServers>('servers?from=now-48h');
    const calls = requests(48 * HOUR_MS);
    expect(told(table.items, (item) => item.server)).toEqual(grouped(calls, (call) => call.server));
    expect(table).toMatchObject({ distinct: 3, truncated: false, scope: 'all' });
    const github = table.items.find(({ server }) => server === 'github');
    expect(github?.users).toBe(2);
    for (const item of table.items) expect(item.trend.reduce((sum, n) => sum + n, 0)).toBe(item.calls);
    expect(github?.trend.length).toBeLessThanOrEqual(30);
    expect(github?.p95Ms).toBeGreaterThan(100);
  });

  test('of tools', async () => {
    const table = await get<UsageTools>('tools?from=now-48h');
    const calls = requests(48 * HOUR_MS).filter((call) => call.tool !== '');
    const key = (call: TestCall): string => `${call.server} ${none(call.tool)}`;
    expect(told(table.items, (item) => `${item.server} ${item.tool}`)).toEqual(grouped(calls, key));
    for (const item of table.items) expect(item.trend.reduce((sum, n) => sum + n, 0)).toBe(item.calls);
  });

  test('of users and servers', async () => {
    const table = await get<UsageUsers>('users?from=now-48h&server=github&server=files');
    const calls = requests(48 * HOUR_MS).filter((call) => call.server !== 'burst');
    expect(told(table.items, (item) => `${item.user?.email ?? ''} ${item.server}`)).toEqual(
      grouped(calls, (call) => `${call.email} ${call.server}`)
    );
  });

  test('of clients and versions, under any filter', async () => {
    const table = await get<UsageClients>('clients?notOutcome=success&minDurationMs=100');
    const calls = requests().filter((call) => call.outcome !== 'success' && Number(call.duration) >= 100_000_000);
    expect(told(table.items, (item) => `${item.client} ${item.version}`)).toEqual(
      grouped(calls, (call) => `${none(call.client_name)} ${none(call.client_version)}`)
    );
  });

  test('that are cut say so', async () => {
    const table = await get<UsageTools>('tools?limit=2');
    expect(table).toMatchObject({ truncated: true });
    expect(table.items).toHaveLength(2);
    expect(table.distinct).toBeGreaterThan(2);
  });

  test('of a viewer hold their own calls only', async () => {
    const own = requests().filter((call) => call.email === 'ana@example.com');
    const table = await get<UsageServers>('servers', 'viewer');
    expect(table.scope).toBe('own');
    expect(told(table.items, (item) => item.server)).toEqual(grouped(own, (call) => call.server));
  });
});

describe('over time', () => {
  test('every bucket is there, by outcome, and the sum is the summary', async () => {
    const chart = await get<UsageOverTime>('timeline?buckets=49');
    const { totals } = await get<UsageSummary>('summary');
    expect(chart.bucketSeconds).toBe(1800);
    const sum = (of: (bucket: UsageOverTime['buckets'][number]) => number): number =>
      chart.buckets.reduce((all, bucket) => all + of(bucket), 0);
    expect(sum((bucket) => bucket.calls)).toBe(totals.calls);
    expect(sum((bucket) => bucket.errors)).toBe(totals.errors);
    expect(sum((bucket) => bucket.tokensEstimated)).toBe(totals.tokensEstimated);
    expect(sum((bucket) => Object.values(bucket.outcomes).reduce((all, n) => all + n, 0))).toBe(totals.calls);
    expect(chart.previous).toBeNull();
  });

  test('the period before lies bucket on bucket', async () => {
    const chart = await get<UsageOverTime>('timeline?compare=previous&buckets=49');
    expect(chart.previous).toHaveLength(chart.buckets.length);
    const shift = Date.parse(chart.buckets[0]?.start ?? '') - Date.parse(chart.previous?.[0]?.start ?? '');
    expect(shift).toBe(24 * HOUR_MS);
    const calls = chart.previous?.reduce((all, bucket) => all + bucket.calls, 0);
    expect(calls).toBe(requests(48 * HOUR_MS, 24 * HOUR_MS).length);
  });

  test('the totals of the period before come with the summary', async () => {
    const summary = await get<UsageSummary>('summary?compare=previous');
    const before = requests(48 * HOUR_MS, 24 * HOUR_MS);
    expect(summary.previous).toMatchObject({
      calls: before.length,
      errors: before.filter((call) => ERRORS.has(call.outcome)).length,
      users: 2,
    });
    expect((await get<UsageSummary>('summary')).previous).toBeNull();
  });
});

describe('concurrency', () => {
  test('finds how many ran at once, in which bucket and on which server', async () => {
    const told = await get<Concurrency>('concurrency?server=burst&buckets=100');
    // one a tenth of a second, a second each
    expect(told.peak?.parallel).toBe(10);
    expect(Date.parse(told.peak?.start ?? '')).toBeLessThanOrEqual(BURST_MS);
    expect(told.servers).toEqual([{ server: 'burst', parallel: 10 }]);
    expect(told.busiestMinute).toEqual({
      calls: requests().filter((call) => call.server === 'burst').length,
      start: new Date(BURST_MS).toISOString().replace('.000Z', '.000000000Z'),
    });
  });

  test('counts a request in every bucket through which it runs, and ends with the range', async () => {
    const iso = (ms: number): string => new Date(ms).toISOString();
    const told = await get<Concurrency>(`concurrency?server=burst&from=${iso(BURST_MS)}&to=${iso(BURST_MS + 2000)}`);
    expect(told.bucketSeconds).toBe(1);
    // n = 0 and n = 17 are notifications
    expect(told.buckets.map(({ parallel }) => parallel)).toEqual([9, 10]);
  });

  test('of nothing is null', async () => {
    expect(await get<Concurrency>('concurrency?server=nowhere')).toMatchObject({
      peak: null,
      busiestMinute: null,
      servers: [],
    });
  });
});

describe('unused', () => {
  test('names servers and tools with their last call, and configured servers never called', async () => {
    const told = await get<UsageUnused>('unused?days=30');
    const item = (server: string, tool: string | null) =>
      [...told.servers, ...told.tools].find((one) => one.server === server && one.tool === tool);
    expect(told.servers.map(({ server }) => server)).toEqual(['never-called', 'hr']);
    expect(told.tools.map(({ tool }) => tool)).toEqual(['old_tool', 'payroll']);
    expect(item('never-called', null)).toMatchObject({ lastCalledAt: null, calls: 0 });
    const last = Date.parse(item('hr', 'payroll')?.lastCalledAt ?? '');
    expect(last).toBe(Math.floor((NOW_MS - 50 * DAY_MS) / HOUR_MS) * HOUR_MS);
    expect((await get<UsageUnused>('unused?days=55')).servers.map(({ server }) => server)).toEqual(['never-called']);
  });

  test('tells a viewer of what they used themselves, and of no other server', async () => {
    const told = await get<UsageUnused>('unused', 'viewer');
    expect(told).toMatchObject({ scope: 'own', servers: [] });
    expect(told.tools.map(({ tool }) => tool)).toEqual(['old_tool']);
  });

  test('forgets what was called a moment ago, before any rollup ran', async () => {
    await insertCalls(store, [made(NOW_MS - 1000, 2, { server: 'hr', tool: 'payroll', kind: 'request' })]);
    const told = await get<UsageUnused>('unused?days=30');
    expect(told.servers.map(({ server }) => server)).toEqual(['never-called']);
    expect(told.tools.map(({ tool }) => tool)).toEqual(['old_tool']);
  });
});

describe('CSV', () => {
  const csv = async (path: string, headers: Record<string, string> = {}, token = 'admin'): Promise<Response> =>
    testApi.api.request(`/api/v1/usage/${path}`, { headers: { Authorization: `Bearer ${token}`, ...headers } });

  test.each([
    ['servers', 'server,calls,errors'],
    ['tools', 'server,tool,calls'],
    ['users', 'user_key,email,login,server'],
    ['clients', 'client,version,calls'],
    ['unused', 'server,tool,last_called_at'],
  ])('of %s is a file, and taking it away is recorded', async (table, header) => {
    testApi.recorded.length = 0;
    const answer = await csv(`${table}?format=csv`);
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="gatelens-usage-${table}.csv"`);
    const lines = (await answer.text()).split('\r\n');
    expect(lines[0]?.startsWith(header)).toBe(true);
    expect(testApi.recorded).toMatchObject([
      { action: 'usage.read', decision: 'allowed', actorName: 'boss', rows: lines.length - 2, detail: { table } },
    ]);
  });

  test('comes by Accept too, but not to a browser that takes anything', async () => {
    expect((await csv('tools', { Accept: 'text/csv' })).headers.get('content-type')).toContain('text/csv');
    expect((await csv('tools', { Accept: 'text/html,*/*;q=0.8' })).headers.get('content-type')).toContain('json');
    expect((await csv('tools?format=json', { Accept: 'text/csv' })).headers.get('content-type')).toContain('json');
  });

  test('runs nothing in a spreadsheet', async () => {
    const text = await (await csv('tools?format=csv')).text();
    expect(text).toContain(`"'=HYPERLINK(""http://evil"")"`);
    expect(text).toContain(`"'@read"`);
    expect(await (await csv('clients?format=csv')).text()).toContain(`"'+claude"`);
  });

  test('of a viewer has nobody else in it', async () => {
    const text = await (await csv('users?format=csv&notUser=bob&user=ana@example.com', {}, 'viewer')).text();
    expect(text).not.toContain('bob');
    expect(text).toContain('ana@example.com');
  });
});
