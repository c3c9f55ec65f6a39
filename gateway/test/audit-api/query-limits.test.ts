/** Queries of the audit API at their limits, on the real engine: it gives up, and the answer says at which limit. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { guardStore } from '../../src/audit-api/guarded-store.ts';
import { silentLogger } from '../../src/logger.ts';
import type { StoreReader } from '../../src/store/queries/reader.ts';
import type { TestCall, TestStore } from './api-under-test.ts';
import { NS, callIdAt, insertCalls, startTestApi, startTestStore } from './api-under-test.ts';

const NOW_MS = Date.now();
const CALLS: TestCall[] = Array.from({ length: 20 }, (_, n) => {
  const ms = NOW_MS - 60_000 * (n + 1);
  return {
    call_id: callIdAt(ms),
    startedNs: BigInt(ms) * NS,
    email: 'ana@example.com',
    server: `server-${n}`,
    session_key: 'ab12',
  };
});

let store: TestStore;
beforeAll(async () => {
  store = await startTestStore();
  await insertCalls(store, CALLS);
});
afterAll(() => store.close());

/** The same queries with a limit that is reached at once. */
function tightened(setting: string, value: number): StoreReader {
  const limit = new RegExp(`${setting} = \\d+`, 'g');
  return {
    query: (sql, params, options) => {
      expect(sql).toMatch(limit);
      return store.reader.query(sql.replace(limit, `${setting} = ${value}`), params, options);
    },
  };
}

const COUNTING = [
  'facets',
  'timeline',
  'sessions',
  'usage/summary',
  'usage/timeline',
  'usage/servers',
  'usage/tools',
  'usage/users',
  'usage/clients',
  'usage/unused',
  'usage/concurrency',
];
const ROWS = ['rows', 'max_rows_to_read', 2] as const;
const MEMORY = ['memory', 'max_memory_usage', 1000] as const;

test.each([...COUNTING.map((path) => [path, ...ROWS] as const), ['usage/summary', ...MEMORY] as const])(
  '/%s is refused at the limit of %s, and never counts in part',
  async (path, limit, setting, value) => {
    const answer = await startTestApi(tightened(setting, value)).get(`/api/v1/${path}`, 'admin');
    expect(answer.status).toBe(422);
    const { error } = (await answer.json()) as { error: object };
    expect(error).toMatchObject({ code: 'too_large', limit, message: expect.stringMatching(/Narrow/) as string });
    expect(JSON.stringify(error)).not.toMatch(/SELECT|Code:|mcp\./);
  }
);

test.each([ROWS, MEMORY])('/calls says that it was cut, by the limit of %s', async (limit, setting, value) => {
  const answer = await startTestApi(tightened(setting, value)).get('/api/v1/calls', 'admin');
  const body = (await answer.json()) as { items?: object[]; cutBy?: string; error?: { limit: string } };
  expect(body.cutBy ?? body.error?.limit).toBe(limit);
  expect(body.items ?? []).toEqual([]);
});

test('the limit of time ends the query in the engine, and says so', async () => {
  const guarded = guardStore(store.reader, silentLogger);
  const sql = 'SELECT sum(sipHash64(number)) AS n FROM numbers(1000000000000) SETTINGS max_execution_time = 1';
  await expect(guarded.query(sql, {})).rejects.toMatchObject({ code: 'timeout', limit: 'time' });
});
