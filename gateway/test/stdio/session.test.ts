/** Sessions: who may use one, how streams are opened and resumed, how sessions and their processes end. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { fixtureServer, isRunning, type BridgeServer } from './bridge-server.ts';
import { eventsOf, RawClient, readEvents, textOf } from './raw-client.ts';

let server: BridgeServer;

async function connect(mode?: string, options?: Parameters<typeof fixtureServer>[1]): Promise<RawClient> {
  server = await fixtureServer(mode, options);
  return another();
}

async function another(headers: Record<string, string> = {}, protocolVersion?: string): Promise<RawClient> {
  const client = new RawClient(server.url, headers);
  await client.initialize(protocolVersion);
  return client;
}

afterEach(async () => {
  await server.close();
  expect(server.observer.open).toEqual([]);
});

describe('a session', () => {
  it('is asked for: 400 without one, 404 for an unknown one, each recorded as an attempt', async () => {
    const client = await connect();
    const { sessionId } = client;
    client.sessionId = undefined;
    expect((await client.call('pid')).status).toBe(400);
    client.sessionId = '00000000-0000-4000-8000-000000000000';
    const unknown = await client.call('pid', {}, { id: 'u' });
    expect([unknown.status, unknown.messages[0]?.id]).toEqual([404, 'u']);
    expect((await client.open('GET')).status).toBe(404);
    expect((await client.open('DELETE')).status).toBe(404);
    expect(server.observer.of('attempt').map(({ end }) => end?.errorType)).toEqual([
      'invalid_request',
      'session_unknown',
      'session_unknown',
      'session_unknown',
    ]);
    client.sessionId = sessionId;
    expect((await client.call('pid')).status).toBe(200);
  });

  it('belongs to the caller that opened it: for others it does not exist', async () => {
    const client = await connect();
    const thief = new RawClient(server.url, { 'x-user': 'mallory' });
    thief.sessionId = client.sessionId;
    expect((await thief.call('pid')).status).toBe(404);
    expect((await thief.open('GET')).status).toBe(404);
    expect((await thief.open('DELETE')).status).toBe(404);
    expect(server.observer.of('attempt').map(({ end }) => `${end?.outcome} by ${end?.deniedBy}`)).toEqual(
      Array.from({ length: 3 }, () => 'denied by authentication')
    );
    expect((await client.call('pid')).status).toBe(200);
  });

  it('has a child of its own, whose messages no other session sees', async () => {
    const ana = await connect();
    const ben = await another({ 'x-user': 'ben' });
    const bensStream = await ben.open('GET');
    const pids = [textOf(await ana.call('pid')), textOf(await ben.call('pid'))];
    expect(new Set(pids).size).toBe(2);
    await ana.call('log', { label: 'of ana' });
    await ben.call('log', { label: 'of ben' });
    const [first] = await readEvents(bensStream, (events) => events.length > 0);
    expect(first?.data).toContain('of ben');
  });

  it('is initialized once, alone in its body', async () => {
    const client = await connect();
    expect((await client.initialize()).status).toBe(400);
    client.sessionId = undefined;
    const initialize = '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}';
    expect((await client.post(`[${initialize},{"jsonrpc":"2.0","id":2,"method":"ping"}]`)).status).toBe(400);
    expect(server.bridge.state().sessions).toBe(1);
  });

  it('takes the revisions it knows and the one it agreed on', async () => {
    const client = await connect();
    for (const version of ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25']) {
      expect((await client.post(ping(), { 'mcp-protocol-version': version })).status).toBe(200);
    }
    expect((await client.post(ping(), { 'mcp-protocol-version': '2026-07-28' })).status).toBe(400);
    const newer = await another({}, '2099-01-01');
    expect((await newer.post(ping(), { 'mcp-protocol-version': '2099-01-01' })).status).toBe(200);
  });

  it('ends with DELETE, and its child with it', async () => {
    const client = await connect();
    const pid = Number(textOf(await client.call('pid')));
    const waiting = client.call('silent', {}, { id: 'w' });
    await vi.waitFor(() => expect(server.observer.tool('silent')[0]?.started).toBe(true));
    expect((await client.open('DELETE')).status).toBe(200);
    expect((await waiting).messages[0]).toMatchObject({ id: 'w', error: { code: -32001 } });
    expect((await client.call('pid')).status).toBe(404);
    await vi.waitFor(async () => expect(await isRunning(pid)).toBe(false));
  });

  it('ends when nobody has used it for a while, but not while a stream is open', async () => {
    const client = await connect('normal', { limits: { idleMs: 500 } });
    const stream = await client.open('GET');
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect((await client.call('pid')).status).toBe(200);
    await stream.body?.cancel();
    await vi.waitFor(() => expect(server.bridge.state()).toMatchObject({ sessions: 0, pids: [] }), 5_000);
    expect((await client.call('pid')).status).toBe(404);
  });

  it('over the limit is refused, unless another is idle long enough to give way', async () => {
    const first = await connect('normal', { limits: { maxSessions: 2, yieldAfterMs: 100 } });
    const stream = await first.open('GET');
    const second = await another();
    await second.open('GET');
    expect((await new RawClient(server.url).initialize()).status).toBe(429);
    expect(server.observer.of('attempt')[0]?.end).toMatchObject({ outcome: 'denied', deniedBy: 'rate_limit' });
    await stream.body?.cancel();
    const third = new RawClient(server.url);
    await vi.waitFor(async () => expect((await third.initialize()).status).toBe(200), 5_000);
    expect((await first.call('pid')).status).toBe(404);
    expect((await second.call('pid')).status).toBe(200);
    expect((await third.call('pid')).status).toBe(200);
  });

  it('bounds the requests it has open', async () => {
    const client = await connect('normal', { limits: { maxOpenRequests: 3 } });
    const open = Array.from({ length: 3 }, () => client.call('slow', { ms: 300 }));
    await vi.waitFor(() => expect(server.observer.tool('slow')).toHaveLength(3));
    expect((await client.call('slow', { ms: 1 })).status).toBe(429);
    expect((await Promise.all(open)).map(({ status }) => status)).toEqual([200, 200, 200]);
  });
});

describe('the environment of a child', () => {
  it('has the usual few variables and its own, and none of the gateway', async () => {
    const inheritedEnv = { PATH: process.env.PATH, HOME: '/home/x', GATELENS_KEY: 'secret', SHELL: '() { :; }' };
    const client = await connect('normal', { inheritedEnv, env: { OWN: 'yes', HOME: '/own' } });
    const env = JSON.parse(textOf(await client.call('env'))) as Record<string, string>;
    expect(env).toMatchObject({ PATH: process.env.PATH, HOME: '/own', OWN: 'yes' });
    expect(Object.keys(env).toSorted()).toEqual(['HOME', 'OWN', 'PATH']);
  });
});

describe('Accept', () => {
  it.each([
    ['application/json', 'application/json'],
    ['text/event-stream', 'text/event-stream'],
    ['application/json, text/event-stream', 'application/json'],
    ['*/*', 'application/json'],
    ['Text/Event-Stream;q=0.5', 'text/event-stream'],
  ])('of %s is answered with %s', async (accept, type) => {
    const client = await connect();
    const answer = await client.post(ping(), { accept });
    expect([answer.status, answer.type]).toEqual([200, type]);
  });

  it('of something else gets 406', async () => {
    const client = await connect();
    expect((await client.post(ping(), { accept: 'text/html' })).status).toBe(406);
    expect((await client.open('GET', { accept: 'application/json' })).status).toBe(406);
  });
});

