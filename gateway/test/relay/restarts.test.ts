/**
 * An upstream server that is restarted in the middle of a session: the call that was running gets a clear error, the old
 * session ends as the server says, and the next `initialize` works. The same client, the same gateway.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomUUID } from 'node:crypto';
import { afterEach, expect, it } from 'vitest';
import { call, closeAll, json, post, result, send, startGateway } from './running-gateway.ts';

afterEach(closeAll);

interface Upstream {
  readonly port: number;
  /** as when the process is killed: connections are reset, sessions are forgotten */
  kill(): Promise<void>;
}

/** A server with sessions of its own. Calls of `slow` never end. */
async function startSessions(port = 0): Promise<Upstream> {
  const sessions = new Set<string>();
  const server: Server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const message = JSON.parse(Buffer.concat(chunks).toString()) as {
        id: number;
        method: string;
        params?: { name?: string };
      };
      if (message.method === 'initialize') {
        const session = randomUUID();
        sessions.add(session);
        json(res, result(message.id, { protocolVersion: '2025-11-25' }), 200, { 'Mcp-Session-Id': session });
      } else if (!sessions.has(String(req.headers['mcp-session-id']))) {
        json(res, { jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Session not found' } }, 404);
      } else if (message.params?.name === 'slow') {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.write(': working\n\n');
      } else json(res, result(message.id));
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    kill: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

it('a restart over HTTP: error for the call, 404 for the session, then a new session', async () => {
  const first = await startSessions();
  const gateway = await startGateway(`http://127.0.0.1:${first.port}/mcp`);
  const initialize = { jsonrpc: '2.0', id: 1, method: 'initialize', params: {} };
  const session = String((await post(gateway.url(), initialize)).headers['mcp-session-id']);
  const inSession = { 'mcp-session-id': session };
  expect((await post(gateway.url(), call(2), inSession)).status).toBe(200);

  let working: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => (working = resolve));
  const slow = send(gateway.url(), {
    headers: inSession,
    body: JSON.stringify(call(3, 'slow')),
    onChunk: () => working(),
  });
  await begun;
  await first.kill();
  expect((await slow.answer).body.toString()).toContain('"id":3,"error":{"code":-32002');
  // nobody is there
  const down = await post(gateway.url(), call(4), inSession);
  expect([down.status, JSON.parse(down.body.toString())]).toMatchObject([502, { id: 4, error: { code: -32002 } }]);

  const second = await startSessions(first.port);
  expect((await post(gateway.url(), call(5), inSession)).status).toBe(404);
  const anew = String((await post(gateway.url(), initialize)).headers['mcp-session-id']);
  expect(anew).not.toBe(session);
  expect((await post(gateway.url(), call(6), { 'mcp-session-id': anew })).status).toBe(200);
  await second.kill();

  const ends = gateway.observer.of('tools/call').map(({ start, end }) => [start.rpcId, end?.outcome, end?.errorType]);
  expect(ends).toEqual([
    ['2', 'success', undefined],
    ['3', 'upstream_unreachable', 'upstream_reset'],
    ['4', 'upstream_unreachable', 'upstream_unreachable'],
    ['5', 'rpc_error', '-32001'],
    ['6', 'success', undefined],
  ]);
});
