/** What estimated tokens cost, on the real engine, held against the rows themselves; and nothing of it without prices. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { globMatches } from '../../src/access/glob.ts';
import type {
  UsageClients,
  UsageOverTime,
  UsageServers,
  UsageSummary,
  UsageTools,
  UsageUsers,
} from '../../src/audit-api/contract.ts';
import type { TokenPrices } from '../../src/store/queries/token-cost.ts';
import type { TestApi, TestCall, TestStore } from './api-under-test.ts';
import { NS, callIdAt, insertCalls, insertPrincipals, startTestApi, startTestStore } from './api-under-test.ts';

const NOW_MS = Date.now();
const HOUR_MS = 3_600_000;
const SERVERS = ['docs', 'docs-eu', 'hr', 'a.b'];
/** what a pattern language could trip over */
const TOOLS = [
  '',
  'search',
  'search_all',
  'searchXall',
  '50%',
  '50 off',
  'back\\slash',
  "it's",
  'line\nbreak',
  'ümlaut',
];
const PEOPLE = ['ana@example.com', 'bob@example.com', ''];

const CALLS: TestCall[] = Array.from({ length: 400 }, (_, n) => {
  const ms = NOW_MS - 60_000 - ((n * 277_003) % (47 * HOUR_MS));
  return {
    call_id: callIdAt(ms),
    startedNs: BigInt(ms) * NS + BigInt(n),
    email: PEOPLE[n % PEOPLE.length] ?? '',
    server: SERVERS[n % SERVERS.length] ?? '',
    tool: TOOLS[Math.floor(n / 4) % TOOLS.length] ?? '',
    client_name: n % 2 === 0 ? 'cursor' : 'claude',
    tokens_estimated: 1000 + n * 37,
  };
});

const FLAT: TokenPrices = { currency: 'USD', perMillionTokens: 3, rules: [] };
const BY_SERVER: TokenPrices = {
  currency: 'EUR',
  perMillionTokens: 2.5,
  rules: [
    { server: 'docs*', tool: '*', perMillionTokens: 0.000001 },
    { server: 'hr', tool: '*', perMillionTokens: 0 },
  ],
};
const TOOL_PATTERNS = ['search', 'search_*', '50%', '*\\*', "it's", 'line*', '*ü*', '*', 'a_b', ''];
const BY_TOOL: TokenPrices = {
  currency: 'EUR',
  perMillionTokens: 1_000_000,
  rules: TOOL_PATTERNS.map((tool, index) => ({ server: index === 7 ? 'a.*' : '*', tool, perMillionTokens: index + 1 })),
};

let store: TestStore;
let testApi: TestApi;
let prices: TokenPrices | undefined;
beforeAll(async () => {
  store = await startTestStore();
  testApi = startTestApi(store.reader, { wallMs: () => NOW_MS, tokenPrices: () => prices });
  await insertPrincipals(store, { 'ana@example.com': 'ana', 'bob@example.com': 'bob' });
  await insertCalls(store, CALLS.slice(0, 300));
  for (const view of ['usage_minute_refresh', 'usage_hour_refresh', 'usage_user_hour_refresh']) {
    await store.admin.command({ query: `SYSTEM REFRESH VIEW mcp.${view}` });
    await store.admin.command({ query: `SYSTEM WAIT VIEW mcp.${view}` });
  }
  // the rest is counted from the calls, beside the rollups
  await insertCalls(store, CALLS.slice(300));
});
afterAll(() => store.close());

async function get<T>(path: string, token = 'admin'): Promise<T> {
  const answer = await testApi.get(`/api/v1/usage/${path}`, token);
  expect({ path, status: answer.status }).toEqual({ path, status: 200 });
  return (await answer.json()) as T;
}

/** Exact, in millionths of a millionth. */
function costOf(call: TestCall, { rules, perMillionTokens }: TokenPrices): bigint {
  const rule = rules.find((one) => globMatches(one.server, call.server) && globMatches(one.tool, String(call.tool)));
  return (
    BigInt(String(call.tokens_estimated)) * BigInt(Math.round((rule ?? { perMillionTokens }).perMillionTokens * 1e6))
  );
}
const sum = (calls: readonly TestCall[], of: TokenPrices): number =>
  Number(calls.reduce((all, call) => all + costOf(call, of), 0n)) / 1e12;
function grouped(key: (call: TestCall) => string, of: TokenPrices, calls = CALLS): Record<string, number> {
  const keys = [...new Set(calls.map(key))];
  return Object.fromEntries(
    keys.map((one) => [
      one,
      sum(
        calls.filter((call) => key(call) === one),
        of
      ),
    ])
  );
}
function told<Item extends { cost?: number | undefined }>(
  items: readonly Item[],
  key: (item: Item) => string
): Record<string, number | undefined> {
  return Object.fromEntries(items.map((item) => [key(item), item.cost]));
}

