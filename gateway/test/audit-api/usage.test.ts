/** Usage figures on the real engine: right before, during and after the rollups run, with late and repeated rows. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { UsageSummary } from '../../src/audit-api/contract.ts';
import type { QueryParam, StoreReader } from '../../src/store/queries/reader.ts';
import type { TestApi, TestCall, TestStore } from './api-under-test.ts';
import {
  NS,
  callIdAt,
  clickhouseTime,
  insertCalls,
  insertPrincipals,
  startTestApi,
  startTestStore,
  userKey,
} from './api-under-test.ts';

const NOW_MS = Date.now();
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const PEOPLE = ['ana@example.com', 'bob@example.com', ''] as const;
const SERVERS = ['github', 'files'] as const;
const OUTCOMES = ['success', 'success', 'tool_error', 'denied', 'cancelled', 'timeout'] as const;
const ERRORS: ReadonlySet<unknown> = new Set([
  'tool_error',
  'rpc_error',
  'timeout',
  'upstream_unreachable',
  'interrupted',
]);
/** a bucket ends at most this far above what is in it: 2^(1/8) */
const BUCKET = 2 ** (1 / 8);

function pick<T>(values: readonly T[], n: number): T {
  return values[n % values.length] as T;
}

/** @param ingestedMs long ago: the rollup has settled it */
function makeCall(n: number, ageMs: number, ingestedMs: number): TestCall {
  const ms = NOW_MS - ageMs;
  return {
    call_id: callIdAt(ms),
    startedNs: BigInt(ms) * NS + BigInt(n),
    ingested_at: clickhouseTime(BigInt(ingestedMs) * NS).slice(0, 23),
    email: pick(PEOPLE, n),
    server: pick(SERVERS, Math.floor(n / 3)),
    operation: n % 10 === 0 ? 'resources/read' : 'tools/call',
    tool: n % 10 === 0 ? '' : pick(['search', 'read', 'write'], Math.floor(n / 6)),
    outcome: pick(OUTCOMES, Math.floor(n / 2)),
    duration: 1_000_000 + n * n * 1000,
    tokens_estimated: n,
    request_bytes: 10,
    response_bytes: n * 2,
    kind: n % 17 === 0 ? 'notification' : 'request',
    phase: n % 19 === 0 ? 'open' : 'closed',
    demo: n % 23 === 0,
  };
}

const CALLS: TestCall[] = Array.from({ length: 900 }, (_, n) => {
  const ageMs = (n * 97_001) % (23 * HOUR_MS);
  return makeCall(n, ageMs, NOW_MS - Math.max(0, ageMs - 1000));
});

interface Bucket {
  start: string;
  calls: number;
  errors: number;
  p95Ms: number | null;
}

type RecordsBucket = Omit<Bucket, 'calls'> & { requests: number };

interface Figures {
  calls: number;
  errors: number;
  denied: number;
  tokensEstimated: number;
}

/** What the summary should say, from the rows themselves. */
function counted(matches: (call: TestCall) => boolean = () => true, demo = false) {
  const calls = CALLS.filter((c) => c.kind === 'request' && c.phase === 'closed' && c.demo === demo && matches(c));
  const sum = (those: TestCall[]): Figures => ({
    calls: those.length,
    errors: those.filter((c) => ERRORS.has(c.outcome)).length,
    denied: those.filter((c) => c.outcome === 'denied').length,
    tokensEstimated: those.reduce((total, c) => total + Number(c.tokens_estimated), 0),
  });
  const groups = (key: (call: TestCall) => string): Record<string, Figures> => {
    const keys = [...new Set(calls.map(key))].sort();
    return Object.fromEntries(keys.map((one) => [one, sum(calls.filter((c) => key(c) === one))]));
  };
  return {
    totals: sum(calls),
    servers: groups((c) => c.server),
    tools: groups((c) => (c.tool === '' ? '' : `${c.server} ${String(c.tool)}`)),
    userServers: groups((c) => `${c.email} ${c.server}`),
    durationsMs: calls.map((c) => Number(c.duration) / 1e6).sort((a, b) => a - b),
  };
}

/** The summary in the same shape. */
function told(summary: UsageSummary) {
  const figures = ({ calls, errors, denied, tokensEstimated }: Figures): Figures => ({
    calls,
    errors,
    denied,
    tokensEstimated,
  });
  const sorted = (entries: [string, Figures][]): Record<string, Figures> =>
    Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  return {
    totals: figures(summary.totals),
    servers: sorted(summary.servers.map((row) => [row.server, figures(row)])),
    tools: sorted(summary.tools.map((row) => [`${row.server} ${row.tool}`, figures(row)])),
    userServers: sorted(summary.userServers.map((row) => [`${row.user?.email ?? ''} ${row.server}`, figures(row)])),
  };
}

