import { afterEach, describe, expect, it } from 'vitest';
import type { Exchange, Upstream } from '../../src/mcp/exchange.ts';
import { gate, lost } from './recording-observer.ts';
import { call, closeAll, post, send, startGateway } from './running-gateway.ts';
import type { RunningGateway } from './running-gateway.ts';

afterEach(closeAll);

const AT = { upstreamTransport: 'stdio' } as const;

/** A gateway whose server `up` is answered by a function, as a bridge would. */
async function bridged(handle: (exchange: Exchange) => Promise<void>): Promise<RunningGateway> {
  const upstream: Upstream = { kind: 'stdio', handle, close: () => Promise.resolve() };
  return startGateway('http://127.0.0.1:9/', { deps: { upstreams: new Map([['up', upstream]]) } });
}

describe('what a bridge gets', () => {
  it('is the parsed body, the caller and the session', async () => {
    const seen: unknown[] = [];
    const gateway = await bridged(async (exchange) => {
      seen.push(
        exchange.server,
        exchange.httpMethod,
        exchange.batch,
        exchange.sessionId,
        exchange.caller.userKey,
        exchange.header('X-Some'),
        exchange.unanswered
      );
      seen.push(exchange.messages.map((message) => message.bytes.toString()));
      await exchange.sendJson(202, undefined, Promise.resolve(), { 'X-Extra': '1' });
      seen.push(exchange.unanswered);
    });
    const body = `[${JSON.stringify(call(1))}, ${JSON.stringify(call(2))}]`;
    const got = await post(gateway.url(), body, { 'mcp-session-id': 's', 'x-some': 'x' });
    expect([got.status, got.headers['x-extra'], got.headers['content-length']]).toEqual([202, '1', '0']);
    expect(seen).toEqual([
      'up',
      'POST',
      true,
      's',
      'ana',
      'x',
      true,
      [JSON.stringify(call(1)), JSON.stringify(call(2))],
      false,
    ]);
  });

  it('answers JSON only after its records, and with a refusal when they are lost', async () => {
    const disk = gate();
    let settled: () => Promise<unknown> = () => disk.promise;
    const gateway = await bridged((exchange) =>
      exchange.sendJson(200, '{"jsonrpc":"2.0","id":1,"result":{}}', settled())
    );
    let answered = false;
    const sent = post(gateway.url(), call(1)).finally(() => (answered = true));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(answered).toBe(false);
    disk.open();
    expect((await sent).status).toBe(200);
    settled = lost;
    const refused = await post(gateway.url(), call('x'));
    expect(refused.status).toBe(503);
    expect(JSON.parse(refused.body.toString())).toMatchObject({ id: 'x', error: { code: -32003 } });
  });

  it('sends events in order, each after its record, several lines as several data lines', async () => {
    const disk = gate();
    const gateway = await bridged(async (exchange) => {
      const answer = exchange.openSse(exchange.begin(exchange.messages[0], AT).intent());
      void answer.send({ data: '{"a":1}', id: '1' });
      void answer.send({ data: '{"b":2}', settled: disk.promise });
      void answer.send({ data: '{\n"c":\r3}', retryMs: 5 });
      await answer.end();
    });
    let received = '';
    const sent = send(gateway.url(), { body: JSON.stringify(call(1)), onChunk: (_chunk, all) => (received = all) });
    await gateway.observer.until(() => gateway.observer.calls.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(received).toBe('id: 1\ndata: {"a":1}\n\n');
    disk.open();
    expect((await sent.answer).body.toString()).toBe(
      'id: 1\ndata: {"a":1}\n\ndata: {"b":2}\n\nretry: 5\ndata: {\ndata: "c":\ndata: 3}\n\n'
    );
  });

  it('breaks the stream when a record is lost, and refuses it when the intent is', async () => {
    const sends: boolean[] = [];
    const seen = gate();
    const gateway = await bridged(async (exchange) => {
      const answer = exchange.openSse(exchange.begin(exchange.messages[0], AT).intent());
      sends.push(await answer.send({ data: '{"first":1}' }));
      if (sends[0] === true) await seen.promise;
      sends.push(await answer.send({ data: '{"secret":1}', settled: lost() }));
      sends.push(await answer.send({ data: '{"later":1}' }));
      await answer.end();
    });
    const got = await send(gateway.url(), { body: JSON.stringify(call(1)), onChunk: () => seen.open() }).answer;
    expect(got.broken).toBe(true);
    expect(got.body.toString()).toBe('data: {"first":1}\n\n');
    gateway.observer.intentGate = lost;
    expect((await post(gateway.url(), call(2))).status).toBe(503);
    expect(sends).toEqual([true, false, false, false, false, false]);
  });

  it('hears when the client leaves, and its sends tell so', async () => {
    const left = gate();
    let sent: boolean | undefined;
    const gateway = await bridged(async (exchange) => {
      const answer = exchange.openSse(Promise.resolve());
      void answer.send({ data: '{}' });
      await new Promise<void>((resolve) => exchange.signal.addEventListener('abort', () => resolve()));
      sent = await answer.send({ data: '{}' });
      left.open();
    });
    const client = send(gateway.url(), { method: 'GET', onChunk: () => client.abort() });
    await left.promise;
    expect(sent).toBe(false);
  });

  it('waits for a slow reader', async () => {
    let sentBytes = 0;
    const data = JSON.stringify('x'.repeat(64 * 1024));
    const stop = gate();
    const gateway = await bridged(async (exchange) => {
      const answer = exchange.openSse(Promise.resolve());
      exchange.signal.addEventListener('abort', () => stop.open());
      while (await answer.send({ data })) sentBytes += data.length;
    });
    const client = send(gateway.url(), { method: 'GET', onHead: (res) => void res.pause() });
    let before = -1;
    while (sentBytes !== before || sentBytes === 0) {
      before = sentBytes;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(sentBytes).toBeLessThan(32 * 1024 * 1024);
    client.abort();
    await stop.promise;
  });

  it('opens a session whose client and owner are known from then on', async () => {
    const gateway = await bridged(async (exchange) => {
      const observation = exchange.begin(exchange.messages[0], AT);
      await exchange.sendJson(200, '{"jsonrpc":"2.0","id":1,"result":{}}', observation.end({ outcome: 'success' }), {
        'Mcp-Session-Id': 'new',
      });
    });
    await post(gateway.url(), {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-06-18', clientInfo: { name: 'c', version: '1' } },
    });
    await post(gateway.url(), call(1), { 'mcp-session-id': 'new' });
    expect(gateway.observer.only('tools/call').start).toMatchObject({
      client: { name: 'c', version: '1' },
      protocolVersion: '2025-06-18',
      upstreamTransport: 'stdio',
    });
  });

  it('is answered with 500 and no detail when the bridge has a bug', async () => {
    const gateway = await bridged(() => Promise.reject(new Error('MARKER')));
    const got = await post(gateway.url(), call(1));
    expect(got.status).toBe(500);
    expect(got.body.toString()).not.toContain('MARKER');
  });
});
