/** The live view over HTTP on the real engine: what arrives is told, in order, to whom it may be told, within limits. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Call } from '../../src/audit-api/contract.ts';
import type { AuditApiServer } from '../../src/audit-api/server.ts';
import { startAuditApiServer } from '../../src/audit-api/server.ts';
import type { TestApi, TestCall, TestStore } from './api-under-test.ts';
import { NS, callIdAt, insertCalls, startTestApi, startTestStore, userKey } from './api-under-test.ts';

let store: TestStore;
let testApi: TestApi;
let server: AuditApiServer;
beforeAll(async () => {
  store = await startTestStore();
  testApi = startTestApi(store.reader);
  server = await startAuditApiServer(testApi.api, { host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await server.close();
  await store.close();
});

function call(email: string, serverName: string, over: Record<string, unknown> = {}): TestCall {
  const ms = Date.now();
  return { call_id: callIdAt(ms), startedNs: BigInt(ms) * NS, email, server: serverName, ...over };
}

interface Event {
  readonly event: string;
  readonly data: string;
}

/** A live view, as an EventSource would read it. */
async function open(query: string, token: string) {
  const left = new AbortController();
  const answer = await fetch(`${server.url}/api/v1/tail${query}`, {
    headers: { Authorization: `Bearer ${token}` },
    signal: left.signal,
  });
  const events: Event[] = [];
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const field = (name: string): string =>
          block
            .split('\n')
            .find((line) => line.startsWith(`${name}: `))
            ?.slice(name.length + 2) ?? '';
        events.push({ event: field('event'), data: field('data') });
      }
    }
  };
  const reading = read().catch(() => undefined);
  const calls = (): Call[] =>
    events.filter(({ event }) => event === 'call').map(({ data }) => JSON.parse(data) as Call);
  await expect.poll(() => events[0]?.event, { timeout: 5000 }).toBe('ready');
  return { answer, events, calls, leave: async () => (left.abort(), reading) };
}

describe('the live view', () => {
  test('tells each call once as it arrives, and a stream again at its end', async () => {
    await insertCalls(store, [call('ana@example.com', 'before')]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const view = await open('?notServer=hr', 'admin');
    const stream = call('', 'sse', { kind: 'stream', tool: '', phase: 'open', outcome: '' });
    const first = call('ana@example.com', 'github');
    await insertCalls(store, [first, stream, call('bob@example.com', 'hr')]);
    await expect.poll(() => view.calls().length, { timeout: 10_000 }).toBe(2);
    await insertCalls(store, [first]);
    await insertCalls(store, [{ ...stream, phase: 'closed', outcome: 'success' }, call('bob@example.com', 'files')]);
    await expect.poll(() => view.calls().length, { timeout: 10_000 }).toBe(4);
    expect(view.calls().map((one) => [one.server, one.phase])).toEqual(
      expect.arrayContaining([
        ['github', 'closed'],
        ['sse', 'open'],
        ['sse', 'closed'],
        ['files', 'closed'],
      ])
    );
    await view.leave();
  });

  test('tells a viewer of nobody else', async () => {
    const view = await open('?notUser=ana@example.com', 'viewer');
    const own = await open('', 'viewer');
    await insertCalls(store, [call('bob@example.com', 'github'), call('', 'github'), call('ana@example.com', 'own')]);
    await expect.poll(() => own.calls().length, { timeout: 10_000 }).toBe(1);
    expect(own.calls()[0]).toMatchObject({ server: 'own', user: { key: userKey('ana@example.com') } });
    expect(view.calls()).toEqual([]);
    await Promise.all([view.leave(), own.leave()]);
  });

  test('begins where an earlier one ended', async () => {
    const since = new Date(Date.now() - 1).toISOString();
    const missed = call('ana@example.com', 'missed');
    await insertCalls(store, [missed]);
    const view = await open(`?since=${since}&server=missed`, 'admin');
    await expect.poll(() => view.calls().map(({ id }) => id), { timeout: 10_000 }).toEqual([missed.call_id]);
    await view.leave();
  });

  test('says how many it skipped in a flood, and goes on', async () => {
    const view = await open('?server=flood', 'admin');
    await insertCalls(
      store,
      Array.from({ length: 1000 }, () => call('ana@example.com', 'flood'))
    );
    await expect.poll(() => view.calls().length, { timeout: 10_000 }).toBe(200);
    expect(view.events.find(({ event }) => event === 'skipped')?.data).toBe('{"calls":800}');
    const next = call('ana@example.com', 'flood');
    await insertCalls(store, [next]);
    await expect.poll(() => view.calls().at(-1)?.id, { timeout: 10_000 }).toBe(next.call_id);
    expect(view.calls()).toHaveLength(201);
    await view.leave();
  });

  test('is given four times at once to one caller; one that ends makes room', async () => {
    const views = await Promise.all(Array.from({ length: 4 }, () => open('', 'auditor')));
    const fifth = await testApi.get('/api/v1/tail', 'auditor');
    expect(fifth.status).toBe(429);
    expect(await fifth.json()).toMatchObject({ error: { code: 'limit_reached' } });
    await views[0]?.leave();
    await expect
      .poll(
        async () => {
          const again = await testApi.get('/api/v1/tail', 'auditor');
          await again.body?.cancel();
          return again.status;
        },
        { timeout: 10_000 }
      )
      .toBe(200);
    await Promise.all(views.map((view) => view.leave()));
  });

  test.each(['since=yesterday', 'since=2026-02-30T00:00:00Z', 'limit=5', 'outcome=bad'])(
    'refuses %s',
    async (query) => {
      expect((await testApi.get(`/api/v1/tail?${query}`, 'admin')).status).toBe(400);
    }
  );
});
