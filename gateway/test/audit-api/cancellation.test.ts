/** Readers who leave at any moment: their queries end, and the store goes on answering everybody else. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestStore } from './api-under-test.ts';
import { startTestStore } from './api-under-test.ts';

let store: TestStore;
beforeAll(async () => {
  store = await startTestStore();
});
afterAll(() => store.close());

test('hundreds of readers who leave take no place from those who stay', async () => {
  const leave = async (ms: number): Promise<void> => {
    const left = new AbortController();
    const asked = store.reader.query('SELECT number FROM numbers(1000)', {}, { signal: left.signal }).catch(() => []);
    await sleep(ms);
    left.abort();
    await asked;
  };
  for (let round = 0; round < 50; round++) {
    await Promise.all(Array.from({ length: 6 }, (_, n) => leave((round + n * 4) % 25)));
    const rows = await store.reader.query<{ n: string }>('SELECT count() AS n FROM mcp.calls FINAL', {}, {});
    expect(rows).toEqual([{ n: '0' }]);
  }
});

test('a reader who left before the query began has none run', async () => {
  await expect(store.reader.query('SELECT 1', {}, { signal: AbortSignal.abort() })).rejects.toThrow('aborted');
});