describe('streams', () => {
  it('of a GET: one at a time, recorded from open to close', async () => {
    const client = await connect();
    const stream = await client.open('GET');
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    expect((await client.open('GET')).status).toBe(409);
    await stream.body?.cancel();
    await vi.waitFor(() => expect(server.observer.of('stream')[0]?.end?.outcome).toBe('success'));
    expect((await client.open('GET')).status).toBe(200);
  });

  it('of a GET go on where the client lost it, with nothing twice and nothing missing', async () => {
    const client = await connect();
    const stream = await client.open('GET');
    for (const label of ['one', 'two']) await client.call('log', { label });
    const [seen] = await readEvents(stream, (events) => events.length >= 1);
    // The client saw one only; "three" comes while it is away.
    await vi.waitFor(() => expect(server.observer.of('stream')[0]?.end).toBeDefined());
    await client.post(
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'log', arguments: { label: 'three' } } },
      { accept: 'application/json' }
    );
    const resumed = await client.open('GET', { 'last-event-id': seen?.id ?? '' });
    const logged = client.call('log', { label: 'four' });
    const rest = await readEvents(resumed, (events) => events.length >= 3);
    await logged;
    const labels = [seen, ...rest].map((event) => /"data":"(\w+)"/.exec(event?.data ?? '')?.[1]);
    expect(labels).toEqual(['one', 'two', 'three', 'four']);
  });

  it('of a POST go on by GET, up to the response', async () => {
    const client = await connect();
    const response = await client.open('POST', {}, steps(8));
    const seen = await readEvents(response, (events) => events.length >= 3);
    const resumed = await client.open('GET', { 'last-event-id': seen.at(-1)?.id ?? '' });
    const rest = eventsOf(await resumed.text());
    const all = [...seen, ...rest].map(({ data }) => data).filter((data) => data !== '');
    expect(all.slice(0, -1).map((data) => /"progress":(\d+)/.exec(data)?.[1])).toEqual(
      ['1', '2', '3', '4', '5', '6', '7', '8'] // prettier-ignore
    );
    expect(all.at(-1)).toContain('"text":"done"');
    expect(server.observer.tool('steps')[0]?.end?.outcome).toBe('success');
  });

  it('of a POST can be resumed after the response was given, then there is nothing more', async () => {
    const client = await connect();
    const events = eventsOf((await client.post(steps(2))).text);
    const again = await client.open('GET', { 'last-event-id': events[0]?.id ?? '' });
    expect(eventsOf(await again.text())).toEqual(events.slice(1));
    expect((await client.open('GET', { 'last-event-id': events.at(-1)?.id ?? '' })).status).toBe(204);
  });

  it.each(['9-1', '0-99', 'x', '1', '-1-1', ''])('of an event id that was never given (%j) get 400', async (id) => {
    const client = await connect();
    expect((await client.open('GET', { 'last-event-id': id })).status).toBe(400);
  });

  it('begin with an event that can be resumed from, for revisions that know it', async () => {
    const client = await connect();
    expect((await client.post(ping(), { accept: 'text/event-stream' })).text).toMatch(/^id: 1-1\ndata: \n\n/);
    const older = await another({}, '2025-06-18');
    expect((await older.post(ping(), { accept: 'text/event-stream' })).text).toMatch(/^id: 1-1\ndata: {/);
  });
});

