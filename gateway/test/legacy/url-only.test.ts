/**
 * Servers of which the configuration has the URL alone: what they speak is found out with the first client, once, and
 * servers of Streamable HTTP are asked nothing that their clients did not ask.
 */
import { createServer, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client as NewestClient, StreamableHTTPClientTransport as NewestTransport } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/logger.ts';
import { HttpRelay } from '../../src/mcp/relay/http-relay.ts';
import { SessionDirectory } from '../../src/mcp/sessions.ts';
import { SseBridge } from '../../src/mcp/bridge/sse-bridge.ts';
import { UrlUpstream, type UrlUpstreamOptions } from '../../src/mcp/bridge/url-upstream.ts';
import { until } from '../e2e/until.ts';
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

async function gatewayBefore(address: string, options: Partial<UrlUpstreamOptions> = {}) {
  const url = new URL(address);
  const sessions = new SessionDirectory();
  const headers = { Authorization: 'Bearer upstream' };
  const found: string[] = [];
  const upstream = new UrlUpstream({
    relay: new HttpRelay({ url, headers, sessions, logger: silentLogger }),
    createBridge: () => new SseBridge({ server: 'any', url, headers, logger: silentLogger }),
    onOlder: () => found.push('older'),
    ...options,
  });
  closing.push(() => upstream.close());
  const gateway = await startGateway('http://127.0.0.1:1/mcp', {
    deps: { upstreams: new Map([['any', upstream]]), sessions },
    authenticate: () => ({ ok: true, caller: ANA }),
  });
  return { gateway, found };
}

async function connect(gateway: RunningGateway, legacy = false): Promise<Client> {
  const url = gateway.url('any');
  const transport: Transport = legacy
    ? // eslint-disable-next-line @typescript-eslint/no-deprecated -- the transport that is tested
      new SSEClientTransport(new URL(`${url.href}/sse`))
    : new StreamableHTTPClientTransport(url);
  const client = new Client({ name: 'c', version: '1' });
  await client.connect(transport);
  closing.push(() => client.close());
  return client;
}

const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } },
};

/** A server that speaks the newer transport, and the older one if wanted. */
async function startHttpServer(answer: (seen: { method: string; rpc: string }, res: ServerResponse) => void) {
  const upstream = await startUpstream((seen, res) => {
    const { method: rpc = '' } =
      seen.body.length === 0 ? {} : (JSON.parse(seen.body.toString()) as { method?: string });
    answer({ method: seen.method, rpc }, res);
  });
  return { ...upstream, methods: () => upstream.seen.map(({ method }) => method) };
}

const opened = (res: ServerResponse, id: unknown = 1): void => {
  const serverInfo = { name: 'new', version: '1' };
  json(res, result(id, { protocolVersion: '2025-11-25', capabilities: {}, serverInfo }), 200, {
    'mcp-session-id': 's',
  });
};

