/**
 * Event streams that are over before their calls were answered. A client that cannot resume gets a JSON-RPC error for each
 * of them, readable by a parser of event streams whatever half event came before; one that can resume gets none.
 */
import type { ServerResponse } from 'node:http';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterEach, describe, expect, it } from 'vitest';
import { capturedText } from './recording-observer.ts';
import { call, closeAll, json, post, result, send, startGateway, startUpstream } from './running-gateway.ts';

afterEach(closeAll);

const progress =
  'data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}\n\n';

function openStream(res: ServerResponse): void {
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  res.flushHeaders();
}

/** Sends the bytes and then resets the connection, once the gateway has them. */
function breakOff(res: ServerResponse, bytes: string): void {
  openStream(res);
  res.write(bytes, () => setImmediate(() => res.destroy()));
}

/** As the WHATWG standard reads a stream: what would be handed to somebody who listens to messages. */
function messagesOf(body: Buffer): { id?: unknown; error?: { code: number; message: string } }[] {
  return body
    .toString()
    .split(/\r\n\r\n|\n\n|\r\r/)
    .slice(0, -1)
    .flatMap((event) => {
      const lines = event.split(/\r\n|\n|\r/);
      const name =
        lines
          .findLast((line) => line.startsWith('event:'))
          ?.slice(6)
          .trim() ?? 'message';
      const data = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice(5).trim());
      return name === 'message' && data.length > 0 ? [JSON.parse(data.join('\n')) as object] : [];
    });
}

const reset = { code: -32002, message: expect.stringContaining('closed the connection') as string };

describe('a stream that breaks off', () => {
  it.each([
    ['between two events', progress],
    ['before any event', ': hi\n\n'],
    ['within the data of an event', `${progress}data: {"jsonrpc":"2.0","id":1,"resu`],
    ['behind a line of data', `${progress}data: {"jsonrpc":"2.0","id":1,"result":{}}\n`],
    ['behind a line of data that ended in CR', `${progress}data: {"jsonrpc":"2.0","id":1,"result":{}}\r`],
    ['within a name of a field', `${progress}da`],
    ['within the name of an event', `${progress}event: mess`],
    ['within a comment', `${progress}: keep-al`],
  ])('%s ends with an error for the call', async (_where, bytes) => {
    const upstream = await startUpstream((_seen, res) => breakOff(res, bytes));
    const gateway = await startGateway(upstream.url);
    const got = await post(gateway.url(), call('a"1'));
    expect(got.broken).toBe(false);
    // its bytes came through untouched
    expect(got.body.toString().startsWith(bytes)).toBe(true);
    expect(messagesOf(got.body).filter((one) => 'id' in one)).toEqual([{ jsonrpc: '2.0', id: 'a"1', error: reset }]);
    const record = gateway.observer.only('tools/call');
    expect(record).toMatchObject({
      kept: true,
      end: { outcome: 'upstream_unreachable', errorType: 'upstream_reset', rpcErrorCode: -32002, httpStatus: 200 },
    });
    expect(capturedText(record)).toBe(got.body.toString());
  });

  it('because it was silent for too long ends with an error, too, as a timeout', async () => {
    const upstream = await startUpstream((_seen, res) => {
      openStream(res);
      res.write(progress);
    });
    const gateway = await startGateway(upstream.url, { relay: { requestTimeoutMs: 1000 } });
    const got = await post(gateway.url(), call(1));
    expect(messagesOf(got.body).at(-1)).toMatchObject({
      id: 1,
      error: { message: expect.stringContaining('in time') },
    });
    expect(gateway.observer.only('tools/call').end).toMatchObject({
      outcome: 'timeout',
      errorType: 'upstream_timeout',
    });
  });

  it('answers only those calls of a batch that have no answer yet', async () => {
    const upstream = await startUpstream((_seen, res) => breakOff(res, `data: ${JSON.stringify(result(1))}\n\n`));
    const gateway = await startGateway(upstream.url);
    const got = await post(gateway.url(), [call(1), call(2), call(3)]);
    expect(messagesOf(got.body).map((one) => [one.id, one.error?.code])).toEqual([
      [1, undefined],
      [2, -32002],
      [3, -32002],
    ]);
    expect(gateway.observer.of('tools/call').map((one) => one.end?.outcome)).toEqual([
      'success',
      'upstream_unreachable',
      'upstream_unreachable',
    ]);
  });

  it('gives no answer to a call that the client has cancelled', async () => {
    let broken: () => void = () => undefined;
    const upstream = await startUpstream((seen, res) => {
      if (!seen.body.includes('tools/call')) return void res.writeHead(202).end();
      openStream(res);
      res.write(progress);
      broken = () => res.destroy();
    });
    const gateway = await startGateway(upstream.url);
    const session = { 'mcp-session-id': 's' };
    const got = post(gateway.url(), call(1), session);
    await gateway.observer.until(() => upstream.seen.length > 0);
    const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } };
    await post(gateway.url(), cancel, session);
    broken();
    expect(messagesOf((await got).body).filter((one) => 'id' in one)).toEqual([]);
  });

  it('that the server ends in good order without the answer is told, too', async () => {
    const upstream = await startUpstream((_seen, res) => {
      openStream(res);
      res.end(progress);
    });
    const gateway = await startGateway(upstream.url);
    const got = await post(gateway.url(), call(1));
    expect(messagesOf(got.body).at(-1)).toMatchObject({ id: 1, error: reset });
    expect(gateway.observer.only('tools/call').end).toMatchObject({
      outcome: 'upstream_unreachable',
      errorType: 'upstream_protocol',
      rpcErrorCode: -32002,
    });
  });

  it.each([
    ['ends in good order', (res: ServerResponse) => res.end(), false, { outcome: 'success' }],
    [
      'breaks off',
      (res: ServerResponse) => setImmediate(() => res.destroy()),
      true,
      { outcome: 'upstream_unreachable', errorType: 'upstream_reset' },
    ],
  ])('of a client that listens adds nothing when it %s: its end says all', async (_label, end, broken, recorded) => {
    const upstream = await startUpstream((_seen, res) => {
      openStream(res);
      res.write(progress, () => end(res));
    });
    const gateway = await startGateway(upstream.url);
    const listen = { jsonrpc: '2.0', id: 'l', method: 'subscriptions/listen', params: {} };
    const got = await post(gateway.url(), listen, { 'mcp-protocol-version': '2026-07-28' });
    expect([got.broken, got.body.toString()]).toEqual([broken, progress]);
    const record = await gateway.observer.ended('subscriptions/listen');
    expect(record.end).toMatchObject(recorded);
    expect(record.end?.rpcErrorCode).toBeUndefined();
  });

  it('in the stateless era has nothing to be resumed by, even with event ids', async () => {
    const upstream = await startUpstream((_seen, res) => breakOff(res, `id: 7\n${progress}`));
    const gateway = await startGateway(upstream.url);
    const got = await post(gateway.url(), call(1), { 'mcp-protocol-version': '2026-07-28' });
    expect(messagesOf(got.body).at(-1)).toMatchObject({ id: 1, error: reset });
  });

  it('with event ids stays without an answer, since the client can resume it', async () => {
    const upstream = await startUpstream((seen, res) => {
      if (seen.method === 'POST') {
        breakOff(res, `id: 7\n${progress}`);
        return;
      }
      openStream(res);
      res.end(`id: 8\ndata: ${JSON.stringify(result(1))}\n\n`);
    });
    const gateway = await startGateway(upstream.url);
    for (const headers of [{ 'mcp-session-id': 's' }, {}]) {
      const got = await post(gateway.url(), call(1), headers);
      expect(got.broken).toBe(true);
      expect(messagesOf(got.body).filter((one) => 'id' in one)).toEqual([]);
    }
    await send(gateway.url(), { method: 'GET', headers: { 'mcp-session-id': 's', 'last-event-id': '7' } }).answer;
    expect(gateway.observer.of('tools/call')[0]?.end).toMatchObject({ outcome: 'success' });
  });
});