const ALL = 'from=now-60d';
const TABLES = ['servers', 'tools', 'users', 'clients'] as const;

describe.each([
  ['one price for all', FLAT],
  ['prices by server', BY_SERVER],
  ['prices by tool', BY_TOOL],
])('cost with %s', (_name, of) => {
  beforeAll(() => {
    prices = of;
  });

  test('is the same in the summary and in each table, over rollups and calls', async () => {
    const summary = await get<UsageSummary>(`summary?${ALL}&limit=100`);
    expect(summary).toMatchObject({ currency: of.currency, totals: { cost: sum(CALLS, of) } });
    const servers = grouped((call) => call.server, of);
    const tools = grouped(
      (call) => `${call.server} ${String(call.tool)}`,
      of,
      CALLS.filter(({ tool }) => tool !== '')
    );
    const users = grouped((call) => `${call.email} ${call.server}`, of);
    const toolName = (item: { server: string; tool: string }): string => `${item.server} ${item.tool}`;
    const userName = (item: UsageUsers['items'][number]): string => `${item.user?.email ?? ''} ${item.server}`;
    expect(told(summary.servers, (item) => item.server)).toEqual(servers);
    expect(told(summary.tools, toolName)).toEqual(tools);
    expect(told(summary.userServers, userName)).toEqual(users);

    const table = async <T>(name: (typeof TABLES)[number]): Promise<T> => {
      const answer = await get<T>(`${name}?${ALL}&limit=100`);
      expect(answer).toMatchObject({ currency: of.currency });
      return answer;
    };
    expect(told((await table<UsageServers>('servers')).items, (item) => item.server)).toEqual(servers);
    expect(told((await table<UsageTools>('tools')).items, toolName)).toEqual(tools);
    expect(told((await table<UsageUsers>('users')).items, userName)).toEqual(users);
    expect(told((await table<UsageClients>('clients')).items, (item) => item.client ?? '')).toEqual(
      grouped((call) => String(call.client_name), of)
    );
  });

  test('over time adds up to the totals; an empty bucket costs nothing', async () => {
    const chart = await get<UsageOverTime>('timeline?from=now-50h&compare=previous');
    expect(chart.currency).toBe(of.currency);
    const all = chart.buckets.reduce((cost, bucket) => cost + (bucket.cost ?? NaN), 0);
    expect(all).toBeCloseTo(sum(CALLS, of), 6);
    expect(chart.previous?.every(({ cost }) => cost === 0)).toBe(true);
  });

  test('of a viewer is of their own calls', async () => {
    const { totals } = await get<UsageSummary>(`summary?${ALL}`, 'viewer');
    expect(totals.cost).toBe(
      sum(
        CALLS.filter(({ email }) => email === 'ana@example.com'),
        of
      )
    );
  });
});

describe('cost', () => {
  test('of nothing is 0, of the period before too', async () => {
    prices = FLAT;
    const summary = await get<UsageSummary>(
      'summary?from=2020-01-02T00:00:00Z&to=2020-01-03T00:00:00Z&compare=previous'
    );
    expect([summary.totals.cost, summary.previous?.cost]).toEqual([0, 0]);
  });

  test('follows the prices of now: a changed price changes what past calls cost', async () => {
    prices = FLAT;
    const before = (await get<UsageSummary>(`summary?${ALL}`)).totals.cost;
    prices = { ...FLAT, perMillionTokens: 6 };
    expect((await get<UsageSummary>(`summary?${ALL}`)).totals.cost).toBe(2 * (before ?? NaN));
  });

  test.each(TABLES)('stands in the CSV of %s, at its end', async (table) => {
    prices = FLAT;
    const lines = async (): Promise<string[]> =>
      (await (await testApi.get(`/api/v1/usage/${table}?${ALL}&format=csv&tool=search`, 'admin')).text()).split('\r\n');
    const [header, first] = await lines();
    expect(header?.endsWith(',cost,currency')).toBe(true);
    expect(first).toMatch(/,\d+(\.\d+)?,"USD"$/);
    prices = undefined;
    expect((await lines())[0]).toBe(header?.replace(/,cost,currency$/, ''));
  });

  test('is left out where no price is configured', async () => {
    prices = undefined;
    for (const path of ['summary?compare=previous', 'timeline?compare=previous', ...TABLES]) {
      const text = JSON.stringify(await get(path));
      expect(text).not.toContain('"cost"');
      expect(text).not.toContain('"currency"');
    }
  });
});
