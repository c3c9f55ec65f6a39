import { afterEach, describe, expect, it } from 'vitest';
import type { Recorded } from './recording-observer.ts';
import { capturedText, gate, traceparentOf } from './recording-observer.ts';
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

describe('bytes in are bytes out', () => {
  const odd =
    '{ "jsonrpc" : "2.0",\r\n\t"id":"\\u00fc","method":"tools/call", "params":{"name":"e\\u0063ho","arguments":{"x":1.0e2,"x":"𝄞"}}}';

  it('passes an odd but valid body and an odd answer unchanged', async () => {
    const answer = '{"id" : "ü" ,"result":{"content":[{"type":"text","text":"\\ud834\\udd1e"}]},\n"jsonrpc":"2.0"}';
    const upstream = await startUpstream((_seen, res) => json(res, answer));
    const gateway = await startGateway(upstream.url, { relay: { injectMeta: 'never' } });
    const got = await post(gateway.url(), odd);
    expect(got.body.toString()).toBe(answer);
    expect(upstream.seen[0]?.body.toString()).toBe(odd);
    expect(gateway.observer.only('tools/call')).toMatchObject({
      start: {
        kind: 'request',
        rpcId: '"\\u00fc"',
        target: { type: 'tool', name: 'echo' },
        server: 'up',
        caller: { userKey: 'ana' },
      },
      end: { outcome: 'success', httpStatus: 200 },
    });
    expect(capturedText(gateway.observer.only('tools/call'))).toBe(answer);
  });

  it('changes nothing of a body but the trace context', async () => {
    const upstream = await startUpstream((_seen, res) => json(res, result(1)));
    const gateway = await startGateway(upstream.url);
    const theirs = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const cases: [string, (own: string) => string][] = [
      [
        `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","_meta":{"x":1,"traceparent": "${theirs}" ,"y":2}}}`,
        (own) =>
          `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","_meta":{"x":1,"traceparent": "${own}" ,"y":2}}}`,
      ],
      [
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","_meta":{"x":1}}}',
        (own) =>
          `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","_meta":{"traceparent":"${own}","x":1}}}`,
      ],
      [
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}',
        (own) =>
          `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{"traceparent":"${own}"},"name":"a"}}`,
      ],
      [
        '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{ }}',
        (own) => `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"traceparent":"${own}"} }}`,
      ],
      [
        '{"jsonrpc":"2.0","id":1,"method":"ping" }',
        (own) => `{"jsonrpc":"2.0","id":1,"method":"ping" ,"params":{"_meta":{"traceparent":"${own}"}}}`,
      ],
      [
        '{"jsonrpc":"2.0","id":1,"method":"ping","params":null}',
        () => '{"jsonrpc":"2.0","id":1,"method":"ping","params":null}',
      ],
      [
        '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":[]}}',
        () => '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":[]}}',
      ],
    ];
    for (const [index, [sent, expected]] of cases.entries()) {
      await post(gateway.url(), sent, { 'mcp-session-id': 's' });
      const seen = upstream.seen[index];
      expect(seen?.body.toString()).toBe(expected(traceparentOf(index + 1)));
      expect(seen?.headers['content-length']).toBe(String(seen?.body.length));
      expect(seen?.headers.traceparent).toBe(traceparentOf(index + 1));
      // the record has what the client sent
      expect(Buffer.from(gateway.observer.calls[index]?.start.requestBody ?? []).toString()).toBe(sent);
    }
    expect(gateway.observer.calls[0]?.start.metaTrace?.traceparent).toBe(theirs);
    // without a session, `_meta` would tell the server another protocol era
    await post(gateway.url(), call(1));
    expect(upstream.seen.at(-1)?.body.toString()).toBe(JSON.stringify(call(1)));
    expect(upstream.seen.at(-1)?.headers.traceparent).toBe(traceparentOf(cases.length + 1));
  });

  it('passes a body and an answer of 5 MB whole', async () => {
    const text = 'ä€\\"'.repeat(750_000);
    const upstream = await startUpstream((seen, res) =>
      json(res, result(1, { content: [{ type: 'text', text: seen.body.length.toString() + text }] }))
    );
    const gateway = await startGateway(upstream.url, { relay: { injectMeta: 'never' } });
    const sent = JSON.stringify(call(1, 'echo', { arguments: { text } }));
    const got = await post(gateway.url(), sent);
    expect(upstream.seen[0]?.body.equals(Buffer.from(sent))).toBe(true);
    const answer = JSON.parse(got.body.toString()) as { result: { content: { text: string }[] } };
    expect(answer.result.content[0]?.text).toBe(Buffer.byteLength(sent).toString() + text);
    const { response } = gateway.observer.only('tools/call').end ?? {};
    expect(response?.bytes).toBe(got.body.length);
    expect(Buffer.concat(response?.chunks ?? [])).toHaveLength(262_144);
  });
});