describe('close', () => {
  it('ends every process, also one that ignores it and what it started, and answers what is open', async () => {
    const client = await connect('stubborn');
    const pid = Number(textOf(await client.call('pid')));
    const grandchild = Number(textOf(await client.call('grandchild')));
    await client.open('GET');
    const waiting = client.call('silent', {}, { id: 'w' });
    await vi.waitFor(() => expect(server.observer.tool('silent')[0]?.started).toBe(true));
    const began = performance.now();
    await server.bridge.close();
    expect(performance.now() - began).toBeLessThan(4_000);
    expect([await isRunning(pid), await isRunning(grandchild)]).toEqual([false, false]);
    const answer = await waiting;
    expect([answer.status, answer.messages[0]?.id]).toEqual([503, 'w']);
    expect(server.observer.tool('silent')[0]?.end).toMatchObject({ errorType: 'shutting_down' });
    expect((await client.call('pid')).status).toBe(503);
    expect(server.bridge.state()).toMatchObject({ sessions: 0, pids: [] });
  });

  it('waits for sessions that were ending already', async () => {
    const client = await connect('stubborn');
    const pid = Number(textOf(await client.call('pid')));
    await client.open('DELETE');
    expect(server.bridge.state().pids).toEqual([pid]);
    await server.bridge.close();
    expect(await isRunning(pid)).toBe(false);
  });

  it('has a last resort that does not wait', async () => {
    const client = await connect('stubborn');
    const pid = Number(textOf(await client.call('pid')));
    server.bridge.killNow();
    await vi.waitFor(async () => expect(await isRunning(pid)).toBe(false));
  });
});

function ping(): string {
  return '{"jsonrpc":"2.0","id":1,"method":"ping"}';
}

function steps(count: number): string {
  const params = { name: 'steps', arguments: { steps: count, label: 'done' }, _meta: { progressToken: 't' } };
  return JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params });
}