describe('the reference client', () => {
  async function connected(breakCall: (res: ServerResponse) => void) {
    const upstream = await startUpstream((seen, res) => {
      if (seen.method !== 'POST') return void res.writeHead(405).end();
      const { id, method } = JSON.parse(seen.body.toString()) as { id?: number; method: string };
      if (method === 'initialize') {
        const serverInfo = { name: 'up', version: '1' };
        json(res, result(id, { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo }));
        return;
      }
      if (id === undefined) return void res.writeHead(202).end();
      breakCall(res);
    });
    const gateway = await startGateway(upstream.url);
    const client = new Client({ name: 'c', version: '1' });
    await client.connect(new StreamableHTTPClientTransport(gateway.url()));
    return client;
  }

  it('sees an error of the call at once, not its own timeout, also behind half an event', async () => {
    const client = await connected((res) => breakOff(res, 'data: {"jsonrpc":"2.0","id":1,"resu'));
    const errors: Error[] = [];
    client.onerror = (error) => errors.push(error);
    await expect(client.callTool({ name: 'any' })).rejects.toMatchObject({ code: -32002 });
    expect(errors).toEqual([]);
    await client.close();
  });
});

describe('a redirect', () => {
  it.each([301, 302, 303, 307, 308])('%i is refused: no client is sent past the gateway', async (status) => {
    const upstream = await startUpstream((_seen, res) => {
      res.writeHead(status, { location: 'http://10.0.0.7:9/secret?token=1', 'content-type': 'application/json' });
      res.end('{"moved":true}');
    });
    const gateway = await startGateway(upstream.url);
    for (const method of ['POST', 'GET', 'DELETE']) {
      const body = method === 'POST' ? { body: JSON.stringify(call(1)) } : {};
      const got = await send(gateway.url(), { method, ...body }).answer;
      expect([got.status, got.headers.location]).toEqual([502, undefined]);
      expect(JSON.stringify([got.body.toString(), got.rawHeaders])).not.toMatch(/10\.0\.0\.7|secret/);
      expect(JSON.parse(got.body.toString())).toMatchObject({
        id: method === 'POST' ? 1 : null,
        error: { code: -32002, message: expect.stringContaining('final URL') },
      });
    }
    expect(upstream.seen).toHaveLength(3);
    const { end } = gateway.observer.only('tools/call');
    expect(end).toMatchObject({ outcome: 'upstream_unreachable', errorType: 'upstream_redirect', httpStatus: 502 });
    // where to is for auditors to see
    expect(end?.responseHeaders).toContainEqual(['location', 'http://10.0.0.7:9/secret?token=1']);
  });

  it('or another place is in no header of an answer either', async () => {
    const elsewhere = {
      location: 'http://10.0.0.7/task/1',
      'content-location': 'http://10.0.0.7/x',
      refresh: '0; url=http://10.0.0.7/',
      'alt-svc': 'h3="10.0.0.7:443"',
    };
    const upstream = await startUpstream((_seen, res) => json(res, result(1), 200, elsewhere));
    const gateway = await startGateway(upstream.url);
    const got = await post(gateway.url(), call(1));
    expect(got.status).toBe(200);
    expect(JSON.stringify(got.rawHeaders)).not.toContain('10.0.0.7');
    expect(gateway.observer.only('tools/call').end?.responseHeaders).toContainEqual(['location', elsewhere.location]);
  });
});