describe('cache hints (2026-07-28)', () => {
  it('are the client’s to go by: they pass, and each request reaches the server', async () => {
    const hints = { resultType: 'complete', ttlMs: 3_600_000, cacheScope: 'public', tools: [] };
    const upstream = await startUpstream((_seen, res) =>
      json(res, result(1, hints), 200, { 'cache-control': 'max-age=3600', etag: '"1"' })
    );
    const gateway = await startGateway(upstream.url);
    const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' };
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    for (let turn = 1; turn <= 2; turn += 1) {
      const list = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: meta } };
      const got = await post(gateway.url(), list, headers);
      expect(JSON.parse(got.body.toString())).toEqual(result(1, hints));
      expect(got.headers).toMatchObject({ 'cache-control': 'max-age=3600', etag: '"1"' });
      expect(upstream.seen).toHaveLength(turn);
    }
  });
});

describe('headers', () => {
  it('go upstream without credentials and connection headers, with those configured', async () => {
    const upstream = await startUpstream((_seen, res) => json(res, result(1)));
    const gateway = await startGateway(upstream.url, {
      relay: { headers: { Authorization: 'Bearer upstream', 'X-Tenant': 't1' } },
    });
    const got = await post(gateway.url(), call(1), {
      authorization: 'Bearer client', cookie: 'a=b', 'x-api-key': 'k', 'proxy-authorization': 'p', 'x-tenant': 'forged',
      connection: 'keep-alive, X-Private', 'x-private': '1', te: 'trailers',
      'accept-encoding': 'gzip', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: 'a=b', baggage: 'k=v',
      'Mcp-Session-Id': 's1', 'MCP-Protocol-Version': '2025-11-25', 'Mcp-Param-Region': 'eu', 'Mcp-Method': 'tools/call', 'Mcp-Name': 'echo', 'Last-Event-ID': '7', 'X-Custom': 'kept', 'user-agent': 'me',
    }); // prettier-ignore
    expect(got.body.toString()).toBe(JSON.stringify(result(1)));
    const headers = upstream.seen[0]?.headers ?? {};
    expect(headers).toMatchObject({
      authorization: 'Bearer upstream', 'x-tenant': 't1', 'mcp-session-id': 's1', 'mcp-protocol-version': '2025-11-25', 'mcp-param-region': 'eu',
      'mcp-method': 'tools/call', 'mcp-name': 'echo', 'last-event-id': '7', 'x-custom': 'kept', 'user-agent': 'me', accept: 'application/json, text/event-stream',
      baggage: 'k=v', host: new URL(upstream.url).host, traceparent: traceparentOf(1),
    }); // prettier-ignore
    for (const name of [
      'cookie',
      'x-api-key',
      'proxy-authorization',
      'x-private',
      'te',
      'accept-encoding',
      'tracestate',
    ])
      expect(headers).not.toHaveProperty(name);
    expect(gateway.observer.only('tools/call').start).toMatchObject({
      session: { id: 's1', kind: 'mcp' },
      protocolVersion: '2025-11-25',
      httpTrace: { tracestate: 'a=b', baggage: 'k=v' },
    });
  });

  it('of the answer come back with status and spelling, but for cookies and connection headers', async () => {
    const url = await startRawUpstream((socket) => {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, error: { code: -32601, message: 'no' } });
      socket.write(
        `HTTP/1.1 404 Nicht Da\r\nContent-Type: application/json\r\nX-OdD: \xfc\r\nX-Twice: a\r\nX-Twice: b\r\nSet-Cookie: s=1\r\nKeep-Alive: timeout=9\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        'latin1'
      );
    });
    const gateway = await startGateway(url);
    const got = await post(gateway.url(), call(1));
    expect(got.status).toBe(404);
    const raw = got.rawHeaders.join('\n');
    expect(raw).toContain('X-OdD\n\xfc');
    expect(raw).toContain('X-Twice\na\nX-Twice\nb');
    expect(raw).not.toMatch(/set-cookie|timeout=9/i);
    expect(gateway.observer.only('tools/call').end).toMatchObject({
      outcome: 'rpc_error',
      rpcErrorCode: -32601,
      errorType: '-32601',
      httpStatus: 404,
    });
  });
});

describe('outcomes', () => {
  const rpc = (error: object | undefined, value: object = {}): object => ({
    jsonrpc: '2.0',
    id: 1,
    ...(error === undefined ? { result: value } : { error }),
  });
  it.each([
    ['a result', 200, rpc(undefined), 'application/json', { outcome: 'success' }],
    [
      'isError',
      200,
      rpc(undefined, { isError: true }),
      'application/json',
      { outcome: 'tool_error', errorType: 'tool_error' },
    ],
    [
      'an error on 200',
      200,
      rpc({ code: -32000, message: 'x' }),
      'application/json',
      { outcome: 'rpc_error', rpcErrorCode: -32000 },
    ],
    [
      'an error on 400 without an id',
      400,
      { jsonrpc: '2.0', id: null, error: { code: -32600, message: 'x' } },
      'application/json',
      { outcome: 'rpc_error', errorType: '-32600', httpStatus: 400 },
    ],
    [
      'an error on 404 without a media type',
      404,
      { jsonrpc: '2.0', id: 'server-error', error: { code: -32001, message: 'x' } },
      '',
      { outcome: 'rpc_error', errorType: '-32001' },
    ],
    ['plain 500', 500, 'oops', 'text/plain', { outcome: 'upstream_unreachable', errorType: 'http_500' }],
    [
      'OAuth 403',
      403,
      { error: 'insufficient_scope' },
      'application/json',
      { outcome: 'upstream_unreachable', errorType: 'http_403' },
    ],
    ['HTML on 200', 200, '<html>', 'text/html', { outcome: 'upstream_unreachable', errorType: 'upstream_protocol' }],
    [
      'half a JSON',
      200,
      '{"jsonrpc":"2.0","id":1,"result":{',
      'application/json',
      { outcome: 'upstream_unreachable', errorType: 'upstream_protocol' },
    ],
    [
      'an answer to something else',
      200,
      { jsonrpc: '2.0', id: 2, result: {} },
      'application/json',
      { outcome: 'upstream_unreachable', errorType: 'upstream_protocol' },
    ],
    ['202 to a request', 202, '', '', { outcome: 'upstream_unreachable', errorType: 'upstream_protocol' }],
  ])('%s', async (_label, status, body, type, expected) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const upstream = await startUpstream((_seen, res) => {
      res.writeHead(status, type === '' ? {} : { 'content-type': type });
      res.end(text);
    });
    const gateway = await startGateway(upstream.url);
    const got = await post(gateway.url(), call(1));
    expect(got.status).toBe(status);
    expect(got.body.toString()).toBe(text);
    expect(gateway.observer.only('tools/call').end).toMatchObject(expected);
  });

  it('learns names of a list, and session, client and revision of initialize', async () => {
    const upstream = await startUpstream((seen, res) => {
      const { method } = JSON.parse(seen.body.toString()) as { method: string };
      if (method === 'initialize')
        json(res, result(1, { protocolVersion: '2025-06-18', serverInfo: { name: 's', version: '1' } }), 200, {
          'Mcp-Session-Id': 'abc',
        });
      else json(res, result(1, { tools: [{ name: 'a' }, { name: 'b' }] }));
    });
    const gateway = await startGateway(upstream.url);
    await post(gateway.url(), {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', clientInfo: { name: 'cli', version: '3' } },
    });
    await post(gateway.url(), { jsonrpc: '2.0', id: 1, method: 'tools/list' }, { 'mcp-session-id': 'abc' });
    expect(gateway.observer.only('initialize')).toMatchObject({
      start: { client: { name: 'cli', version: '3' }, protocolVersion: '2025-11-25', session: { kind: 'connection' } },
      end: { protocolVersion: '2025-06-18', session: { id: 'abc', kind: 'mcp' } },
    });
    expect(gateway.observer.only('tools/list')).toMatchObject({
      start: {
        client: { name: 'cli', version: '3' },
        protocolVersion: '2025-06-18',
        session: { id: 'abc', kind: 'mcp' },
      },
      end: { listed: { type: 'tool', names: ['a', 'b'] } },
    });
  });

  it('of a batch are recorded one by one, each with its own part of the answer', async () => {
    const upstream = await startUpstream((_seen, res) =>
      json(res, [result(2, { isError: true }), result('a'), { jsonrpc: '2.0', id: 3, error: { code: 1, message: '' } }])
    );
    const gateway = await startGateway(upstream.url);
    await post(
      gateway.url(),
      [
        call('a'),
        call(2),
        { jsonrpc: '2.0', method: 'notifications/initialized' },
        { jsonrpc: '2.0', id: 3, method: 'ping' },
        { jsonrpc: '2.0', id: 4, method: 'ping' },
      ],
      { 'mcp-session-id': 's' }
    );
    expect(gateway.observer.calls.map((one) => [one.start.kind, one.start.rpcId, one.end?.outcome])).toEqual([
      ['request', '"a"', 'success'],
      ['request', '2', 'tool_error'],
      ['notification', undefined, 'success'],
      ['request', '3', 'rpc_error'],
      ['request', '4', 'upstream_unreachable'],
    ]);
    expect(capturedText(gateway.observer.calls[1]!)).toBe(JSON.stringify(result(2, { isError: true })));
    expect(Buffer.from(gateway.observer.calls[1]?.start.requestBody ?? []).toString()).toBe(JSON.stringify(call(2)));
    const sent = JSON.parse(upstream.seen[0]?.body.toString() ?? '') as {
      params: { _meta: { traceparent: string } };
    }[];
    expect(sent.map((one) => one.params._meta.traceparent)).toEqual([1, 2, 3, 4, 5].map(traceparentOf));
  });

  it('of a batch keep its headers, the long ones whole in the first', async () => {
    const upstream = await startUpstream((_seen, res) => json(res, [result(1), result(2), result(3)]));
    const gateway = await startGateway(upstream.url);
    const long = 'v'.repeat(5000);
    await post(gateway.url(), [call(1), call(2), call(3)], { 'x-short': 'v', 'x-long': long });
    const [first, ...others] = gateway.observer.of('tools/call');
    const of = (one: Recorded | undefined, name: string) =>
      one?.start.requestHeaders.find((pair) => pair[0] === name)?.[1];
    expect(of(first, 'x-long')).toBe(long);
    expect(others).toHaveLength(2);
    for (const one of others) {
      expect(of(one, 'x-short')).toBe('v');
      expect(of(one, 'x-long')).toMatch(/^v{256}… /);
      expect(of(one, '(left out)')).toContain(first?.callId);
    }
    // the upstream got them as they came
    expect(upstream.seen[0]?.headers['x-long']).toBe(long);
  });
});

describe('nothing leaves before its record', () => {
  it('withholds the last byte of a JSON answer until the record is kept, and only that', async () => {
    const upstream = await startUpstream((_seen, res) => {
      res.writeHead(200, { 'content-type': 'application/json' });
      res.write('{"jsonrpc":"2.0","id":1,');
      setTimeout(() => res.end('"result":{}}'), 20);
    });
    const gateway = await startGateway(upstream.url);
    const disk = gate();
    gateway.observer.endGate = () => disk.promise;
    let received = '';
    const sent = send(gateway.url(), { body: JSON.stringify(call(1)), onChunk: (_chunk, all) => (received = all) });
    await gateway.observer.until(() => gateway.observer.calls[0]?.end !== undefined);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect('{"jsonrpc":"2.0","id":1,"result":{}'.startsWith(received)).toBe(true);
    expect(received.length).toBeGreaterThan(20);
    disk.open();
    const got = await sent.answer;
    expect(got.body.toString()).toBe('{"jsonrpc":"2.0","id":1,"result":{}}');
  });

  it('sends no byte, not even the head, before the intent is kept', async () => {
    const upstream = await startUpstream((_seen, res) => json(res, result(1)));
    const gateway = await startGateway(upstream.url);
    const disk = gate();
    gateway.observer.intentGate = () => disk.promise;
    let head = false;
    const sent = send(gateway.url(), { body: JSON.stringify(call(1)), onHead: () => (head = true) });
    while (upstream.seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(head).toBe(false);
    disk.open();
    expect((await sent.answer).status).toBe(200);
  });

  it('answers 202 to a notification after its record', async () => {
    const upstream = await startUpstream((_seen, res) => void res.writeHead(202).end());
    const gateway = await startGateway(upstream.url);
    const got = await post(gateway.url(), { jsonrpc: '2.0', method: 'notifications/initialized' });
    expect(got.status).toBe(202);
    expect(gateway.observer.only('notifications/initialized')).toMatchObject({
      kept: true,
      start: { kind: 'notification' },
      end: { outcome: 'success', httpStatus: 202 },
    });
  });
});
