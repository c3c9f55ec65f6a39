/** The stateless era (2026-07-28) before a stdio server: one process for all clients, and none of them meets another. */
import { connect as connectTcp } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { isRunning, serveBridge, type BridgeServer } from './bridge-server.ts';
import { eventsOf, readEvents, textOf, type RawAnswer } from './raw-client.ts';
import { StatelessClient, VERSION } from './stateless-client.ts';

const FIXTURE = fileURLToPath(new URL('../fixtures/stateless-stdio-server.ts', import.meta.url));
const SESSION_FIXTURE = fileURLToPath(new URL('../fixtures/stdio-server.ts', import.meta.url));
const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';
const WANTS_LOGS = { 'io.modelcontextprotocol/logLevel': 'info' };

let server: BridgeServer;

async function connect(mode = 'normal', options: Partial<Parameters<typeof serveBridge>[0]> = {}) {
  server = await serveBridge({ command: process.execPath, args: [FIXTURE, mode], ...options });
  return new StatelessClient(server.url);
}

function errorOf(answer: RawAnswer) {
  const [message] = answer.messages;
  return { status: answer.status, id: message?.id, code: message?.error?.code };
}

async function seen(client: StatelessClient) {
  return JSON.parse(textOf(await client.call('seen'))) as Record<'cancelled' | 'notified', unknown[]> & {
    listening: number;
  };
}

afterEach(async () => {
  await server.close();
  expect(server.observer.open).toEqual([]);
  expect(server.logs.join()).not.toContain('SECRET');
});

describe('a request', () => {
  it('goes to the server as it came, but for its id, its token and the trace', async () => {
    const client = await connect();
    const answer = await client.call('raw', { n: 1.5 }, { id: 'one', meta: { progressToken: 'p' } });
    const line = JSON.parse(Buffer.from(textOf(answer), 'base64').toString()) as {
      id: unknown;
      params: { _meta: Record<string, unknown> };
    };
    expect([answer.status, answer.type, answer.messages[0]?.id]).toEqual([200, 'application/json', 'one']);
    expect(typeof line.id).toBe('number');
    expect(line.params).toMatchObject({
      name: 'raw',
      arguments: { n: 1.5 },
      _meta: {
        'io.modelcontextprotocol/protocolVersion': VERSION,
        'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
        progressToken: line.id,
      },
    });
    expect(line.params._meta.traceparent).toMatch(/^00-a/);
    expect(answer.sessionId).toBeNull();
    const [record] = server.observer.tool('raw');
    expect(record?.start).toMatchObject({
      kind: 'request',
      upstreamTransport: 'stdio',
      protocolVersion: VERSION,
      client: { name: 'raw', version: '1' },
    });
    expect(record?.end).toMatchObject({ outcome: 'success', httpStatus: 200 });
  });

  it('and all others share one process, which is asked for its era and its tools once', async () => {
    const client = await connect();
    const others = ['ben', 'eva'].map((user) => new StatelessClient(server.url, user));
    const pids = await Promise.all([client, client, ...others].map(async (one) => textOf(await one.call('pid'))));
    expect(new Set(pids).size).toBe(1);
    expect(server.bridge.state()).toMatchObject({ childrenStarted: 1, sessions: 0, pids: [Number(pids[0])] });
    expect(server.observer.calls.map(({ start }) => start.method)).toEqual(pids.map(() => 'tools/call'));
  });

  it.each([
    [-32601, 404],
    [-32020, 400],
    [-32021, 400],
    [-32022, 400],
    [-32602, 200],
    [-32603, 200],
    [7, 200],
  ])('that the server answers with %d has status %d', async (code, status) => {
    const client = await connect();
    expect(errorOf(await client.call('fail', { code }, { id: 'x' }))).toEqual({ status, id: 'x', code });
    expect(server.observer.tool('fail')[0]?.end).toMatchObject({ outcome: 'rpc_error', httpStatus: status });
  });

  it('for the removed initialize gets what the server says', async () => {
    const client = await connect();
    expect(errorOf(await client.ask('initialize', {}, { id: 1 }))).toEqual({ status: 404, id: 1, code: -32601 });
  });
});

