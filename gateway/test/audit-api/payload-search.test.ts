/**
 * Search in payloads over HTTP on the real engine and real seals: what it finds, for whom, within which limits, what the
 * access log has of it, and that it stops when nobody reads any more.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AccessEntry } from '../../src/record/access.ts';
import type { SearchEnd, SearchMatch, SearchStarted } from '../../src/audit-api/contract.ts';
import { startAuditApiServer } from '../../src/audit-api/server.ts';
import type { StoreReader } from '../../src/store/queries/reader.ts';
import type { TestApi, TestCall, TestStore } from './api-under-test.ts';
import { NS, callIdAt, insertCalls, insertPayload, startTestApi, startTestStore, userKey } from './api-under-test.ts';

const NOW_MS = Date.now();
const MARKER = 'Needle-5f1c';
const HOSTILE = '<img src=x onerror="alert(1)">\u001b[31m\u202e (a+)+$ ü\n';

interface Kept {
  readonly server: string;
  readonly request: string;
  readonly response: string;
  readonly email?: string;
}
/** Newest first. */
const KEPT: readonly Kept[] = [
  { server: 'github', request: JSON.stringify({ text: `x ${MARKER} y ${MARKER}` }), response: '{}' },
  { server: 'hr', request: '{}', response: JSON.stringify({ salary: MARKER.toUpperCase() }), email: 'bob@example.com' },
  { server: 'github', request: '{}', response: JSON.stringify({ said: HOSTILE }) },
  { server: 'github', request: '{"text":"\\u00fcber alles"}', response: '{}' },
  { server: 'github', request: '{"text":"nothing"}', response: '{"text":"at all"}' },
];
const calls: TestCall[] = KEPT.map(({ server, email = 'ana@example.com' }, index) => {
  const ms = NOW_MS - (index + 1) * 1000;
  return { call_id: callIdAt(ms), startedNs: BigInt(ms) * NS, email, server };
});
const idOf = (index: number): string => calls[index]?.call_id ?? '';

let store: TestStore;
beforeAll(async () => {
  store = await startTestStore();
  for (const [index, call] of calls.entries()) {
    const { request, response } = KEPT[index] ?? { request: '', response: '' };
    await insertCalls(store, [{ ...call, ...(await insertPayload(store, call, { request, response })) }]);
  }
});
afterAll(() => store.close());