function expectSame(summary: UsageSummary, expected: ReturnType<typeof counted>): void {
  const { durationsMs, tools, ...rest } = expected;
  delete tools[''];
  expect(told(summary)).toEqual({ ...rest, tools });
  for (const [name, share] of [
    ['p50Ms', 0.5],
    ['p95Ms', 0.95],
    ['p99Ms', 0.99],
  ] as const) {
    // between the neighbours of the rank, and within the width of a bucket
    const rank = share * durationsMs.length;
    const low = durationsMs[Math.max(0, Math.floor(rank) - 1)] ?? 0;
    const high = durationsMs[Math.min(durationsMs.length - 1, Math.ceil(rank))] ?? 0;
    expect(summary.totals[name] ?? 0).toBeGreaterThanOrEqual(low);
    expect(summary.totals[name] ?? 0).toBeLessThanOrEqual(high * BUCKET * 1.001);
  }
}

let store: TestStore;
let testApi: TestApi;
const asked: { sql: string; params: Readonly<Record<string, QueryParam>> }[] = [];

beforeAll(async () => {
  store = await startTestStore();
  // the test says when they run
  for (const view of ['usage_minute_refresh', 'usage_hour_refresh', 'usage_user_hour_refresh']) {
    await store.admin.command({ query: `SYSTEM STOP VIEW mcp.${view}` });
  }
  const watched: StoreReader = {
    query: (sql, params, options) => {
      asked.push({ sql, params });
      return store.reader.query(sql, params, options);
    },
  };
  testApi = startTestApi(watched, { wallMs: () => NOW_MS });
  await insertPrincipals(store, { 'ana@example.com': 'ana', 'bob@example.com': 'bob' });
  await insertCalls(store, CALLS);
});
afterAll(() => store.close());

async function refresh(): Promise<void> {
  for (const view of ['usage_minute_refresh', 'usage_hour_refresh', 'usage_user_hour_refresh']) {
    await store.admin.command({ query: `SYSTEM START VIEW mcp.${view}` });
    await store.admin.command({ query: `SYSTEM REFRESH VIEW mcp.${view}` });
    await store.admin.command({ query: `SYSTEM WAIT VIEW mcp.${view}` });
    await store.admin.command({ query: `SYSTEM STOP VIEW mcp.${view}` });
  }
}

async function summary(query = '', token = 'admin'): Promise<UsageSummary> {
  asked.length = 0;
  const answer = await testApi.get(`/api/v1/usage/summary?${query}`, token);
  expect(answer.status).toBe(200);
  return (await answer.json()) as UsageSummary;
}

const readRollup = (): boolean => asked.some(({ sql }) => sql.includes('mcp.usage_minute FINAL'));