describe('what an HTTP server would refuse', () => {
  const meta = (key: string) => ({ meta: { [`io.modelcontextprotocol/${key}`]: undefined } });
  const args = { region: 'Hello', limits: { rows: 42 } };
  const right = { 'mcp-param-region': 'Hello', 'mcp-param-rows': '42' };

  it.each<[string, number, object]>([
    ['no version in _meta', -32602, meta('protocolVersion')],
    ['a version that is no text', -32602, { meta: { 'io.modelcontextprotocol/protocolVersion': 7 } }],
    ['no capabilities', -32602, meta('clientCapabilities')],
    ['capabilities that are none', -32602, { meta: { 'io.modelcontextprotocol/clientCapabilities': [] } }],
    ['another version in the header', -32020, { headers: { 'mcp-protocol-version': '2025-11-25' } }],
    ['no version in the header', -32020, { headers: { 'mcp-protocol-version': undefined } }],
    ['no method in the header', -32020, { headers: { 'mcp-method': undefined } }],
    ['no name in the header', -32020, { headers: { 'mcp-name': undefined } }],
    ['a name that is not Base64', -32020, { headers: { 'mcp-name': '=?base64?cmF3!?=' } }],
    ['Base64 without padding', -32020, { headers: { 'mcp-name': '=?base64?cmF3MQ?=' } }],
    [
      'a version that nobody speaks',
      -32022,
      {
        meta: { 'io.modelcontextprotocol/protocolVersion': '2031-01-01' },
        headers: { 'mcp-protocol-version': '2031-01-01' },
      },
    ],
  ])('%s is %d, with the id, and recorded', async (_, code, more) => {
    const client = await connect();
    const answer = await client.call('raw', {}, { id: 'my', ...more });
    expect(errorOf(answer)).toEqual({ status: 400, id: 'my', code });
    const [attempt] = server.observer.of('attempt');
    expect(attempt?.end).toMatchObject({ outcome: 'rpc_error', rpcErrorCode: code, httpStatus: 400 });
    if (code === -32022) {
      expect(answer.messages[0]?.error).toMatchObject({ data: { supported: [VERSION], requested: '2031-01-01' } });
    }
  });

  it.each<[string, object, Record<string, string | undefined>, number]>([
    ['right headers', args, right, 200],
    ['Base64', args, { ...right, 'mcp-param-region': '=?base64?SGVsbG8=?=' }, 200],
    ['an integer in another form', args, { ...right, 'mcp-param-rows': '42.0' }, 200],
    ['no value, no header', { region: null }, {}, 200],
    ['a header without a value', {}, right, 200],
    ['a missing header', args, { ...right, 'mcp-param-rows': undefined }, 400],
    ['another value', args, { ...right, 'mcp-param-region': 'hello' }, 400],
    ['wrong Base64', args, { ...right, 'mcp-param-region': '=?base64?SGVsbG8?=' }, 400],
  ])('arguments that headers repeat: %s', async (_, given, headers, status) => {
    const client = await connect();
    const answer = await client.call('region', given, { headers });
    expect(answer.status).toBe(status);
    if (status === 400) expect(errorOf(answer).code).toBe(-32020);
  });

  it('follows the list of tools when it changes', async () => {
    const client = await connect();
    await client.call('change');
    expect((await client.call('region', { region: 'a' }, { headers: { 'mcp-param-region': 'a' } })).status).toBe(200);
    await client.ask('tools/list', { cursor: 'p"2' });
    expect((await client.call('region', { region: 'a' }, { headers: { 'mcp-param-region': 'a' } })).status).toBe(400);
    expect((await client.call('region', { region: 'a' }, { headers: { 'mcp-param-zone': 'a' } })).status).toBe(200);
  });

  it('arrays, responses, GET and DELETE', async () => {
    const client = await connect();
    const headers = { 'mcp-protocol-version': VERSION };
    const message = { jsonrpc: '2.0', id: 1, method: 'ping', params: {} };
    expect(errorOf(await client.post([message, message], headers))).toMatchObject({ status: 400, code: -32600 });
    expect(errorOf(await client.post({ jsonrpc: '2.0', id: 1, result: {} }, headers)).code).toBe(-32600);
    expect(errorOf(await client.post(message, headers))).toEqual({ status: 400, id: 1, code: -32602 });
    for (const method of ['GET', 'DELETE']) {
      const answer = await client.method(method, headers);
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
    }
    expect(server.bridge.state().childrenStarted).toBe(0);
  });
});