function post(api: TestApi, body: unknown, token = 'auditor', query = ''): Promise<Response> {
  return Promise.resolve(
    api.api.request(`/api/v1/payload-search${query}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    })
  );
}

interface Answer {
  readonly started: SearchStarted;
  readonly matches: readonly SearchMatch[];
  readonly end: SearchEnd;
}

async function search(api: TestApi, body: unknown, token?: string, query?: string): Promise<Answer> {
  const answer = await post(api, body, token, query);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toContain('text/event-stream');
  const events = (await answer.text()).split('\n\n').flatMap((block) => {
    const [, event] = /^event: (.*)$/m.exec(block) ?? [];
    const [, data = 'null'] = /^data: (.*)$/m.exec(block) ?? [];
    return event === undefined ? [] : [{ event, data: JSON.parse(data) as unknown }];
  });
  const of = (name: string): unknown[] => events.filter(({ event }) => event === name).map(({ data }) => data);
  const [started] = of('started') as SearchStarted[];
  const [end] = of('end') as SearchEnd[];
  if (started === undefined || end === undefined) throw new Error('begins or ends without saying so');
  return { started, matches: of('match') as SearchMatch[], end };
}

const ids = ({ matches }: Answer): string[] => matches.map(({ call }) => call.id);
const recordedText = ({ recorded }: TestApi): string => JSON.stringify(recorded);

describe('an auditor', () => {
  test('finds a text in any case, newest first, with where it stands and what stands around it', async () => {
    const found = await search(startTestApi(store.reader), { text: MARKER.toLowerCase() });
    expect(ids(found)).toEqual([idOf(0), idOf(1)]);
    expect(found.matches[0]?.hits).toEqual([
      { direction: 'request', place: 'body', count: 2, snippet: KEPT[0]?.request },
    ]);
    expect(found.matches[1]?.hits).toMatchObject([{ direction: 'response', place: 'body', count: 1 }]);
    expect(found.end).toMatchObject({ reason: 'complete', calls: 5, matches: 2, unreadable: 0 });
    expect(found.started).toMatchObject({ servers: '*' });
  });

  test('finds it in header lines', async () => {
    const found = await search(startTestApi(store.reader), { text: 'x-direction: request', maxCalls: 1 });
    expect(found.matches[0]?.hits).toMatchObject([{ direction: 'request', place: 'headers', count: 1 }]);
  });

  test.each([
    ['markup', '<img src=x onerror="alert(1)">', 2],
    ['a pattern, as the text it is', '(a+)+$', 2],
    ['control and direction characters', '\u001b[31m\u202e', 2],
    ['a line break, as JSON writes it', '$ ü\n', 2],
    ['letters that JSON wrote as numbers', 'ÜBER', 3],
  ])('finds %s', async (_what, text, index) => {
    expect(ids(await search(startTestApi(store.reader), { text }))).toEqual([idOf(index)]);
  });

  test.each(['.*', '[a-z]+', '\\', '%', "' OR 1=1"])('takes %j for no pattern', async (text) => {
    const found = await search(startTestApi(store.reader), { text: `${text}${text}` });
    expect(ids(found)).toEqual([]);
  });

  test('obeys the filters of the list', async () => {
    const api = startTestApi(store.reader);
    const body = { text: MARKER };
    expect(ids(await search(api, body, 'auditor', '?user=bob@example.com'))).toEqual([idOf(1)]);
    expect(ids(await search(api, body, 'auditor', '?notServer=hr'))).toEqual([idOf(0)]);
    const to = new Date(NOW_MS - 3500).toISOString();
    expect(ids(await search(api, body, 'auditor', `?to=${to}`))).toEqual([]);
  });

  test('leaves in the access log that and what was read, before it was, and never the text', async () => {
    const api = startTestApi(store.reader);
    const { started } = await search(api, { text: MARKER });
    const { search: id } = started;
    const reading = (index: number, email: string) => ({
      action: 'payload.read',
      decision: 'allowed',
      targetCallId: idOf(index),
      targetUserKey: userKey(email),
      detail: { search: id },
    });
    expect(api.recorded[0]).toMatchObject({
      action: 'payload.search',
      decision: 'allowed',
      actorName: 'siem',
      detail: { search: id, step: 'begin', text_chars: MARKER.length, max_calls: 10_000 },
    });
    expect(api.recorded.slice(1, 3)).toEqual(
      expect.arrayContaining([
        expect.objectContaining(reading(0, 'ana@example.com')),
        expect.objectContaining(reading(1, 'bob@example.com')),
      ])
    );
    expect(api.recorded[3]).toMatchObject({
      action: 'payload.search',
      rows: 2,
      detail: { step: 'end', reason: 'complete' },
    });
    expect(recordedText(api)).not.toMatch(new RegExp(`${MARKER}|salary|@`, 'i'));
    // who has the key can tell whether it was this text; the same text looks the same, another one does not
    const digest = api.recorded[0]?.detail?.text_digest;
    const other = startTestApi(store.reader);
    await search(other, { text: `${MARKER}x` });
    expect(digest).toMatch(/^[0-9a-f]{32}$/);
    expect(other.recorded[0]?.detail?.text_digest).not.toBe(digest);
  });

  test('of one server searches its payloads and no others, and is told so', async () => {
    const api = startTestApi(store.reader);
    const found = await search(api, { text: MARKER }, 'auditor-of-github');
    expect(ids(found)).toEqual([idOf(0)]);
    expect(found.started.servers).toEqual(['github']);
    expect(found.end.calls).toBe(4);
    const both = await search(api, { text: MARKER }, 'auditor-of-github', '?server=hr&server=github');
    expect(ids(both)).toEqual([idOf(0)]);
    const refused = await post(api, { text: MARKER }, 'auditor-of-github', '?server=hr');
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ error: { reason: 'other_server' } });
    expect(api.recorded.at(-1)).toMatchObject({ action: 'payload.search', decision: 'refused', targetServer: 'hr' });
  });
});

describe('whoever is no auditor', () => {
  test.each(['viewer', 'admin'])(
    'is refused as %s, whether the text is there or not, and that is recorded',
    async (who) => {
      const api = startTestApi(store.reader);
      const there = await post(api, { text: MARKER }, who);
      const notThere = await post(api, { text: 'not-there-at-all' }, who);
      expect([there.status, notThere.status]).toEqual([403, 403]);
      expect(await there.text()).toBe(await notThere.text());
      expect(api.recorded).toMatchObject([
        { action: 'payload.search', decision: 'refused', reason: 'not_auditor' },
        { action: 'payload.search', decision: 'refused', reason: 'not_auditor' },
      ]);
      expect(recordedText(api)).not.toContain(MARKER);
    }
  );
});

describe('limits', () => {
  test('of calls end it, and it says how far it came', async () => {
    const found = await search(startTestApi(store.reader), { text: MARKER, maxCalls: 1 });
    expect(found.end).toMatchObject({ reason: 'calls', calls: 1, matches: 1 });
    expect(Date.parse(found.end.searchedTo ?? '')).toBe(NOW_MS - 1000);
  });

  test('of time end it between two payloads', async () => {
    let nowMs = 0;
    const api = startTestApi(store.reader, { monotonicMs: () => (nowMs += 9000) });
    const found = await search(api, { text: MARKER });
    expect(found.end.reason).toBe('seconds');
    expect(found.end.calls).toBeLessThan(5);
  });

  test.each([
    [{ text: 'x' }, 'text'],
    [{ text: 'x'.repeat(201) }, 'text'],
    [{ text: MARKER, maxCalls: 100_000 }, 'maxCalls'],
    [{ text: MARKER, pattern: true }, 'pattern'],
    [{}, 'text'],
    [[MARKER], 'query'],
  ])('refuse %j', async (body, field) => {
    const answer = await post(startTestApi(store.reader), body);
    expect(answer.status).toBe(400);
    const text = await answer.text();
    expect(JSON.parse(text)).toMatchObject({ error: { fields: [{ field }] } });
    expect(text).not.toContain(MARKER);
  });

  test('let one caller search once at a time', async () => {
    const gate = Promise.withResolvers<undefined>();
    const api = startTestApi(store.reader, {
      record: async ({ action }) => (action === 'payload.read' ? gate.promise : undefined),
    });
    const first = await post(api, { text: MARKER });
    const second = await post(api, { text: MARKER });
    expect(second.status).toBe(429);
    gate.resolve(undefined);
    await first.text();
    expect((await search(api, { text: MARKER })).matches).toHaveLength(2);
  });
});

describe('what goes wrong', () => {
  test('no record, no search: not one payload is asked for', async () => {
    const asked: string[] = [];
    const watched: StoreReader = {
      query: async (sql, ...rest) => {
        asked.push(sql);
        return store.reader.query(sql, ...rest);
      },
    };
    const api = startTestApi(watched, { record: () => Promise.reject(new Error('disk full')) });
    const answer = await post(api, { text: MARKER });
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ error: { code: 'not_recorded' } });
    expect(asked.filter((sql) => sql.includes('payload_events'))).toEqual([]);
  });

  test('a reading that cannot be recorded is not told', async () => {
    const record = ({ action }: AccessEntry): Promise<void> =>
      action === 'payload.read' ? Promise.reject(new Error('disk full')) : Promise.resolve();
    const found = await search(startTestApi(store.reader, { record }), { text: MARKER });
    expect(found.matches).toEqual([]);
    expect(found.end.reason).toBe('not_recorded');
  });

  test('a payload that was changed, or whose key is gone, is counted and not opened', async () => {
    const ms = NOW_MS - 500;
    const lost: TestCall = {
      call_id: callIdAt(ms),
      startedNs: BigInt(ms) * NS,
      email: 'eve@example.com',
      server: 'lost',
    };
    const columns = await insertPayload(store, lost, { request: MARKER, response: MARKER });
    await insertCalls(store, [{ ...lost, ...columns, request_sha256: 'f'.repeat(64) }]);
    const values = [{ key_id: 'x', subject: '', gateway: 'gw', epoch: '', kek_id: '', wrapped: '', version: 1 }];
    const [key] = await store.reader.query<{ key_id: string }>(
      'SELECT key_id FROM mcp_protected.data_keys WHERE subject = {subject:String}',
      { subject: userKey('eve@example.com') }
    );
    await store.admin.insert({
      table: 'mcp_protected.data_keys',
      format: 'JSONEachRow',
      values: values.map((row) => ({ ...row, key_id: key?.key_id, destroyed_at: '2026-11-01 00:00:00.000' })),
    });
    const found = await search(startTestApi(store.reader), { text: MARKER }, 'auditor', '?server=lost');
    expect(found.end).toMatchObject({ reason: 'complete', calls: 1, matches: 0, unreadable: 2 });
  });

  test('who leaves stops it: the query in the store ends, nothing more is read, and the end is recorded', async () => {
    const asked = Promise.withResolvers<undefined>();
    const cancelled = Promise.withResolvers<undefined>();
    let events = 0;
    const slow: StoreReader = {
      query: (sql, params, options) => {
        if (!sql.includes('payload_events')) return store.reader.query(sql, params, options);
        events += 1;
        asked.resolve(undefined);
        return new Promise((_resolve, reject) => {
          options?.signal?.addEventListener('abort', () => {
            cancelled.resolve(undefined);
            reject(new DOMException('aborted', 'AbortError'));
          });
        });
      },
    };
    const api = startTestApi(slow);
    const server = await startAuditApiServer(api.api, { host: '127.0.0.1', port: 0 });
    const leave = new AbortController();
    const reading = fetch(`${server.url}/api/v1/payload-search`, {
      method: 'POST',
      headers: { Authorization: 'Bearer auditor', 'Content-Type': 'application/json' },
      body: JSON.stringify({ text: MARKER }),
      signal: leave.signal,
    })
      .then((answer) => answer.text())
      .catch(() => 'left');
    await asked.promise;
    leave.abort();
    expect(await reading).toBe('left');
    await cancelled.promise;
    await expect
      .poll(() => api.recorded.at(-1)?.detail, { timeout: 10_000 })
      .toMatchObject({ step: 'end', reason: 'left' });
    expect(events).toBe(1);
    await server.close();
  });
});