describe('usage', () => {
  test('is right before the rollups ran for the first time', async () => {
    expectSame(await summary(), counted());
    expect(readRollup()).toBe(false);
  });

  test('is right from the rollups, which leave touched minutes to the calls', async () => {
    await refresh();
    const told = await summary();
    expectSame(told, counted());
    expect(readRollup()).toBe(true);
    expect(told.lagSeconds).toBe(0);
  });

  test('is right between two runs: late rows of old minutes, repeated rows, new rows', async () => {
    CALLS.push(makeCall(1001, 5 * HOUR_MS, Date.now()), makeCall(1003, 20 * HOUR_MS, Date.now()));
    CALLS.push(makeCall(1005, 10, Date.now()));
    await insertCalls(store, CALLS.slice(-3));
    await insertCalls(store, CALLS.slice(100, 200));
    const told = await summary();
    expectSame(told, counted());
    expect(readRollup()).toBe(true);
    expect(told.lagSeconds).toBeGreaterThan(0);
    expect(told.lagSeconds).toBeLessThan(60);
  });

  test('is right after the next run too', async () => {
    await refresh();
    expectSame(await summary(), counted());
  });

  test('counts a range that begins and ends within a minute to the nanosecond', async () => {
    const inRange = CALLS.filter((c) => c.kind === 'request').map((c) => c.startedNs);
    const [from, to] = [inRange[40], inRange[41]].sort() as [bigint, bigint];
    const iso = (ns: bigint): string => clickhouseTime(ns).replace(' ', 'T') + 'Z';
    const told = await summary(`from=${iso(from)}&to=${iso(to)}`);
    expectSame(
      told,
      counted((c) => c.startedNs >= from && c.startedNs < to)
    );
    expect([told.from, told.to]).toEqual([iso(from), iso(to)]);
  });

  test.each([
    ['server=github', (c: TestCall) => c.server === 'github'],
    ['tool=search&tool=read', (c: TestCall) => c.tool === 'search' || c.tool === 'read'],
    ['operation=tools/call', (c: TestCall) => c.operation === 'tools/call'],
    ['user=bob&server=files', (c: TestCall) => c.email === 'bob@example.com' && c.server === 'files'],
    ['from=now-3h&to=now-1h', (c: TestCall) => c.startedNs >= age(3) && c.startedNs < age(1)],
  ])('obeys %s', async (query, matches) => {
    expectSame(await summary(query), counted(matches));
  });

  test('of a request that is told again with another end counts it once, where it belongs', async () => {
    const again = makeCall(1007, 7 * HOUR_MS, Date.now());
    const told = { ...again, server: 'files', tool: 'told twice', kind: 'request', phase: 'closed', demo: false };
    const first = { ...told, outcome: 'interrupted', duration: 90_000_000_000 };
    const second = { ...told, outcome: 'success', duration: 5_000_000, seq: 2 };
    await insertCalls(store, [{ ...first, seq: 1 }]);
    await refresh();
    expect((await summary('tool=told twice')).totals).toMatchObject({ calls: 1, errors: 1 });
    await insertCalls(store, [second]);
    await refresh();
    const after = await summary('tool=told twice');
    expect(readRollup()).toBe(true);
    expect(after.totals).toMatchObject({ calls: 1, errors: 0, servers: 1 });
    CALLS.push(second);
    expectSame(await summary(), counted());
    for (const table of ['usage_minute', 'usage_hour', 'usage_user_hour']) {
      const sums = `SELECT toString(outcome) AS ended, toString(sum(calls)) AS n FROM mcp.${table} FINAL WHERE tool = 'told twice' GROUP BY ended ORDER BY ended`;
      const rows = await (await store.admin.query({ query: sums, format: 'JSONEachRow' })).json();
      expect({ table, rows }).toEqual({
        table,
        rows: [
          { ended: 'interrupted', n: '0' },
          { ended: 'success', n: '1' },
        ],
      });
    }
    const shown = `SELECT DISTINCT toString(outcome) AS ended FROM mcp.grafana_usage WHERE tool = 'told twice'`;
    expect(await (await store.admin.query({ query: shown, format: 'JSONEachRow' })).json()).toEqual([
      { ended: 'success' },
    ]);
  });

  /** A limit of hours lets everything through, but no rollup knows durations: so all is counted from the calls. */
  const FROM_CALLS = '&maxDurationMs=100000000';

  test.each(['', 'server=files&notTool=(none)&notOutcome=success'])(
    'says the same from rollups and from the calls, in every answer: %s',
    async (filter) => {
      const answer = async (path: string, query: string): Promise<unknown> => {
        const told = await testApi.get(`/api/v1/${path}?${query}`, 'admin');
        expect(told.status).toBe(200);
        return { ...((await told.json()) as Record<string, unknown>), lagSeconds: 0 };
      };
      for (const range of ['from=now-24h', 'from=now-7h&to=now-31m', 'from=now-40d']) {
        for (const path of ['summary', 'timeline', 'servers', 'tools', 'users', 'concurrency']) {
          const query = `${range}&${filter}`;
          const fromRollups = await answer(`usage/${path}`, query);
          expect(fromRollups, `${path} ${query}`).toEqual(await answer(`usage/${path}`, query + FROM_CALLS));
        }
        // the same requests over the audit log, which never reads a rollup
        const { buckets } = (await answer('usage/timeline', `${range}&${filter}&buckets=60`)) as { buckets: Bucket[] };
        const over = (await answer('timeline', `${range}&${filter}&buckets=60`)) as { buckets: RecordsBucket[] };
        const figures = ({ start, errors, p95Ms }: Omit<Bucket, 'calls'>) => ({ start, errors, p95Ms });
        expect(over.buckets.map((one) => ({ ...figures(one), calls: one.requests }))).toEqual(
          buckets.map((one) => ({ ...figures(one), calls: one.calls }))
        );
      }
    }
  );

  test('of the demo history stands alone', async () => {
    expectSame(
      await summary('demo=true'),
      counted(() => true, true)
    );
  });

  test('of a viewer is their own, and says so', async () => {
    const told = await summary('', 'viewer');
    expectSame(
      told,
      counted((c) => c.email === 'ana@example.com')
    );
    expect(told.scope).toBe('own');
    expect(told.totals.users).toBe(1);
    expect(asked.map(({ sql }) => sql).join()).not.toContain('usage_');
    expect(JSON.stringify(told)).not.toContain(userKey('bob@example.com'));
  });

  test('longer than the minutes are kept comes from the hours', async () => {
    expectSame(await summary('from=now-60d'), counted());
    expect(asked.some(({ sql }) => sql.includes('mcp.usage_hour FINAL'))).toBe(true);
  });

  test('that is cut says so, and the totals stay whole', async () => {
    const told = await summary('limit=1');
    expect(told.truncated).toEqual(['servers', 'userServers', 'tools']);
    expect([told.servers.length, told.userServers.length, told.tools.length]).toEqual([1, 1, 1]);
    expect(told.totals.calls).toBe(counted().totals.calls);
    expect(told.servers[0]?.calls).toBe(Math.max(...Object.values(counted().servers).map(({ calls }) => calls)));
    expect(told.servers[0]?.users).toBe(2);
  });

  test('of nothing is zero, not an error', async () => {
    const told = await summary('from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z');
    expect(told.totals).toMatchObject({ calls: 0, errorRate: 0, p50Ms: null, p95Ms: null, p99Ms: null, users: 0 });
    expect(told).toMatchObject({ servers: [], userServers: [], tools: [], truncated: [] });
  });
});

function age(hours: number): bigint {
  return BigInt(NOW_MS - hours * HOUR_MS) * NS;
}