describe('a notification', () => {
  const custom = (meta: object) => ({ jsonrpc: '2.0', method: 'notifications/custom', params: { a: 1, ...meta } });
  const _meta = { 'io.modelcontextprotocol/protocolVersion': VERSION };

  it('passes when it says its version; without, it could make the server change its era', async () => {
    const client = await connect();
    const headers = { 'mcp-protocol-version': VERSION };
    expect((await client.post(custom({ _meta }), headers)).status).toBe(202);
    expect((await client.post(custom({}), headers)).status).toBe(400);
    expect((await seen(client)).notified).toEqual([{ a: 1, _meta }]);
    expect(server.observer.of('notification')).toHaveLength(1);
  });

  it('cannot cancel, since the id could be another client’s', async () => {
    const client = await connect();
    const waiting = client.call('slow', { ms: 300, label: 'done' }, { id: 1 });
    const mallory = new StatelessClient(server.url, 'mallory');
    await vi.waitFor(() => expect(server.observer.tool('slow')).toHaveLength(1));
    for (const requestId of [1, 2, 3, 4]) {
      const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId, _meta } };
      expect((await mallory.post(cancel, { 'mcp-protocol-version': VERSION })).status).toBe(202);
    }
    expect(textOf(await waiting)).toBe('done');
    expect((await seen(client)).cancelled).toEqual([]);
  });
});

describe('many clients', () => {
  it('get their own progress, whatever ids and tokens the others use', async () => {
    await connect();
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const client = new StatelessClient(server.url, `user-${index % 5}`);
        return client.call('steps', { steps: 5, label: `l${index}` }, { id: 1, meta: { progressToken: 'same' } });
      })
    );
    for (const [index, answer] of answers.entries()) {
      const notes = answer.messages.slice(0, -1).map(({ params }) => params);
      expect(notes).toEqual(
        [1, 2, 3, 4, 5].map((progress) => ({ progressToken: 'same', progress, message: `l${index}` }))
      );
      expect([answer.messages.at(-1)?.id, textOf(answer)]).toEqual([1, `l${index}`]);
      // streams of this era cannot be resumed
      expect(eventsOf(answer.text).every(({ id }) => id === '')).toBe(true);
    }
    const notifications = server.observer.of('notification', 'notifications/progress');
    expect(notifications).toHaveLength(250);
    expect(new Set(notifications.map(({ start }) => start.parentCallId)).size).toBe(50);
  });

  it('get a log message when it can only be theirs', async () => {
    const client = await connect();
    const quiet = client.call('slow', { ms: 200, label: 'q' });
    const alone = await client.call('log', { label: 'mine', ms: 50 }, { meta: WANTS_LOGS });
    expect(alone.messages[0]?.params).toEqual({ level: 'info', data: 'mine' });
    await quiet;
    // two that want them: it could be either's
    const leaving = new AbortController();
    const silent = client.call('silent', {}, { meta: WANTS_LOGS, signal: leaving.signal }).catch(() => undefined);
    await vi.waitFor(() => expect(server.observer.tool('silent').filter((one) => one.started)).toHaveLength(1), {
      timeout: 20_000,
    });
    const ben = new StatelessClient(server.url, 'ben');
    const answer = await ben.call('log', { label: 'ben', ms: 0 }, { meta: WANTS_LOGS });
    expect(answer.messages.map(({ method }) => method)).toEqual([undefined]);
    expect(server.bridge.state().unrelatedNotifications).toBe(1);
    leaving.abort();
    await silent;
  });

  it('may each have so many requests open, and leave the others theirs', async () => {
    const client = await connect('normal', { limits: { maxOpenRequests: 2 } });
    const open = [1, 2].map((id) => client.call('slow', { ms: 400, label: 'ok' }, { id }));
    await vi.waitFor(() => expect(server.observer.tool('slow')).toHaveLength(2));
    expect((await client.call('pid')).status).toBe(429);
    expect((await new StatelessClient(server.url, 'ben').call('pid')).status).toBe(200);
    expect((await Promise.all(open)).map(textOf)).toEqual(['ok', 'ok']);
    expect((await client.call('pid')).status).toBe(200);
  });

  it('do not wait long for one that does not read', async () => {
    const client = await connect('normal', { limits: { maxQueuedBytes: 200_000 } });
    await client.call('pid');
    const slow = await unread(server.url, { events: 400, bytes: 50_000 });
    await vi.waitFor(() => expect(server.observer.tool('flood')).toHaveLength(1));
    const started = performance.now();
    expect((await client.call('pid')).status).toBe(200);
    expect(performance.now() - started).toBeLessThan(15_000);
    await slow.closed;
    await vi.waitFor(() => expect(server.observer.tool('flood')[0]?.end?.outcome).toBe('cancelled'));
  });
});

