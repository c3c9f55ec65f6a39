/** Servers and clients of the older HTTP+SSE transport, with the SDK's own parts on both sides of the gateway. */
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CallToolResultSchema,
  ElicitRequestSchema,
  LoggingMessageNotificationSchema,
  type JSONRPCMessage,
} from '@modelcontextprotocol/sdk/types.js';
import { Client as NewestClient, StreamableHTTPClientTransport as NewestTransport } from '@modelcontextprotocol/client';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/logger.ts';
import type { Upstream } from '../../src/mcp/exchange.ts';
import { SseBridge, type SseBridgeOptions } from '../../src/mcp/bridge/sse-bridge.ts';
import { StdioBridge } from '../../src/mcp/bridge/stdio-bridge.ts';
import { until as untilSo } from '../e2e/until.ts';
import { gate, lost } from '../relay/recording-observer.ts';
import {
  ANA,
  call,
  closeAll,
  json,
  post,
  result,
  send,
  startGateway,
  startUpstream,
  type RunningGateway,
} from '../relay/running-gateway.ts';
import { startEverythingSse, startSseServer } from './sse-server.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await closeAll();
});

type Kind = 'modern' | 'legacy';
const KINDS: readonly Kind[] = ['modern', 'legacy'];

async function gatewayBefore(upstream: Upstream): Promise<RunningGateway> {
  closing.push(() => upstream.close());
  return startGateway('http://127.0.0.1:1/mcp', {
    deps: { upstreams: new Map([['old', upstream]]) },
    authenticate: (headers) => ({ ok: true, caller: { ...ANA, userKey: String(headers['x-user'] ?? 'ana') } }),
  });
}

function bridgeTo(url: string, options: Partial<SseBridgeOptions> = {}): SseBridge {
  return new SseBridge({ server: 'old', url: new URL(url), logger: silentLogger, ...options });
}

async function start(options: Partial<SseBridgeOptions> = {}) {
  const server = await startSseServer();
  closing.push(() => server.stop());
  const bridge = bridgeTo(server.url, options);
  return { server, bridge, gateway: await gatewayBefore(bridge) };
}

async function connect(gateway: RunningGateway, kind: Kind, prepare?: (client: Client) => void): Promise<Client> {
  const client = new Client({ name: kind, version: '9' }, { capabilities: { elicitation: {} } });
  client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept' as const, content: { ok: true } }));
  prepare?.(client);
  const url = gateway.url('old');
  await client.connect(
    kind === 'modern'
      ? new StreamableHTTPClientTransport(url)
      : // eslint-disable-next-line @typescript-eslint/no-deprecated -- the transport that is tested
        new SSEClientTransport(new URL(`${url.href}/sse`))
  );
  closing.push(() => client.close());
  return client;
}

function until(isSo: () => boolean): Promise<unknown> {
  return untilSo(isSo, isSo.toString());
}

/** What the client's transport hands it from now on. Its own progress handlers miss what comes in one piece with the answer. */
function passedTo(client: Client): JSONRPCMessage[] {
  const { transport } = client;
  const passed: JSONRPCMessage[] = [];
  const deliver = transport?.onmessage;
  if (transport !== undefined) {
    transport.onmessage = (message, extra) => {
      passed.push(message);
      deliver?.(message, extra);
    };
  }
  return passed;
}

function textOf(message: JSONRPCMessage): string {
  const { content } = CallToolResultSchema.parse('result' in message ? message.result : undefined);
  return content[0]?.type === 'text' ? content[0].text : '';
}

const slow = { name: 'slow', arguments: {} };