describe('an older server', () => {
  it('is found by the first client and served from then on, with one record for each request', async () => {
    const everything = await startEverythingSse();
    closing.push(() => everything.kill());
    const { gateway, found } = await gatewayBefore(everything.url);
    const clients = await Promise.all([connect(gateway), connect(gateway)]);
    for (const client of [...clients, await connect(gateway), await connect(gateway, true)]) {
      const answer = await client.callTool({ name: 'echo', arguments: { message: 'hi' } });
      expect(answer.content).toEqual([{ type: 'text', text: 'Echo: hi' }]);
    }
    expect(found).toEqual(['older']);
    const { observer } = gateway;
    const opening = observer.of('initialize');
    // two found it out together
    expect(opening.map(({ sent }) => sent)).toEqual([2, 2, 1, 1]);
    for (const { start, end, kept } of opening) {
      expect(kept).toBe(true);
      expect(end).toMatchObject({ outcome: 'success', session: { kind: 'mcp' } });
      expect(end?.upstreamTransport ?? start.upstreamTransport).toBe('sse');
    }
    expect(observer.of('tools/call').map(({ start }) => start.upstreamTransport)).toEqual(Array(4).fill('sse'));
  });

  it('is found by a client of the older transport, too', async () => {
    const server = await startSseServer();
    closing.push(() => server.stop());
    const { gateway } = await gatewayBefore(server.url);
    const client = await connect(gateway, true);
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('echo');
    // whose discovery says nothing about newer clients
    const newer = await connect(gateway);
    expect((await newer.listTools()).tools.map(({ name }) => name)).toContain('echo');
    expect(server.headers.every(({ authorization }) => authorization === 'Bearer upstream')).toBe(true);
  });

  it('is found by a client of the newest revision, which falls back to sessions', async () => {
    const server = await startSseServer();
    closing.push(() => server.stop());
    const { gateway } = await gatewayBefore(server.url);
    const client = new NewestClient({ name: 'newest', version: '1' }, { versionNegotiation: { mode: 'auto' } });
    await client.connect(new NewestTransport(gateway.url('any')));
    closing.push(() => client.close());
    const answer = await client.callTool({ name: 'echo', arguments: { text: 'é' } });
    expect(answer.content).toEqual([{ type: 'text', text: 'é' }]);
  });

  it.each([400, 404, 405])('is asked for its endpoint after %i', async (status) => {
    const server = await startSseServer();
    closing.push(() => server.stop());
    const front = await startFront(server.url, status);
    const { gateway, found } = await gatewayBefore(front);
    await connect(gateway);
    expect(found).toEqual(['older']);
  });

  it('is not taken for one when its client has left, and its record says that', async () => {
    const asked = gate();
    const upstream = await startHttpServer(({ method }, res) => {
      if (method === 'POST') return void res.writeHead(405).end();
      void asked.promise.then(() => {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.write('event: endpoint\ndata: /message\n\n');
      });
    });
    const { gateway, found } = await gatewayBefore(upstream.url);
    const sent = send(gateway.url('any'), { body: JSON.stringify(initialize) });
    await until(() => upstream.methods().includes('GET'), 'the question');
    sent.abort();
    const { end } = await gateway.observer.ended('initialize');
    expect(end).toMatchObject({ outcome: 'cancelled', errorType: 'client_gone' });
    asked.open();
    await until(() => found.length === 1, 'the discovery');
    expect(gateway.observer.calls).toHaveLength(1);
  });

  it('is not spoken to when its request cannot be recorded', async () => {
    const server = await startSseServer();
    closing.push(() => server.stop());
    const { gateway } = await gatewayBefore(server.url);
    gateway.observer.intentGate = () => lost();
    expect((await post(gateway.url('any'), initialize)).status).toBe(503);
    expect(server.events).not.toContain('initialized');
  });
});

