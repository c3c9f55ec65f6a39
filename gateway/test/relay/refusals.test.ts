import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { AuthenticatedCaller } from '../../src/access/principal.ts';
import { gate, lost } from './recording-observer.ts';
import type { Answer } from './running-gateway.ts';
import {
  ANA,
  call,
  closeAll,
  json,
  post,
  rawExchange,
  result,
  send,
  startGateway,
  startUpstream,
} from './running-gateway.ts';
import type { GatewayOptions, RunningGateway, TestUpstream } from './running-gateway.ts';

afterEach(closeAll);

async function start(options: GatewayOptions = {}): Promise<{ gateway: RunningGateway; upstream: TestUpstream }> {
  const upstream = await startUpstream((seen, res) => {
    const { id } = JSON.parse(seen.body.toString() || '{}') as { id?: unknown };
    json(res, result(id ?? 0), 200, { 'Mcp-Session-Id': 'opened' });
  });
  return { gateway: await startGateway(upstream.url, options), upstream };
}

function told(got: Answer): { id: unknown; error: { code: number; message: string } } {
  return JSON.parse(got.body.toString()) as { id: unknown; error: { code: number; message: string } };
}

/** The refusal was recorded before it was answered, as an attempt, and nothing went upstream. */
function expectAttempt(gateway: RunningGateway, upstream: TestUpstream, end: object, start: object = {}): void {
  expect(gateway.observer.calls).toHaveLength(1);
  expect(gateway.observer.calls[0]).toMatchObject({
    kept: true,
    start: { kind: 'attempt', upstreamTransport: 'none', ...start },
    end,
  });
  expect(upstream.seen).toHaveLength(0);
}