describe.each(KINDS)('a %s client of an older server', (kind) => {
  it('is served, and all of it is recorded', async () => {
    const { gateway, server } = await start({ headers: { Authorization: 'Bearer upstream' } });
    const { observer } = gateway;
    const client = await connect(gateway, kind);
    expect(client.getServerVersion()).toMatchObject({ name: 'older' });
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('echo');
    const text = `ü€𝄞\u2028${'x'.repeat(200_000)}`;
    expect(await client.callTool({ name: 'echo', arguments: { text } })).toMatchObject({ content: [{ text }] });
    expect(await client.callTool({ name: 'fail' })).toMatchObject({ isError: true });
    await expect(client.readResource({ uri: 'note://none' })).rejects.toThrow();
    expect(await client.callTool({ name: 'ask' })).toMatchObject({
      content: [{ text: expect.stringContaining('true') as string }],
    });

    await until(() => server.events.includes('initialized'));
    expect(server.headers.every(({ authorization }) => authorization === 'Bearer upstream')).toBe(true);
    expect(observer.of('tools/call').map(({ start, end }) => [start.target?.name, end?.outcome])).toEqual([
      ['echo', 'success'],
      ['fail', 'tool_error'],
      ['ask', 'success'],
    ]);
    expect(observer.of('tools/list')[0]?.end?.listed?.names).toContain('steps');
    expect(observer.only('resources/read').end?.outcome).toBe('rpc_error');
    const asked = observer.only('elicitation/create');
    expect(asked).toMatchObject({ start: { kind: 'server_request' }, end: { outcome: 'success' } });
    expect(asked.start.parentCallId).toBe(observer.of('tools/call')[2]?.callId);
    const requests = observer.calls.filter(({ start }) => start.kind === 'request');
    const sessions = new Set(requests.map(({ start, end }) => (end?.session ?? start.session)?.id));
    expect(sessions.size).toBe(1);
    for (const { start, end } of requests) {
      expect(start).toMatchObject({
        upstreamTransport: 'sse',
        client: { name: kind },
        upstreamAddress: { host: '127.0.0.1' },
      });
      expect(end).toMatchObject({ session: { kind: 'mcp' }, httpStatus: kind === 'legacy' ? 202 : 200 });
    }
  });

  it('gets the progress of its own calls, many at once', async () => {
    const { gateway } = await start();
    const clients = await Promise.all([connect(gateway, kind), connect(gateway, kind)]);
    const work = clients.map(async (client, who) => {
      const passed = passedTo(client);
      const names = Array.from({ length: 25 }, (_, index) => `${who}-${index}`);
      await Promise.all(
        names.map((name) =>
          // that it listens makes the client ask for progress
          client.callTool({ name: 'steps', arguments: { name, steps: 3 } }, CallToolResultSchema, {
            onprogress: () => undefined,
          })
        )
      );
      const answers = passed.filter((message) => 'result' in message);
      expect(answers.map((message) => textOf(message)).sort()).toEqual(names.sort());
      for (const answer of answers) {
        const own = passed.filter(
          (message) => 'method' in message && 'id' in answer && message.params?.progressToken === answer.id
        );
        expect(own.map((message) => ('method' in message ? message.params : {}))).toMatchObject(
          [1, 2, 3].map((progress) => ({ progress, message: textOf(answer) }))
        );
        expect(own.every((message) => passed.indexOf(message) < passed.indexOf(answer))).toBe(true);
      }
    });
    await Promise.all(work);
    const progress = gateway.observer.of('notifications/progress');
    expect(progress).toHaveLength(150);
    expect(new Set(progress.map(({ start }) => start.parentCallId)).size).toBe(50);
  });

  it('that cancels a call, or goes away, stops it at the server', async () => {
    const { gateway, server } = await start();
    const { observer } = gateway;
    const client = await connect(gateway, kind);
    const abort = new AbortController();
    const cancelled = client.callTool(slow, CallToolResultSchema, { signal: abort.signal });
    await observer.until(() => observer.of('tools/call').length === 1);
    abort.abort();
    await expect(cancelled).rejects.toThrow();
    await until(() => server.events.filter((event) => event === 'aborted slow').length === 1);
    expect((await observer.ended('tools/call')).end?.outcome).toBe('cancelled');

    const left = client.callTool(slow).catch(() => undefined);
    await observer.until(() => observer.of('tools/call').length === 2);
    await client.close();
    await left;
    await until(() => server.events.filter((event) => event === 'aborted slow').length === 2);
    await observer.until(() => observer.of('tools/call').every(({ kept }) => kept));
    expect(observer.of('tools/call')[1]?.end).toMatchObject({ outcome: 'cancelled', errorType: 'client_gone' });
    if (kind === 'legacy') await until(() => server.events.includes('closed'));
  });

  it('hears that the server died, and that a new session cannot be had yet', async () => {
    const first = await startEverythingSse();
    closing.push(() => first.kill());
    const gateway = await gatewayBefore(bridgeTo(first.url));
    const client = await connect(gateway, kind);
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('echo');
    const running = client.callTool({
      name: 'trigger-long-running-operation',
      arguments: { duration: 60, steps: 2 },
    });
    running.catch(() => undefined);
    await gateway.observer.until(() => gateway.observer.of('tools/call').length === 1);
    await first.kill();
    // an older client may see its stream end first, which ends the call as well
    if (kind === 'modern') await expect(running).rejects.toThrow(/lost.*new session/);
    const ended = await gateway.observer.ended('tools/call');
    expect(ended.end).toMatchObject({ outcome: 'upstream_unreachable', errorType: 'upstream_reset' });
    await gateway.observer.until(() => gateway.observer.of('stream').every(({ kept }) => kept));
    expect(gateway.observer.of('stream')[0]?.end).toMatchObject({ outcome: 'upstream_unreachable' });
    if (kind === 'modern') await expect(client.listTools()).rejects.toThrow(/initialize/);
    await expect(connect(gateway, kind)).rejects.toThrow(kind === 'modern' ? /opened no event stream.*url/ : /502/);
  });
});