describe('a server of Streamable HTTP', () => {
  it('is asked nothing of its own, even when it refuses what comes later', async () => {
    const upstream = await startHttpServer(({ rpc }, res) => {
      if (rpc === 'initialize' && upstream.seen.length === 1) {
        opened(res);
        return;
      }
      json(res, { jsonrpc: '2.0', id: 1, error: { code: -32600, message: 'later' } }, 400);
    });
    const { gateway } = await gatewayBefore(upstream.url);
    expect((await post(gateway.url('any'), initialize)).headers['mcp-session-id']).toBe('s');
    expect((await post(gateway.url('any'), call(2), { 'mcp-session-id': 's' })).status).toBe(400);
    expect((await post(gateway.url('any'), initialize)).body.toString()).toContain('later');
    expect(upstream.methods()).toEqual(['POST', 'POST', 'POST']);
  });

  it.each([
    ['nothing', (res: ServerResponse) => void res.writeHead(405).end()],
    [
      'another event first',
      (res: ServerResponse) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.write('data: {"jsonrpc":"2.0","method":"ping","id":1}\n\nevent: endpoint\ndata: /x\n\n');
      },
    ],
    [
      'a page',
      (res: ServerResponse) =>
        void res.writeHead(200, { 'content-type': 'text/html' }).end('event: endpoint\ndata: /x\n\n'),
    ],
  ])('that refuses an initialize and answers GET with %s is heard as it is', async (_, onGet) => {
    const refusal = '{"jsonrpc":"2.0","id":null,"error":{"code":-32022,"message":"newer only"}}';
    const upstream = await startHttpServer(({ method }, res) => {
      if (method === 'GET') onGet(res);
      else json(res, refusal, 400, { 'x-own': '1' });
    });
    const { gateway, found } = await gatewayBefore(upstream.url);
    for (let turn = 0; turn < 3; turn += 1) {
      const got = await post(gateway.url('any'), initialize);
      expect([got.status, got.headers['x-own'], got.body.toString()]).toEqual([400, '1', refusal]);
    }
    // asked once in a while only
    expect(upstream.methods()).toEqual(['POST', 'GET', 'POST', 'POST']);
    expect(found).toEqual([]);
    expect(gateway.observer.of('initialize').map(({ start, end }) => [start.upstreamTransport, end])).toMatchObject(
      Array(3).fill(['http', { outcome: 'rpc_error', rpcErrorCode: -32022, httpStatus: 400 }])
    );
  });

  it('and of the older one speaks to each client as the client knows', async () => {
    const older = await startSseServer();
    closing.push(() => older.stop());
    const front = await startFront(older.url, undefined);
    const { gateway } = await gatewayBefore(front);
    expect((await connect(gateway)).getServerVersion()).toMatchObject({ name: 'new' });
    expect((await connect(gateway, true)).getServerVersion()).toMatchObject({ name: 'older' });
    expect((await connect(gateway)).getServerVersion()).toMatchObject({ name: 'new' });
  });

  it('is no server for clients of the older transport, who hear what to do', async () => {
    const upstream = await startHttpServer(({ method }, res) => {
      if (method === 'GET') res.writeHead(405).end();
      else opened(res);
    });
    const { gateway } = await gatewayBefore(upstream.url);
    const got = await send(new URL(`${gateway.url('any').href}/sse`), {
      method: 'GET',
      headers: { accept: 'text/event-stream' },
    }).answer;
    expect([got.status, got.body.toString()]).toEqual([404, expect.stringContaining('without /sse')]);
  });

  it('that comes later is found then', async () => {
    let isThere = false;
    const older = await startSseServer();
    closing.push(() => older.stop());
    const front = await startFront(older.url, 404, () => isThere);
    const { gateway, found } = await gatewayBefore(front, { askAgainMs: 1 });
    expect((await post(gateway.url('any'), initialize)).status).toBe(404);
    isThere = true;
    await until(() => post(gateway.url('any'), initialize).then(({ status }) => status === 200), 'the server');
    expect(found).toEqual(['older']);
  });
});

/**
 * One address in front of an older server: GET and its messages go there; POST to the address itself gets the status, or
 * is the newer transport's.
 */
async function startFront(older: string, status: number | undefined, isThere = () => true): Promise<string> {
  const target = new URL(older);
  const server = createServer((req, res) => {
    if (!isThere()) return void res.writeHead(404).end();
    if (req.method === 'POST' && req.url === target.pathname) {
      const chunks: Buffer[] = [];
      req.on('data', (chunk: Buffer) => chunks.push(chunk));
      req.on('end', () => {
        const { id, method } = JSON.parse(Buffer.concat(chunks).toString()) as { id?: unknown; method?: string };
        if (status !== undefined) res.writeHead(status, { 'content-type': 'text/plain' }).end('no such thing');
        else if (method === 'initialize') opened(res, id);
        else res.writeHead(202).end();
      });
      return;
    }
    if (req.method === 'GET' && req.headers['mcp-session-id'] !== undefined) return void res.writeHead(405).end();
    const headers = { ...req.headers, host: target.host };
    const through = request(new URL(req.url ?? '', target), { method: req.method, headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.on('error', () => res.destroy()).pipe(res);
    });
    through.on('error', () => res.destroy());
    res.on('close', () => through.destroy());
    req.pipe(through);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}${target.pathname}`;
}
