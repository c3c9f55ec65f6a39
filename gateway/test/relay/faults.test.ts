import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { gate, lost } from './recording-observer.ts';
import type { Answer } from './running-gateway.ts';
import {
  call,
  closeAll,
  json,
  post,
  result,
  send,
  startGateway,
  startRawUpstream,
  startUpstream,
} from './running-gateway.ts';

afterEach(closeAll);

function rpcError(got: Answer): { id: unknown; error: { code: number; message: string } } {
  return JSON.parse(got.body.toString()) as { id: unknown; error: { code: number; message: string } };
}

/** A port that nobody listens on. */
async function closedPort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}/mcp`;
}

describe('an upstream that fails before anything was sent', () => {
  const ok = JSON.stringify(result(9));
  it.each([
    ['closes at once', '', 502, 'upstream_reset', 'upstream_unreachable'],
    ['sends garbage', 'SSH-2.0-OpenSSH_9.9\r\n', 502, 'upstream_protocol', 'upstream_unreachable'],
    ['sends half a head', 'HTTP/1.1 200 OK\r\nContent-', 502, 'upstream_reset', 'upstream_unreachable'],
    ['sends a bad header', 'HTTP/1.1 200 OK\r\nA b: c\r\n\r\n', 502, 'upstream_protocol', 'upstream_unreachable'],
    [
      'sends two lengths',
      `HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}`,
      502,
      'upstream_reset',
      'upstream_unreachable',
    ],
    [
      'sends huge headers',
      `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}\r\n\r\n{}`,
      502,
      'upstream_protocol',
      'upstream_unreachable',
    ],
    [
      'sends too many headers',
      `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(20_000)}\r\n{}`,
      502,
      'upstream_protocol',
      'upstream_unreachable',
    ],
    [
      'compresses',
      'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc',
      502,
      'upstream_protocol',
      'upstream_unreachable',
    ],
    [
      'wants to upgrade',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
      502,
      'upstream_reset',
      'upstream_unreachable',
    ],
  ])('%s', async (_label, bytes, status, code, outcome) => {
    const url = await startRawUpstream((socket) => socket.end(bytes, 'latin1'));
    const gateway = await startGateway(url);
    const got = await post(gateway.url(), call('the id'));
    expect(got.status).toBe(status);
    expect(rpcError(got)).toMatchObject({ id: 'the id', error: { code: -32002 } });
    expect(got.body.toString()).not.toMatch(/127\.0\.0\.1|OpenSSH|xxxx/);
    expect(gateway.observer.only('tools/call')).toMatchObject({
      kept: true,
      end: { outcome, errorType: code, httpStatus: status, rpcErrorCode: -32002 },
    });
  });

  it('a refused connection is 502, and each request of a batch gets its error', async () => {
    const gateway = await startGateway(await closedPort());
    const got = await post(gateway.url(), [call(1), { jsonrpc: '2.0', method: 'notifications/x' }, call('b')]);
    expect(got.status).toBe(502);
    expect((JSON.parse(got.body.toString()) as { id: unknown }[]).map((one) => one.id)).toEqual([1, 'b']);
    expect(gateway.observer.calls.map((one) => one.end?.outcome)).toEqual(Array(3).fill('upstream_unreachable'));
  });

  it('silence is 504 and a timeout', async () => {
    const url = await startRawUpstream(() => undefined);
    const gateway = await startGateway(url, { relay: { requestTimeoutMs: 200 } });
    const got = await post(gateway.url(), call(1));
    expect(got.status).toBe(504);
    expect(rpcError(got)).toMatchObject({ id: 1, error: { code: -32002 } });
    expect(gateway.observer.only('tools/call').end).toMatchObject({
      outcome: 'timeout',
      errorType: 'upstream_timeout',
    });
  });

  it('a connection that cannot be made in time is a timeout', async () => {
    // TEST-NET-1 (RFC 5737) goes nowhere; where the network says so at once, it is unreachable
    const gateway = await startGateway('http://192.0.2.1:81/mcp', { relay: { connectTimeoutMs: 300 } });
    const got = await post(gateway.url(), call(1));
    expect([502, 504]).toContain(got.status);
    expect(['timeout', 'upstream_unreachable']).toContain(gateway.observer.only('tools/call').end?.outcome);
  });

  it('a body that ends before its announced length never looks complete', async () => {
    const url = await startRawUpstream((socket) =>
      socket.end(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n${ok}`)
    );
    const gateway = await startGateway(url);
    const got = await post(gateway.url(), call(9)).catch(() => undefined);
    if (got !== undefined && !got.broken) expect(got.status).toBe(502);
    expect(gateway.observer.only('tools/call').end).toMatchObject({
      outcome: 'upstream_unreachable',
      errorType: 'upstream_reset',
    });
  });

  it('a body longer than announced is cut at the length, and does not become the next answer', async () => {
    const smuggled = 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled';
    let connections = 0;
    const url = await startRawUpstream((socket) => {
      connections++;
      socket.write(
        `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${ok.length}\r\n\r\n${ok}${smuggled}`
      );
    });
    const gateway = await startGateway(url);
    for (let round = 0; round < 3; round++) {
      const got = await post(gateway.url(), call(9));
      expect(got.body.toString()).toBe(ok);
    }
    expect(connections).toBe(3);
  });

  it('a stream that stalls is ended as a timeout; one with keep-alive comments is not', async () => {
    const upstream = await startUpstream((seen, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(': hi\n\n');
      if (!seen.body.toString().includes('"id":2')) return;
      let ticks = 0;
      const timer = setInterval(() => {
        res.write(': tick\n\n');
        if (++ticks === 12) {
          clearInterval(timer);
          res.end(`data: ${JSON.stringify(result(2))}\n\n`);
        }
      }, 100);
    });
    const gateway = await startGateway(upstream.url, { relay: { requestTimeoutMs: 500 } });
    const [stalled, alive] = await Promise.all([post(gateway.url(), call(1)), post(gateway.url(), call(2))]);
    expect(stalled.body.toString()).toContain('did not answer in time');
    expect(alive.body.toString()).not.toContain('error');
    const outcomes = Object.fromEntries(
      gateway.observer.of('tools/call').map((one) => [one.start.rpcId, one.end?.outcome])
    );
    expect(outcomes).toEqual({ 1: 'timeout', 2: 'success' });
  });

  it('interim answers are not taken for the answer', async () => {
    const url = await startRawUpstream((socket) =>
      socket.write(
        `HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${ok.length}\r\n\r\n${ok}`
      )
    );
    const gateway = await startGateway(url);
    const got = await post(gateway.url(), call(9));
    expect([got.status, got.body.toString()]).toEqual([200, ok]);
  });

  it('a failed DELETE is told, too', async () => {
    const gateway = await startGateway(await closedPort());
    const got = await send(gateway.url(), { method: 'DELETE', headers: { 'mcp-session-id': 's' } }).answer;
    expect([got.status, rpcError(got).id]).toEqual([502, null]);
  });
});