describe('a client that disconnects', () => {
  it('has cancelled its request, and no other', async () => {
    const client = await connect();
    const ben = new StatelessClient(server.url, 'ben');
    const other = ben.call('slow', { ms: 400, label: 'ben' }, { id: 1 });
    const leaving = new AbortController();
    const left = client.call('silent', {}, { id: 1, signal: leaving.signal }).catch(() => 'left');
    await vi.waitFor(() => expect(server.observer.tool('silent')[0]?.started).toBe(true));
    leaving.abort();
    expect(await left).toBe('left');
    await vi.waitFor(async () => expect((await seen(client)).cancelled).toHaveLength(1));
    expect(server.observer.tool('silent')[0]?.end).toMatchObject({ outcome: 'cancelled', errorType: 'client_gone' });
    expect(textOf(await other)).toBe('ben');
  });
});

describe('listening', () => {
  const listen = (client: StatelessClient, id: number | string, signal?: AbortSignal) =>
    client.open('subscriptions/listen', { notifications: {} }, { id, ...(signal === undefined ? {} : { signal }) });
  const idsOf = (events: readonly { readonly data: string }[]) =>
    events.map(({ data }) => {
      const { method, params } = JSON.parse(data) as { method?: string; params?: { _meta?: Record<string, unknown> } };
      return [method?.split('/').slice(1).join('/'), params?._meta?.[SUBSCRIPTION]];
    });

  it('reaches each listener under its own id, the acknowledgement first', async () => {
    const client = await connect();
    const ben = new StatelessClient(server.url, 'ben');
    const streams = [await listen(client, 'same'), await listen(ben, 'same'), await listen(client, 7)];
    await client.call('change');
    const heard = await Promise.all(streams.map((stream) => readEvents(stream, (events) => events.length >= 2)));
    expect(heard.map(idsOf)).toEqual(
      ['same', 'same', 7].map((id) => [
        ['subscriptions/acknowledged', id],
        ['tools/list_changed', id],
      ])
    );
    expect(streams.map((stream) => [stream.status, stream.headers.get('x-accel-buffering')])).toEqual(
      streams.map(() => [200, 'no'])
    );
    await vi.waitFor(async () => expect((await seen(client)).listening).toBe(0));
  });

  it.each(['response', 'cancellation'])('ends when the server ends it by %s', async (by) => {
    const client = await connect();
    const stream = await listen(client, 'mine');
    const ended = client.call('end-listening', { by });
    const events = await readEvents(stream, () => false);
    await ended;
    const last = JSON.parse(events.at(-1)?.data ?? '') as Record<string, unknown>;
    expect(last).toMatchObject(
      by === 'response'
        ? { id: 'mine', result: { _meta: { [SUBSCRIPTION]: 'mine' } } }
        : { method: 'notifications/cancelled', params: { requestId: 'mine' } }
    );
    expect(server.observer.of('stream', 'subscriptions/listen')[0]?.end?.outcome).toBe('success');
  });

  it('has no time limit, and needs a stream', async () => {
    const client = await connect('normal', { limits: { requestTimeoutMs: 50 } });
    const stream = await listen(client, 1);
    expect((await client.call('silent')).status).toBe(504);
    await client.call('change');
    expect(await readEvents(stream, (events) => events.length >= 2)).toHaveLength(2);
    const json = await client.ask('subscriptions/listen', {}, { headers: { accept: 'application/json' } });
    expect(json.status).toBe(406);
  });
});