describe('an older server', () => {
  it('is spoken to by a client of the newest revision, which falls back to sessions', async () => {
    const { gateway } = await start();
    const client = new NewestClient({ name: 'newest', version: '1' }, { versionNegotiation: { mode: 'auto' } });
    await client.connect(new NewestTransport(gateway.url('old')));
    closing.push(() => client.close());
    const answer = await client.callTool({ name: 'echo', arguments: { text: 'é' } });
    expect(answer.content).toEqual([{ type: 'text', text: 'é' }]);
    expect(gateway.observer.only('server/discover').end).toMatchObject({ outcome: 'rpc_error', rpcErrorCode: -32022 });
  });

  it('never mixes clients that use the same ids at once', async () => {
    const { gateway } = await start();
    const sessions = await Promise.all(['a', 'b', 'c'].map(() => legacySession(gateway)));
    await Promise.all(
      sessions.map((session, who) => post(session.endpoint, call(7, 'echo', { arguments: { text: `to ${who}` } })))
    );
    for (const [who, session] of sessions.entries()) {
      await until(() => session.text().includes('"id":7'));
      expect(session.text()).toContain(`to ${who}`);
      for (const other of [0, 1, 2].filter((one) => one !== who)) expect(session.text()).not.toContain(`to ${other}`);
    }
  });

  it('has its notifications passed on and recorded as its own', async () => {
    const { gateway } = await start();
    const logs: unknown[] = [];
    const client = await connect(gateway, 'legacy', (one) =>
      one.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void logs.push(params.data))
    );
    await client.callTool({ name: 'log' });
    await until(() => logs.length === 1);
    expect(gateway.observer.only('notifications/message')).toMatchObject({ start: { kind: 'notification' } });
  });

  it.each([
    ['of another origin', 'http://127.0.0.2:9/message', /another origin/],
    ['that is no address', 'http://[', /another origin/],
  ])('that names an endpoint %s gets no message', async (_, endpoint, words) => {
    const upstream = await startUpstream((_seen, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(`event: endpoint\ndata: ${endpoint}\n\n`);
    });
    const gateway = await gatewayBefore(bridgeTo(upstream.url));
    await expect(connect(gateway, 'modern')).rejects.toThrow(words);
    expect(upstream.seen).toHaveLength(1);
    expect(gateway.observer.only('initialize').end?.outcome).toBe('upstream_unreachable');
  });

  it.each([
    ['answers with another status', { status: 401, type: 'text/plain' }, {}, /HTTP status 401/],
    ['is none', { status: 200, type: 'text/html' }, {}, /Streamable HTTP/],
    [
      'names no endpoint in time',
      { status: 200, type: 'text/event-stream' },
      { limits: { startTimeoutMs: 200 } },
      /within 200 ms/,
    ],
  ])('that %s is named in the error', async (_, { status, type }, options, words) => {
    const upstream = await startUpstream((_seen, res) => {
      res.writeHead(status, { 'content-type': type }).flushHeaders();
      if (type !== 'text/event-stream') res.end('no');
    });
    const gateway = await gatewayBefore(bridgeTo(upstream.url, options));
    await expect(connect(gateway, 'modern')).rejects.toThrow(words);
  });

  it('that refuses one message keeps the session, and one that forgot the session ends it', async () => {
    let status = 413;
    const upstream = await startUpstream((seen, res) => {
      const message =
        seen.method === 'GET' ? undefined : (JSON.parse(seen.body.toString()) as { id?: number; method: string });
      if (message === undefined) {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.write('event: endpoint\ndata: /mcp?session=1\n\n');
        stream = res;
      } else if (message.method === 'tools/call') {
        res.writeHead(status).end();
      } else {
        res.writeHead(202).end();
        const value = {
          protocolVersion: '2024-11-05',
          capabilities: { tools: {} },
          serverInfo: { name: 'x', version: '1' },
        };
        const answer = result(message.id, message.method === 'initialize' ? value : {});
        if (message.id !== undefined) stream?.write(`data: ${JSON.stringify(answer)}\n\n`);
      }
    });
    let stream: { write(text: string): unknown } | undefined;
    const gateway = await gatewayBefore(bridgeTo(upstream.url));
    const client = await connect(gateway, 'modern');
    await expect(client.callTool(slow)).rejects.toThrow(/HTTP status 413/);
    await client.ping();
    status = 404;
    await expect(client.callTool(slow)).rejects.toThrow(/HTTP status 404/);
    await expect(client.ping()).rejects.toThrow(/no such session/i);
    expect(gateway.observer.of('tools/call').map(({ end }) => end?.errorType)).toEqual([
      'upstream_protocol',
      'upstream_protocol',
    ]);
  });

  it('that sends more than may be kept is cut off', async () => {
    const { gateway } = await start({ limits: { maxMessageBytes: 100_000 } });
    const client = await connect(gateway, 'modern');
    const text = 'x'.repeat(200_000);
    await expect(client.callTool({ name: 'echo', arguments: { text } })).rejects.toThrow(/longer than 100000 bytes/);
  });
});