describe('a record that cannot be kept', () => {
  it.each(['intent', 'end'])('refuses the call when its %s is lost', async (which) => {
    const upstream = await startUpstream((_seen, res) => json(res, result(1, { secret: true })));
    const gateway = await startGateway(upstream.url);
    if (which === 'intent') gateway.observer.intentGate = lost;
    gateway.observer.endGate = lost;
    const got = await post(gateway.url(), call('x'));
    expect(got.status).toBe(503);
    expect(rpcError(got)).toMatchObject({ id: 'x', error: { code: -32003 } });
    expect(got.body.toString()).not.toContain('secret');
  });

  it('refuses a notification and a stream as well', async () => {
    const upstream = await startUpstream((_seen, res) => void res.writeHead(202).end());
    const gateway = await startGateway(upstream.url);
    gateway.observer.intentGate = lost;
    gateway.observer.endGate = lost;
    expect((await post(gateway.url(), { jsonrpc: '2.0', method: 'notifications/x' })).status).toBe(503);
    expect((await send(gateway.url(), { method: 'GET' }).answer).status).toBe(503);
  });

  it('breaks a body off that had begun', async () => {
    const upstream = await startUpstream((_seen, res) => {
      res.writeHead(200, { 'content-type': 'application/json' });
      res.write('{"jsonrpc":"2.0","id":1,');
      setTimeout(() => res.end('"result":{}}'), 50);
    });
    const gateway = await startGateway(upstream.url);
    gateway.observer.endGate = lost;
    const got = await post(gateway.url(), call(1));
    expect(got.broken).toBe(true);
    expect(() => JSON.parse(got.body.toString()) as unknown).toThrow();
  });

  it('says that it cannot record even when the upstream failed', async () => {
    const gateway = await startGateway(await closedPort());
    gateway.observer.endGate = lost;
    expect((await post(gateway.url(), call(1))).status).toBe(503);
  });
});

describe('many and slow', () => {
  it('keeps memory bounded while a client reads a large answer slowly, and loses no byte', async () => {
    const total = 64 * 1024 * 1024;
    const block = Buffer.alloc(64 * 1024, 'x');
    let written = 0;
    const upstream = await startUpstream(async (_seen, res) => {
      res.writeHead(200, { 'content-type': 'application/json' });
      res.write('{"jsonrpc":"2.0","id":1,"result":"');
      while (written < total) {
        written += block.length;
        if (!res.write(block)) await new Promise((resolve) => res.once('drain', resolve));
      }
      res.end('"}');
    });
    const gateway = await startGateway(upstream.url);
    const open = gate();
    let received = 0;
    const answer = send(gateway.url(), {
      body: JSON.stringify(call(1)),
      onHead: (res) => {
        res.pause();
        void open.promise.then(() => res.resume());
      },
    }).answer.then((got) => (received = got.body.length));
    let before = -1;
    while (written !== before || written === 0) {
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    // nobody reads: what was sent rests in socket buffers, not in the gateway
    expect(written).toBeLessThan(total / 4);
    open.open();
    await answer;
    expect(received).toBe(total + '{"jsonrpc":"2.0","id":1,"result":"'.length + 2);
    expect(gateway.observer.only('tools/call').end).toMatchObject({
      outcome: 'success',
      response: { bytes: received },
    });
  });
});