describe('the process', () => {
  it('that ends answers what is open, and the next request starts another', async () => {
    const client = await connect();
    const first = textOf(await client.call('pid'));
    const stream = await client.open('subscriptions/listen', { notifications: {} });
    const waiting = client.call('silent', {}, { id: 'w' });
    await vi.waitFor(() => expect(server.observer.tool('silent')[0]?.started).toBe(true));
    expect((await client.call('die')).status).toBe(502);
    const failed = await waiting;
    expect(errorOf(failed)).toMatchObject({ status: 502, id: 'w' });
    expect(failed.messages[0]?.error?.message).toMatch(/exit code 3.*Send the request again/);
    expect((await readEvents(stream, () => false)).at(-1)?.data).toContain('"error"');
    const second = textOf(await client.call('pid'));
    expect(second).not.toBe(first);
    expect(server.bridge.state()).toMatchObject({ childrenStarted: 2, childrenLost: 1 });
  });

  it('ends when it is idle, and comes back', async () => {
    const client = await connect('normal', { limits: { idleMs: 200 } });
    const pid = Number(textOf(await client.call('pid')));
    await vi.waitFor(async () => expect(await isRunning(pid)).toBe(false), { timeout: 5_000 });
    expect(Number(textOf(await client.call('pid')))).not.toBe(pid);
  });

  it('may not ask; what it asks reaches nobody', async () => {
    const client = await connect();
    expect((await client.call('ask')).messages).toHaveLength(1);
    expect(server.bridge.state().forbiddenQuestions).toBe(1);
  });

  it('that cannot be started is explained, and not tried for ever', async () => {
    const client = await connect('', { command: '/nonexistent/server' });
    const answers: number[] = [];
    for (let attempt = 0; attempt < 5; attempt += 1) answers.push((await client.call('pid')).status);
    expect(answers).toEqual([502, 502, 502, 502, 502]);
    expect(server.bridge.state()).toMatchObject({ childrenStarted: 3, startFailures: 3 });
    expect(server.observer.of('attempt').map(({ end }) => end?.outcome)).toEqual(
      answers.map(() => 'upstream_unreachable')
    );
  });

  it('gets nothing that cannot be recorded', async () => {
    const client = await connect();
    await client.call('pid');
    server.observer.refuses = (start) => start.target?.name === 'steps';
    expect((await client.call('steps', { steps: 3 }, { meta: { progressToken: 1 } })).status).toBe(503);
    server.observer.refuses = (start, phase) => start.target?.name === 'raw' && phase === 'end';
    const lost = await client.call('raw');
    expect([lost.status, lost.messages[0]?.result]).toEqual([503, undefined]);
  });
});

describe('a server of an earlier era', () => {
  const unsupported = {
    code: -32022,
    data: { supported: ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'], requested: VERSION },
  };

  it.each(['sessions', 'odd', 'die'])(
    'that answers discovery with “%s” is named as one, once and for all',
    async (mode) => {
      const client = await connect(mode);
      const answers = await Promise.all([1, 2, 3].map((id) => client.call('pid', {}, { id })));
      answers.push(await client.call('pid', {}, { id: 4 }));
      expect(answers.map(errorOf)).toEqual([1, 2, 3, 4].map((id) => ({ status: 400, id, code: -32022 })));
      expect(answers[0]?.messages[0]?.error).toMatchObject(unsupported);
      expect(server.bridge.state().childrenStarted).toBe(1);
      await vi.waitFor(() => expect(server.bridge.state().pids).toEqual([]));
    }
  );

  it('that stays silent is taken for one, and its sessions work', async () => {
    server = await serveBridge({
      command: process.execPath,
      args: [SESSION_FIXTURE],
      limits: { startTimeoutMs: 1_000 },
    });
    const client = new StatelessClient(server.url);
    const answer = await client.ask('server/discover');
    expect(answer.messages[0]?.error).toMatchObject(unsupported);
    expect(answer.messages[0]?.error?.message).toContain('did not answer');
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } };
    const opened = await client.post({ jsonrpc: '2.0', id: 1, method: 'initialize', params });
    expect([opened.status, typeof opened.sessionId]).toEqual([200, 'string']);
  });

  it('or of a later one names its own', async () => {
    const client = await connect('newer');
    expect((await client.call('pid')).messages[0]?.error).toMatchObject({
      code: -32022,
      data: { supported: ['2027-01-01'], requested: VERSION },
    });
  });
});

/** Asks for a flood of events and reads none of them. */
async function unread(url: string, args: object): Promise<{ readonly closed: Promise<void> }> {
  const { hostname, port, pathname } = new URL(url);
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': VERSION,
    'io.modelcontextprotocol/clientCapabilities': {},
    progressToken: 1,
  };
  const params = { name: 'flood', arguments: args, _meta };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
  const socket = connectTcp(Number(port), hostname);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.pause();
  const head = [
    `POST ${pathname} HTTP/1.1`,
    `Host: ${hostname}`,
    'Content-Type: application/json',
    'Accept: application/json, text/event-stream',
    `MCP-Protocol-Version: ${VERSION}`,
    'Mcp-Method: tools/call',
    'Mcp-Name: flood',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  // a paused socket does not see its end
  const probe = setInterval(() => socket.destroyed || socket.write(' '), 500);
  void closed.then(() => clearInterval(probe));
  return { closed };
}