interface LegacySession {
  readonly endpoint: URL;
  text(): string;
  close(): void;
}

/** A legacy client by hand, initialized. */
async function legacySession(gateway: RunningGateway, user = 'ana'): Promise<LegacySession> {
  let text = '';
  const stream = send(new URL(`${gateway.url('old').href}/sse`), {
    method: 'GET',
    headers: { accept: 'text/event-stream', 'x-user': user },
    onChunk: (_chunk, all) => {
      text = all;
    },
  });
  closing.push(() => {
    stream.abort();
    return Promise.resolve();
  });
  await until(() => text.includes('\n\n'));
  const path = /^event: endpoint\ndata: (\S+)\n\n/.exec(text)?.[1] ?? '';
  expect(path).toMatch(/^\/mcp\/old\/messages\?sessionId=[0-9a-f-]{36}$/);
  const endpoint = new URL(path, gateway.url());
  const params = { protocolVersion: '2024-11-05', capabilities: {}, clientInfo: { name: 'hand', version: '1' } };
  await post(endpoint, { jsonrpc: '2.0', id: 0, method: 'initialize', params }, { 'x-user': user });
  await until(() => text.includes('"id":0'));
  return { endpoint, text: () => text, close: () => stream.abort() };
}

describe('the message endpoint of an older client', () => {
  it('takes messages of the caller who opened the stream, and of nobody else', async () => {
    const { gateway } = await start();
    const ana = await legacySession(gateway);
    const message = call(1, 'echo', { arguments: { text: 'secret' } });
    const forged = new URL(ana.endpoint);
    forged.searchParams.set('sessionId', 'made-up');
    expect((await post(forged, message)).status).toBe(404);
    expect((await post(ana.endpoint, message, { 'x-user': 'eve' })).status).toBe(404);
    const modern = await post(gateway.url('old'), message, {
      'mcp-session-id': ana.endpoint.searchParams.get('sessionId') ?? '',
    });
    expect(modern.status).toBe(404);
    const twice = new URL(`${ana.endpoint.href}&sessionId=made-up`);
    expect((await post(twice, message)).status).toBe(400);
    expect((await post(new URL('/mcp/old/messages', gateway.url()), message)).status).toBe(400);
    expect(ana.text()).not.toContain('secret');
    const attempts = gateway.observer.calls.filter(({ start }) => start.kind === 'attempt');
    expect(attempts.map(({ end }) => end?.httpStatus)).toEqual([404, 404, 404, 400, 400]);
    expect(attempts[1]?.end).toMatchObject({ outcome: 'denied', deniedBy: 'authentication' });
    expect((await post(ana.endpoint, message)).status).toBe(202);
    await until(() => ana.text().includes('secret'));
  });

  it('takes nothing of a session whose stream is closed', async () => {
    const { gateway, server } = await start();
    const session = await legacySession(gateway);
    session.close();
    await until(() => server.events.includes('closed'));
    const answer = await post(session.endpoint, call(1));
    expect([answer.status, answer.body.toString()]).toEqual([404, expect.stringContaining('event stream again')]);
    expect(gateway.observer.only('stream')).toMatchObject({ kept: true, end: { outcome: 'success' } });
  });

  it('answers 503 when a call cannot be recorded, and the answer of one that cannot be does not leave', async () => {
    const { gateway } = await start();
    const session = await legacySession(gateway);
    gateway.observer.intentGate = ({ start }) => (start.method === 'tools/call' ? lost() : Promise.resolve());
    expect((await post(session.endpoint, call(1, 'echo', { arguments: { text: 'unseen' } }))).status).toBe(503);
    gateway.observer.intentGate = () => Promise.resolve();
    gateway.observer.endGate = ({ start }) => (start.method === 'tools/call' ? lost() : Promise.resolve());
    expect((await post(session.endpoint, call(2, 'echo', { arguments: { text: 'unseen' } }))).status).toBe(202);
    await until(() => session.text().includes('"id":2'));
    expect(session.text()).toContain('could not be recorded');
    expect(session.text()).not.toContain('unseen');
  });

  it('holds an answer back until it is recorded', async () => {
    const { gateway } = await start();
    const session = await legacySession(gateway);
    const disk = gate();
    gateway.observer.endGate = ({ start }) => (start.method === 'tools/call' ? disk.promise : Promise.resolve());
    await post(session.endpoint, call(1, 'echo', { arguments: { text: 'late' } }));
    await gateway.observer.until(() => gateway.observer.of('tools/call')[0]?.end !== undefined);
    expect(session.text()).not.toContain('late');
    disk.open();
    await until(() => session.text().includes('late'));
  });
});