describe('where a request comes from', () => {
  it.each([
    ['a foreign Host', { host: 'evil.example' }],
    ['a Host that only looks local', { host: '127.0.0.1.evil.example' }],
    ['a Host that only looks local', { host: 'localhost:80@evil.example' }],
    ['a foreign Origin', { origin: 'https://evil.example' }],
    ['the null Origin', { origin: 'null' }],
    ['an Origin that only looks local', { origin: 'http://localhost.evil.example' }],
  ])('%s is refused with 403', async (_label, headers) => {
    const { gateway, upstream } = await start();
    const got = await post(gateway.url(), call(1), headers);
    // Node or the framework may refuse an impossible Host before us; it must not reach the upstream
    expect([400, 403]).toContain(got.status);
    expect(upstream.seen).toHaveLength(0);
    if (got.status === 400) expectAttempt(gateway, upstream, { errorType: 'invalid_request' });
    if (got.status === 403)
      expectAttempt(gateway, upstream, {
        outcome: 'denied',
        deniedBy: 'origin',
        errorType: 'origin_denied',
        httpStatus: 403,
      });
  });

  it.each([
    [{ host: 'localhost:1234' }],
    [{ host: '[::1]:80' }],
    [{ host: 'Gate.Example:8080' }],
    [{ origin: 'http://localhost:6274' }],
    [{ origin: 'https://inspector.example' }],
  ])('%j is ours', async (headers) => {
    const { gateway } = await start({
      deps: { guard: { allowedHosts: ['gate.example'], allowedOrigins: ['https://inspector.example'] } },
    });
    expect((await post(gateway.url(), call(1), headers)).status).toBe(200);
  });

  it('headers that are too many or too long are refused with 431, also when Node itself cuts them off', async () => {
    const { gateway, upstream } = await start();
    const many = Object.fromEntries(Array.from({ length: 120 }, (_unused, index) => [`x-${index}`, '1']));
    expect((await post(gateway.url(), call(1), many)).status).toBe(431);
    expect((await post(gateway.url(), call(1), { 'x-long': 'x'.repeat(20_000) })).status).toBe(431);
    const text = await rawExchange(
      gateway.port,
      `GET /mcp/up HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(80_000)}\r\n\r\n`
    );
    expect(text).toMatch(/^HTTP\/1\.1 431 /);
    expect(gateway.observer.calls.map((one) => [one.kept, one.end?.deniedBy, one.end?.errorType])).toEqual(
      Array(3).fill([true, 'size_limit', 'headers_too_large'])
    );
    expect(upstream.seen).toHaveLength(0);
  });

  it('what is no HTTP is refused and recorded without a byte of it', async () => {
    const { gateway } = await start();
    expect(await rawExchange(gateway.port, 'MARKER / nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect(JSON.stringify(gateway.observer.calls)).not.toContain('MARKER');
    expect(gateway.observer.calls[0]).toMatchObject({
      kept: true,
      start: { kind: 'attempt', method: '' },
      end: { outcome: 'rpc_error' },
    });
  });

  const SMUGGLED = 'POST /mcp/up HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}';
  it.each([
    ['two ways to tell the length', `Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
    ['an encoding that only looks chunked', `Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
    ['an encoding with a tab', `Transfer-Encoding:\tchunked, identity\r\n\r\n0\r\n\r\n${SMUGGLED}`],
    ['two lengths', `Content-Length: 2\r\nContent-Length: 0\r\n\r\n{}${SMUGGLED}`],
    ['a length with a sign', `Content-Length: +2\r\n\r\n{}${SMUGGLED}`],
    ['a bare line feed between headers', `X-A: b\nContent-Length: 2\r\n\r\n{}${SMUGGLED}`],
    ['a header over two lines', `X-A: b\r\n Content-Length: 0\r\nContent-Length: 2\r\n\r\n{}${SMUGGLED}`],
    ['a blank before the colon', `Content-Length : 0\r\nContent-Length: 2\r\n\r\n{}${SMUGGLED}`],
    ['a NUL in a header', `X-A: b\0c\r\nContent-Length: 2\r\n\r\n{}${SMUGGLED}`],
  ])('%s ends the connection: what follows is no request', async (_what, rest) => {
    const { gateway, upstream } = await start();
    const got = await rawExchange(
      gateway.port,
      `POST /mcp/up HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${rest}`
    );
    expect(got).toMatch(/^HTTP\/1\.1 400 /);
    expect(got.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    await gateway.observer.until(() => gateway.observer.calls.some(({ kept }) => kept));
    expect(upstream.seen).toHaveLength(0);
  });

  it('a tunnel to somewhere else is refused and recorded', async () => {
    const { gateway, upstream } = await start();
    const { port } = new URL(upstream.url);
    const got = await rawExchange(
      gateway.port,
      `CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`
    );
    expect(got).toMatch(/^HTTP\/1\.1 400 /);
    expect(gateway.observer.calls).toMatchObject([
      { kept: true, start: { kind: 'attempt' }, end: { outcome: 'rpc_error', errorType: 'invalid_request' } },
    ]);
    expect(upstream.seen).toHaveLength(0);
  });

  it('a header that decides and comes twice is refused', async () => {
    const { gateway, upstream } = await start();
    const got = await rawExchange(
      gateway.port,
      `POST /mcp/up HTTP/1.1\r\nHost: localhost\r\nMcp-Session-Id: a\r\nMcp-Session-Id: b\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`
    );
    expect(got).toMatch(/^HTTP\/1\.1 400 /);
    expectAttempt(gateway, upstream, { errorType: 'invalid_request' });
  });
});

describe('who calls', () => {
  it('nobody is 401 with the challenge, before anything is told about servers or bodies', async () => {
    const { gateway, upstream } = await start({
      authenticate: () => ({
        ok: false,
        reason: 'no_credentials',
        code: 'unauthenticated',
        wwwAuthenticate: 'Bearer resource_metadata="https://g/.well-known/oauth-protected-resource/mcp/up"',
      }),
    });
    const got = await post(gateway.url('not-there'), '{broken');
    expect(got.status).toBe(401);
    expect(got.headers['www-authenticate']).toContain('resource_metadata=');
    expectAttempt(
      gateway,
      upstream,
      { outcome: 'denied', deniedBy: 'authentication', errorType: 'unauthenticated' },
      { caller: { userKey: '', authMethod: 'none' } }
    );
  });

  it('a token without scopes is 403, a flood is 429', async () => {
    const noScope = await start({
      authenticate: () => ({ ok: false, reason: 'token_lacks_scope', code: 'forbidden', wwwAuthenticate: 'Bearer' }),
    });
    expect((await post(noScope.gateway.url(), call(1))).status).toBe(403);
    const flooded = await start({ deps: { rateLimiter: { take: () => ({ ok: false, retryAfterMs: 1500 }) } } });
    const got = await post(flooded.gateway.url(), call(1));
    expect([got.status, got.headers['retry-after']]).toEqual([429, '2']);
    expectAttempt(flooded.gateway, flooded.upstream, { outcome: 'denied', deniedBy: 'rate_limit' });
  });

  it("somebody else's session is 404, as if it were not there", async () => {
    const bo: AuthenticatedCaller = { ...ANA, userKey: 'bo' };
    const { gateway, upstream } = await start({
      authenticate: (headers) => ({ ok: true, caller: headers['x-who'] === 'bo' ? bo : ANA }),
    });
    await post(gateway.url(), { jsonrpc: '2.0', id: 1, method: 'initialize', params: {} });
    expect((await post(gateway.url(), call(2), { 'mcp-session-id': 'opened' })).status).toBe(200);
    const before = upstream.seen.length;
    for (const method of ['POST', 'GET', 'DELETE']) {
      const got = await send(gateway.url(), {
        method,
        headers: { 'mcp-session-id': 'opened', 'x-who': 'bo' },
        ...(method === 'POST' ? { body: JSON.stringify(call(3)) } : {}),
      }).answer;
      expect(got.status).toBe(404);
    }
    expect(upstream.seen).toHaveLength(before);
    expect(
      gateway.observer.calls.filter((one) => one.start.kind === 'attempt').map((one) => one.end?.errorType)
    ).toEqual(Array(3).fill('session_unknown'));
  });
});

describe('what is asked for', () => {
  it('an unknown server is 404 and does not come back in the text', async () => {
    const { gateway, upstream } = await start();
    const got = await post(gateway.url('<b>secret'), call(1));
    expect(got.status).toBe(404);
    expect(got.body.toString()).not.toContain('secret');
    expectAttempt(gateway, upstream, { errorType: 'server_unknown' }, { server: '<b>secret', serverKnown: false });
  });

  it('other methods are 405, other paths 404', async () => {
    const { gateway } = await start();
    for (const method of ['PUT', 'PATCH', 'OPTIONS', 'HEAD']) {
      const got = await send(gateway.url(), { method }).answer;
      expect([got.status, got.headers.allow]).toEqual([405, 'GET, POST, DELETE']);
    }
    for (const path of ['/', '/mcp', '/mcp/', '/mcp/up/x', '/mcp/../healthz/x']) {
      expect((await send(new URL(path, gateway.url()), { method: 'POST', body: '{}' }).answer).status).toBe(404);
    }
  });

  it.each([
    ['text/plain', {}],
    ['application/jsonp', {}],
    ['application/json; charset=utf-16', {}],
    ['application/json', { 'content-encoding': 'gzip' }],
    ['', {}],
  ])('the media type %j %j is 415', async (type, headers) => {
    const { gateway, upstream } = await start();
    const got = await post(gateway.url(), call(1), { 'content-type': type, ...headers });
    expect(got.status).toBe(415);
    expectAttempt(gateway, upstream, { errorType: 'media_type_unsupported' });
  });

  it('application/json with charset utf-8 is fine', async () => {
    const { gateway } = await start();
    expect((await post(gateway.url(), call(1), { 'content-type': 'Application/JSON; Charset="UTF-8"' })).status).toBe(
      200
    );
  });

  it.each([
    ['malformed JSON', '{"jsonrpc":"2.0","id":7,"method":"ping"', 400, -32700, null],
    ['nothing', '', 400, -32700, null],
    ['a byte order mark', `\ufeff${JSON.stringify(call(1))}`, 400, -32700, null],
    ['no JSON-RPC', '{"id":7}', 400, -32600, null],
    ['an old JSON-RPC', '{"jsonrpc":"1.0","id":7,"method":"ping"}', 400, -32600, null],
    ['an empty batch', '[]', 400, -32600, null],
    [
      'a method twice',
      '{"jsonrpc":"2.0","id":7,"method":"tools/list","method":"tools/call","params":{"name":"x"}}',
      400,
      -32600,
      7,
    ],
    [
      'a tool twice',
      '{"jsonrpc":"2.0","id":"q","method":"tools/call","params":{"name":"a","Name":"b"}}',
      400,
      -32600,
      'q',
    ],
    [
      'a tool that is no text',
      '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":["a"]}}',
      400,
      -32602,
      7,
    ],
    [
      'too deep',
      `{"jsonrpc":"2.0","id":7,"method":"a","params":${'['.repeat(2000)}${']'.repeat(2000)}}`,
      400,
      -32700,
      null,
    ],
  ])('%s is told and recorded', async (_label, body, status, code, id) => {
    const { gateway, upstream } = await start();
    const got = await post(gateway.url(), body);
    expect(got.status).toBe(status);
    expect(told(got)).toMatchObject({ id, error: { code } });
    expectAttempt(gateway, upstream, { outcome: 'rpc_error', rpcErrorCode: code, httpStatus: status });
    expect(Buffer.from(gateway.observer.calls[0]?.start.requestBody ?? []).toString()).toBe(body);
  });

  it('text that is no UTF-8 is malformed', async () => {
    const { gateway, upstream } = await start();
    const body = Buffer.from(JSON.stringify(call(1, 'X')));
    body[body.indexOf('X')] = 0xff;
    const got = await send(gateway.url(), { body }).answer;
    expect(told(got).error.code).toBe(-32700);
    expectAttempt(gateway, upstream, { errorType: 'parse_error' });
  });

  it('headers that contradict the body are -32020, and base64 names are understood', async () => {
    const { gateway, upstream } = await start();
    for (const headers of [{ 'mcp-method': 'tools/list' }, { 'mcp-method': 'tools/call', 'mcp-name': 'other' }]) {
      const got = await post(gateway.url(), call(1), headers);
      expect([got.status, told(got).error.code]).toEqual([400, -32020]);
    }
    expect(upstream.seen).toHaveLength(0);
    const name = 'wetter für morgen';
    const encoded = `=?base64?${Buffer.from(name).toString('base64')}?=`;
    expect((await post(gateway.url(), call(1, name), { 'mcp-method': 'tools/call', 'mcp-name': encoded })).status).toBe(
      200
    );
  });

  it('hostile names pass through untouched', async () => {
    const { gateway, upstream } = await start();
    const name = `\u0000\u001b[31m"><script>'; DROP TABLE calls; --\u202e${'x'.repeat(10_000)}`;
    expect((await post(gateway.url(), call(1, name))).status).toBe(200);
    expect((JSON.parse(upstream.seen[0]?.body.toString() ?? '') as { params: { name: string } }).params.name).toBe(
      name
    );
    expect(gateway.observer.only('tools/call').start.target).toEqual({ type: 'tool', name });
  });
});

describe('how much', () => {
  it('a body that announces too much is refused at once', async () => {
    const { gateway, upstream } = await start({ deps: { bodyBytes: 1000 } });
    const socket = connect(gateway.port, '127.0.0.1');
    const text = await new Promise<string>((resolve) => {
      socket.once('data', (chunk) => resolve(chunk.toString()));
      // nothing of the body is ever sent
      socket.write(
        'POST /mcp/up HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n'
      );
    });
    socket.destroy();
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
    expectAttempt(gateway, upstream, { outcome: 'denied', deniedBy: 'size_limit', errorType: 'body_too_large' });
  });

  it('a chunked body is refused when it grows too large, and the record says how far it came', async () => {
    const { gateway, upstream } = await start({ deps: { bodyBytes: 100_000 } });
    const socket = connect(gateway.port, '127.0.0.1');
    const block = 'x'.repeat(0x8000);
    const text = await new Promise<string>((resolve) => {
      socket.once('data', (chunk) => resolve(chunk.toString()));
      socket.on('error', () => undefined);
      socket.write(
        'POST /mcp/up HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n"\r\n'
      );
      for (let block16 = 0; block16 < 8; block16++) socket.write(`8000\r\n${block}\r\n`);
    });
    socket.destroy();
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
    expectAttempt(gateway, upstream, { errorType: 'body_too_large' });
    const { start: begun } = gateway.observer.calls[0]!;
    expect(begun.requestBytes).toBeGreaterThan(100_000);
    expect(begun.requestBody.length).toBeLessThanOrEqual(65_536);
  });

  it('a body just within the limit passes', async () => {
    const { gateway } = await start({ deps: { bodyBytes: 1000 } });
    const body = JSON.stringify(call(1)).padEnd(1000, ' ');
    expect((await post(gateway.url(), body)).status).toBe(200);
    expect((await post(gateway.url(), `${body} `)).status).toBe(413);
  });

  it('a client that sends half a body and leaves is recorded', async () => {
    const { gateway, upstream } = await start();
    const socket = connect(gateway.port, '127.0.0.1', () =>
      socket.write(
        'POST /mcp/up HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"half'
      )
    );
    setTimeout(() => socket.destroy(), 50);
    await gateway.observer.until(() => gateway.observer.calls.some((one) => one.kept));
    expectAttempt(gateway, upstream, { outcome: 'cancelled', errorType: 'client_gone' });
  });

  it('a client that sends too slowly is 408', async () => {
    const { gateway } = await start({ receiveTimeoutMs: 400 });
    const text = await rawExchange(gateway.port, 'POST /mcp/up HTTP/1.1\r\nHost: localhost\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
    const head =
      'POST /mcp/up HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n';
    expect(await rawExchange(gateway.port, `${head}{"half`)).toMatch(/^HTTP\/1\.1 408 /);
    await gateway.observer.until(() => gateway.observer.calls.filter((one) => one.kept).length === 2);
    expect(gateway.observer.calls.map((one) => one.end?.outcome)).toEqual(['rpc_error', 'cancelled']);
  });
});

describe('policy', () => {
  const denyTool = (tool: string): GatewayOptions => ({
    decide: (question) => ({
      allow: question.tool !== tool,
      rule: question.tool === tool ? 'no-delete' : '#2',
      reason: 'rule',
    }),
  });

  it('denies a tool with 200 and -32001, names the rule and shows no payload', async () => {
    const { gateway, upstream } = await start(denyTool('delete'));
    const got = await post(gateway.url(), call('x', 'delete', { arguments: { message: 'MARKER' } }));
    expect(got.status).toBe(200);
    expect(told(got)).toMatchObject({ id: 'x', error: { code: -32001 } });
    expect(told(got).error.message).toContain('"no-delete"');
    expect(got.body.toString()).not.toContain('MARKER');
    expectAttempt(
      gateway,
      upstream,
      { outcome: 'denied', deniedBy: 'policy', policyRule: 'no-delete' },
      { method: 'tools/call', target: { type: 'tool', name: 'delete' }, rpcId: '"x"', caller: ANA }
    );
    expect((await post(gateway.url(), call(2, 'echo'))).status).toBe(200);
  });

  it('sees a tool through any spelling of its name', async () => {
    const { gateway, upstream } = await start(denyTool('delete'));
    const got = await post(
      gateway.url(),
      '{"jsonrpc":"2.0","id":1,"params":{"n\\u0061me":"d\\u0065lete"},"method":"tools\\/call"}'
    );
    expect(told(got).error.code).toBe(-32001);
    expect(upstream.seen).toHaveLength(0);
  });

  it('refuses a whole batch for one denied member', async () => {
    const { gateway, upstream } = await start(denyTool('delete'));
    const got = await post(gateway.url(), [call(1), call(2, 'delete'), { jsonrpc: '2.0', method: 'notifications/x' }]);
    expect(got.status).toBe(200);
    expect(
      (JSON.parse(got.body.toString()) as { id: number; error: { code: number } }[]).map((one) => [
        one.id,
        one.error.code,
      ])
    ).toEqual([
      [1, -32001],
      [2, -32001],
    ]);
    expect(upstream.seen).toHaveLength(0);
    expect(gateway.observer.calls.map((one) => [one.start.kind, one.end?.outcome, one.end?.deniedBy])).toEqual(
      Array(3).fill(['attempt', 'denied', 'policy'])
    );
  });

  it('denies everything of a server: notifications, answers, streams, the end of a session', async () => {
    const { gateway, upstream } = await start({ decide: () => ({ allow: false, rule: '', reason: 'no_rule' }) });
    expect((await post(gateway.url(), { jsonrpc: '2.0', method: 'notifications/x' })).status).toBe(403);
    expect((await post(gateway.url(), result(1))).status).toBe(403);
    expect((await send(gateway.url(), { method: 'GET' }).answer).status).toBe(403);
    expect((await send(gateway.url(), { method: 'DELETE' }).answer).status).toBe(403);
    expect(upstream.seen).toHaveLength(0);
    expect(gateway.observer.calls.map((one) => one.end?.deniedBy)).toEqual(Array(4).fill('policy'));
  });

  it('names the rule in the record of what it lets pass, each message its own', async () => {
    const { gateway } = await start({
      decide: ({ method, tool }) => ({ allow: true, rule: `${method} ${tool ?? ''}`, reason: 'rule' }),
    });
    await post(gateway.url(), [call(1), { jsonrpc: '2.0', method: 'notifications/x' }, call(2, 'other')]);
    await send(gateway.url(), { method: 'GET' }).answer;
    expect(gateway.observer.calls.map((one) => [one.start.kind, one.start.policyRule])).toEqual([
      ['request', 'tools/call echo'],
      ['notification', 'notifications/x '],
      ['request', 'tools/call other'],
      ['stream', 'stream '],
    ]);
  });

  it('is asked with the methods that a rule can name', async () => {
    const asked: string[] = [];
    const { gateway } = await start({
      decide: ({ method, tool }) => {
        asked.push(`${method} ${tool ?? ''}`);
        return { allow: true, rule: '', reason: 'rule' };
      },
    });
    await post(gateway.url(), [
      call(1),
      { jsonrpc: '2.0', id: 2, method: 'prompts/get', params: { name: 'p' } },
      result(3),
    ]);
    await send(gateway.url(), { method: 'GET' }).answer;
    await send(gateway.url(), { method: 'DELETE' }).answer;
    expect(asked).toEqual(['tools/call echo', 'prompts/get ', 'stream ', 'stream ', 'session/delete ']);
  });
});

describe('a refusal', () => {
  it('is answered after its record, and is unavailable when that cannot be kept', async () => {
    const { gateway } = await start();
    const disk = gate();
    gateway.observer.endGate = () => disk.promise;
    let answered = false;
    const sent = post(gateway.url('nope'), call(1)).then((got) => {
      answered = true;
      return got;
    });
    await gateway.observer.until(() => gateway.observer.calls[0]?.end !== undefined);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(answered).toBe(false);
    disk.open();
    expect((await sent).status).toBe(404);
    gateway.observer.endGate = lost;
    expect((await post(gateway.url('nope'), call(1))).status).toBe(503);
  });
});

describe('the other paths', () => {
  it('serve health, readiness and the RFC 9728 documents', async () => {
    let ready = false;
    const { gateway } = await start({
      deps: { ready: () => ready, resourceMetadata: (path) => ({ resource: `https://g${path}` }) },
    });
    const get = async (path: string): Promise<[number, unknown]> => {
      const got = await send(new URL(path, gateway.url()), { method: 'GET', headers: { host: '10.0.0.7' } }).answer;
      return [got.status, JSON.parse(got.body.toString())];
    };
    expect(await get('/healthz')).toEqual([200, { status: 'ok' }]);
    expect((await get('/readyz'))[0]).toBe(503);
    ready = true;
    expect((await get('/readyz'))[0]).toBe(200);
    expect(await get('/.well-known/oauth-protected-resource')).toEqual([200, { resource: 'https://g' }]);
    expect(await get('/.well-known/oauth-protected-resource/mcp/up')).toEqual([200, { resource: 'https://g/mcp/up' }]);
  });
});