describe('the addresses of older clients', () => {
  it('say what to do instead where the server speaks Streamable HTTP', async () => {
    const upstream = await startUpstream((_seen, res) => json(res, {}));
    const gateway = await startGateway(upstream.url);
    const answer = await send(new URL(`${gateway.url().href}/sse`), { method: 'GET' }).answer;
    expect([answer.status, answer.body.toString()]).toEqual([
      404,
      expect.stringContaining('Use /mcp/<name> without /sse'),
    ]);
    expect(upstream.seen).toEqual([]);
    expect(gateway.observer.only('stream')).toMatchObject({
      start: { kind: 'attempt' },
      end: { errorType: 'not_found' },
    });
  });

  it('tell a client of Streamable HTTP that it is wrong there, so that it tries the other transport', async () => {
    const { gateway } = await start();
    const posted = await post(new URL(`${gateway.url('old').href}/sse`), call(1));
    expect([posted.status, posted.headers.allow]).toEqual([405, 'GET']);
    const read = await send(new URL(`${gateway.url('old').href}/messages`), { method: 'GET' }).answer;
    expect([read.status, read.headers.allow]).toEqual([405, 'POST']);
  });

  it('serve programs too', async () => {
    const args = [fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js'))];
    const options = { server: 'old', command: process.execPath, args, inheritedEnv: process.env, logger: silentLogger };
    const gateway = await gatewayBefore(new StdioBridge(options));
    const client = await connect(gateway, 'legacy');
    const answer = await client.callTool({ name: 'echo', arguments: { message: 'hi' } });
    expect(answer).toMatchObject({ content: [{ text: 'Echo: hi' }] });
    expect(gateway.observer.only('tools/call').start.upstreamTransport).toBe('stdio');
  });
});
