/**
 * The main job, end to end: people call MCP servers through a running Gatelens, and every call and every attempt is in
 * the audit log once, with the right columns, for each role as much as it may see.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Call } from '../../src/audit-api/contract.ts';
import { ERROR_OUTCOMES, OUTCOMES } from '../../src/record/vocabulary.ts';
import { AuditLog } from './audit-log.ts';
import { GatelensProcess } from './gatelens-process.ts';
import { bearer, connectClient, rpc, send, toolCall } from './mcp-clients.ts';
import { People } from './people.ts';
import { until } from './until.ts';
import { startWebServer, type WebServer } from './upstream-process.ts';

/** A call as the test made it. */
interface Made {
  readonly who: string | null;
  readonly key: string | null;
  readonly auth: string;
  readonly server: string;
  readonly operation: string;
  readonly target: string | null;
  readonly kind: string;
  readonly outcome: string | null;
  readonly errorType: string | null;
  readonly errorCode: number | null;
  readonly status: number | null;
  readonly deniedBy: string | null;
  readonly rule: string | null;
  readonly transport: string;
}

const made: Made[] = [];
const people = new People();
let web: WebServer;
let issuer: Server;
let gatelens: GatelensProcess;

function program(name: string): string {
  const require = createRequire(import.meta.url);
  const manifest = require.resolve(`${name}/package.json`);
  const { bin } = require(manifest) as { bin: Record<string, string> };
  return join(dirname(manifest), Object.values(bin)[0] ?? '');
}

const SERVERS = { everything: 'stdio', files: 'stdio', web: 'http', json: 'http', raw: 'http', gone: 'http' } as const;
type ServerName = keyof typeof SERVERS;

/** Notes what a call is to look like in the audit log. Without more: a tool call of ana that succeeds. */
function note(server: ServerName, target: string | null, more: Partial<Made> = {}): void {
  made.push({
    who: 'ana@example.com',
    key: 'ana-laptop',
    auth: 'api_key',
    server,
    operation: 'tools/call',
    target,
    kind: 'request',
    outcome: 'success',
    errorType: null,
    errorCode: null,
    status: 200,
    deniedBy: null,
    rule: 'everyone',
    transport: SERVERS[server],
    ...more,
  });
}

/** Something that reached no server. */
function noteAttempt(server: string, errorType: string, status: number, code: number, more: Partial<Made> = {}): void {
  const attempt = {
    server,
    operation: '(unknown)',
    kind: 'attempt',
    outcome: 'rpc_error',
    rule: null,
    transport: 'none',
  };
  note('web', null, { ...attempt, errorType, status, errorCode: code, ...more });
}

const NOBODY = { who: null, key: null, auth: 'none' } as const;
const BOB = { who: 'bob@example.com', key: 'bob-ci' } as const;
const CAROL = { who: 'carol@example.com', key: null, auth: 'jwt' } as const;

const asMade = (call: Call): Made => ({
  who: call.user?.email ?? null,
  key: call.keyName,
  auth: call.authMethod,
  server: call.server,
  operation: call.operation,
  target: call.tool ?? call.prompt ?? call.resourceUri,
  kind: call.kind,
  outcome: call.outcome,
  errorType: call.errorType,
  errorCode: call.errorCode,
  status: call.httpStatus,
  deniedBy: call.deniedBy,
  rule: call.policyRule,
  transport: call.upstreamTransport,
});

/** What is in one list and not in the other, as often as it is. */
function surplus(rows: readonly Made[], others: readonly Made[]): string[] {
  const left = others.map((row) => JSON.stringify(row));
  return rows
    .map((row) => JSON.stringify(row))
    .filter((row) => {
      const at = left.indexOf(row);
      if (at >= 0) left.splice(at, 1);
      return at < 0;
    });
}

/** The sample server says by itself, and not always, that its lists have changed. */
const isOwnNotice = (call: Call): boolean => call.server === 'everything' && call.operation.endsWith('/list_changed');

const log = (token?: string): AuditLog =>
  new AuditLog(gatelens.urls.auditApi, token === undefined ? undefined : people.of(token));

async function startIssuer(): Promise<{ url: string; token: string }> {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256', use: 'sig' }];
  issuer = createServer((_req, res) => {
    res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ keys }));
  });
  await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`;
  const token = await new SignJWT({ email: 'carol@example.com', groups: ['ops'] })
    .setProtectedHeader({ alg: 'ES256', kid: 'k' })
    .setIssuer(url)
    .setAudience('gatelens')
    .setSubject('carol')
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(privateKey);
  return { url, token };
}

beforeAll(async () => {
  web = await startWebServer('say');
  const { url, token } = await startIssuer();
  const ana = people.addKey('ana-laptop', { user: 'ana@example.com' });
  const bob = people.addKey('bob-ci', { user: 'bob@example.com', teams: ['ops'] });
  const greedy = people.addKey('greedy', { user: 'gus@example.com' });
  people.addKey('old', { user: 'ana@example.com', expires: '2026-01-01' });
  for (const name of ['ana', 'bob', 'carol', 'dave']) people.addToken(name, 'viewer', { user: `${name}@example.com` });
  people.addToken('admin', 'admin', { user: 'bob@example.com' });
  people.addToken('auditor', 'auditor');
  people.addToken('auditor-of-json', 'auditor', { servers: ['json'] });
  people.addToken('expired', 'auditor', { expires: '2026-01-01' });

  gatelens = new GatelensProcess({
    config: {
      mcpServers: {
        everything: { command: process.execPath, args: [program('@modelcontextprotocol/server-everything')] },
        files: { command: process.execPath, args: [program('@modelcontextprotocol/server-filesystem'), './files'] },
        web: { url: `${web.url}/mcp`, requestTimeout: '600ms' },
        json: { url: `${web.url}/json`, requestTimeout: '600ms' },
        raw: { url: `${web.url}/raw`, requestTimeout: '600ms' },
        gone: { url: 'http://127.0.0.1:9/mcp' },
      },
      limits: { bodyBytes: 65_536, headerBytes: 8192 },
      rateLimit: { requests: 90, per: '1d' },
      auth: {
        apiKeys: people.apiKeys,
        jwt: { issuer: url, audience: 'gatelens', jwksUrl: `${url}/jwks`, algorithms: ['ES256'] },
      },
      policy: [
        { name: 'not-for-bob', allow: false, users: ['bob@example.com'], servers: ['web'], tools: ['fail'] },
        { name: 'everyone', allow: true, users: ['team:ops', '*@example.com'] },
      ],
      auditApi: { tokens: people.tokens },
    },
  });
  mkdirSync(join(gatelens.dir, 'files'));
  writeFileSync(join(gatelens.dir, 'files', 'a.txt'), 'alpha');
  await gatelens.start();

  await callAnaByStdio(ana);
  await callAnaByHttp(ana);
  await callBob(bob);
  await callCarol(token);
  await callRaw(ana);
  await attempt(ana, greedy);
  await gatelens.settled();
}, 60_000);
afterAll(async () => {
  await gatelens.dispose();
  await web.stop();
  issuer.close();
});

/** What every session of the SDK's client begins and ends with. */
function noteSession(server: ServerName, who: Partial<Made> = {}): void {
  note(server, null, { ...who, operation: 'initialize' });
  note(server, null, { ...who, operation: 'notifications/initialized', kind: 'notification', status: 202 });
}

async function callAnaByStdio(key: string): Promise<void> {
  const everything = await connectClient(gatelens.mcp('everything'), { headers: bearer(key), name: 'claude' });
  noteSession('everything');
  await everything.client.listTools();
  note('everything', null, { operation: 'tools/list' });
  await everything.client.callTool({ name: 'echo', arguments: { message: 'hello' } });
  note('everything', 'echo');
  await everything.client.listResources();
  note('everything', null, { operation: 'resources/list' });
  await everything.client.listPrompts();
  note('everything', null, { operation: 'prompts/list' });
  await everything.client.getPrompt({ name: 'simple-prompt' });
  note('everything', 'simple-prompt', { operation: 'prompts/get' });
  await everything.client.ping();
  note('everything', null, { operation: 'ping' });
  await everything.close();
  note('everything', null, { operation: 'stream', kind: 'stream' });

  const files = await connectClient(gatelens.mcp('files'), { headers: bearer(key) });
  noteSession('files');
  const path = join(gatelens.dir, 'files', 'a.txt');
  expect(await files.client.callTool({ name: 'read_text_file', arguments: { path } })).toMatchObject({
    content: [{ text: 'alpha' }],
  });
  note('files', 'read_text_file');
  expect(await files.client.callTool({ name: 'read_text_file', arguments: { path: '/etc/passwd' } })).toMatchObject({
    isError: true,
  });
  note('files', 'read_text_file', { outcome: 'tool_error', errorType: 'tool_error' });
  await files.close();
  note('files', null, { operation: 'stream', kind: 'stream' });
}

async function callAnaByHttp(key: string): Promise<void> {
  const { client, close } = await connectClient(gatelens.mcp('web'), {
    headers: bearer(key),
    elicited: { why: 'because' },
  });
  noteSession('web');
  await client.listTools();
  note('web', null, { operation: 'tools/list' });
  await client.callTool({ name: 'echo', arguments: { text: 'ü'.repeat(500) } });
  note('web', 'echo');
  expect(await client.callTool({ name: 'fail' })).toMatchObject({ isError: true });
  note('web', 'fail', { outcome: 'tool_error', errorType: 'tool_error' });
  await expect(client.callTool({ name: 'boom' })).rejects.toMatchObject({
    code: -32010,
    data: { detail: 'sayErrorData' },
  });
  note('web', 'boom', { outcome: 'rpc_error', errorType: '-32010', errorCode: -32010 });
  await expect(client.callTool({ name: 'no_such_tool' })).rejects.toMatchObject({ code: -32602 });
  note('web', '(unlisted)', { outcome: 'rpc_error', errorType: '-32602', errorCode: -32602 });
  const steps: unknown[] = [];
  await client.callTool({ name: 'steps' }, undefined, { onprogress: (step) => steps.push(step.message) });
  expect(steps).toEqual(Array(3).fill('sayProgressMessage'));
  note('web', 'steps');
  for (let step = 0; step < 3; step++) {
    note('web', null, { operation: 'notifications/progress', kind: 'notification', status: null, rule: null });
  }
  await client.callTool({ name: 'ask' });
  note('web', 'ask');
  note('web', null, { operation: 'elicitation/create', kind: 'server_request', status: 202, rule: null });
  await client.readResource({ uri: 'note://a/b?secret=1' });
  note('web', 'note://a/b', { operation: 'resources/read' });
  await client.getPrompt({ name: 'greet', arguments: { who: 'me' } });
  note('web', 'greet', { operation: 'prompts/get' });
  // the client gives up, and tells the server
  await expect(client.callTool({ name: 'slow' }, undefined, { timeout: 100 })).rejects.toThrow('timed out');
  note('web', 'slow', { outcome: 'cancelled' });
  note('web', null, { operation: 'notifications/cancelled', kind: 'notification', status: 202 });
  await until(
    async () => (await log('admin').calls({ outcome: 'cancelled', tool: 'slow' })).length === 1,
    'the cancellation is recorded'
  );
  await close();
  // the standalone stream of the session
  note('web', null, { operation: 'stream', kind: 'stream' });
}

async function callBob(key: string): Promise<void> {
  const { client, close } = await connectClient(gatelens.mcp('json'), { headers: bearer(key) });
  noteSession('json', BOB);
  await client.callTool({ name: 'echo', arguments: { text: 'hello' } });
  note('json', 'echo', BOB);
  // the gateway gives up
  await expect(client.callTool({ name: 'slow' })).rejects.toThrow('did not answer in time');
  note('json', '(unlisted)', {
    ...BOB,
    outcome: 'timeout',
    errorType: 'upstream_timeout',
    errorCode: -32002,
    status: 504,
  });
  await close();
  note('json', null, { ...BOB, operation: 'stream', kind: 'stream' });
  // denied by policy: the JSON-RPC answer says so
  const denied = await send(gatelens.mcp('web'), { headers: bearer(key), body: toolCall(7, 'fail') });
  expect(denied).toMatchObject({ status: 200 });
  expect(JSON.parse(denied.body)).toMatchObject({ id: 7, error: { code: -32001 } });
  noteAttempt('web', 'policy_denied', 200, -32001, {
    ...BOB,
    operation: 'tools/call',
    target: 'fail',
    outcome: 'denied',
    deniedBy: 'policy',
    rule: 'not-for-bob',
  });
}

async function callCarol(token: string): Promise<void> {
  const { client, close } = await connectClient(gatelens.mcp('json'), { headers: bearer(token) });
  noteSession('json', CAROL);
  await client.callTool({ name: 'echo', arguments: { text: 'hi' } });
  note('json', 'echo', CAROL);
  await close();
  note('json', null, { ...CAROL, operation: 'stream', kind: 'stream' });
}

/** What no SDK server would do. */
async function callRaw(key: string): Promise<void> {
  const call = (name: string, id: number): Promise<{ status: number }> =>
    send(gatelens.mcp('raw'), { headers: bearer(key), body: toolCall(id, name) });
  const bad = { outcome: 'upstream_unreachable' };
  const unlisted = '(unlisted)';
  expect(await call('split', 1)).toMatchObject({ status: 200 });
  note('raw', 'split');
  expect(await call('split-json', 2)).toMatchObject({ status: 200 });
  note('raw', 'split-json');
  expect(await call('http-500', 3)).toMatchObject({ status: 500 });
  note('raw', unlisted, { ...bad, errorType: 'http_500', status: 500 });
  expect(await call('no-json', 4)).toMatchObject({ status: 200 });
  note('raw', unlisted, { ...bad, errorType: 'upstream_protocol' });
  await expect(call('reset', 5)).rejects.toThrow();
  note('raw', unlisted, { ...bad, errorType: 'upstream_reset' });
  expect(await call('silent', 6)).toMatchObject({ status: 504 });
  note('raw', unlisted, { outcome: 'timeout', errorType: 'upstream_timeout', errorCode: -32002, status: 504 });
  await expect(
    send(gatelens.mcp('raw'), {
      headers: bearer(key),
      body: toolCall(7, 'silent'),
      signal: AbortSignal.timeout(150),
    })
  ).rejects.toThrow();
  note('raw', unlisted, { outcome: 'cancelled', errorType: 'client_gone', status: null });
  const gone = await send(gatelens.mcp('gone'), { headers: bearer(key), body: rpc(8, 'ping') });
  expect(gone.status).toBe(502);
  note('gone', null, { ...bad, operation: 'ping', errorType: 'upstream_unreachable', errorCode: -32002, status: 502 });
}

async function attempt(ana: string, greedy: string): Promise<void> {
  const url = gatelens.mcp('web');
  const body = toolCall(1, 'echo');
  const auth = bearer(ana);
  const denied = { outcome: 'denied' } as const;

  for (const headers of [{}, bearer('gl_nobody'), bearer(people.of('old'))]) {
    expect(await send(url, { headers, body })).toMatchObject({ status: 401 });
    noteAttempt('web', 'unauthenticated', 401, -32001, { ...NOBODY, ...denied, deniedBy: 'authentication' });
  }
  expect(await send(gatelens.mcp('no-such-server'), { headers: auth, body })).toMatchObject({ status: 404 });
  noteAttempt('(unlisted)', 'server_unknown', 404, -32001);
  expect(await send(url, { headers: auth, body: toolCall(1, 'x'.repeat(70_000)) })).toMatchObject({ status: 413 });
  noteAttempt('web', 'body_too_large', 413, -32600, { ...denied, deniedBy: 'size_limit' });
  expect(await send(url, { headers: auth, body: '{"jsonrpc":"2.0",' })).toMatchObject({ status: 400 });
  noteAttempt('web', 'parse_error', 400, -32700);
  expect(await send(url, { headers: { ...auth, 'Content-Type': 'text/plain' }, body })).toMatchObject({ status: 415 });
  noteAttempt('web', 'media_type_unsupported', 415, -32600);
  expect(await send(url, { headers: { ...auth, Host: 'evil.example.com' }, body })).toMatchObject({ status: 403 });
  noteAttempt('web', 'origin_denied', 403, -32000, { ...NOBODY, ...denied, deniedBy: 'origin' });
  expect(await send(url, { headers: { ...auth, Origin: 'https://evil.example.com' }, body })).toMatchObject({
    status: 403,
  });
  noteAttempt('web', 'origin_denied', 403, -32000, { ...NOBODY, ...denied, deniedBy: 'origin' });
  expect(await send(url, { method: 'PUT', headers: auth, body })).toMatchObject({ status: 405 });
  noteAttempt('web', 'method_not_allowed', 405, -32000);

  // one more than allowed
  const gus = { who: 'gus@example.com', key: 'greedy' };
  for (let id = 0; id < 91; id++) {
    const { status } = await send(gatelens.mcp('raw'), { headers: bearer(greedy), body: toolCall(id, 'any') });
    expect(status).toBe(id < 90 ? 200 : 429);
    if (id < 90) note('raw', 'any', gus);
  }
  noteAttempt('raw', 'rate_limited', 429, -32000, { ...gus, ...denied, deniedBy: 'rate_limit' });
}

describe('the audit log', () => {
  it('has every call and every attempt exactly once, with who, what and how it ended', async () => {
    const calls = (await log('admin').calls()).filter((call) => !isOwnNotice(call));
    const rows = calls.map(asMade);
    expect({ missing: surplus(made, rows), unexpected: surplus(rows, made) }).toEqual({ missing: [], unexpected: [] });
    expect(new Set(calls.map((call) => call.id)).size).toBe(made.length);
    const outcomes = new Set(calls.map((call) => call.outcome));
    expect([...outcomes].sort()).toEqual([...OUTCOMES].filter((one) => one !== 'interrupted').sort());
  });

  it('tells how big, how long, from where, by which client and in which session', async () => {
    const calls = await log('admin').calls({ server: 'web', operation: 'tools/call', user: 'ana@example.com' });
    const echo = calls.find((call) => call.tool === 'echo');
    expect(echo).toMatchObject({
      teams: [],
      client: { name: 'e2e', version: '1.0', address: '127.0.0.1' },
      session: { kind: 'mcp', key: expect.stringMatching(/^[0-9a-f]{32}$/) },
      protocolVersion: '2025-11-25',
      captureMode: 'full',
      payload: { state: 'sealed', visible: false, hiddenBecause: 'not_auditor' },
      rpcId: expect.stringMatching(/^\d+$/),
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      upstreamAttempts: 1,
    });
    expect(echo?.requestBytes).toBeGreaterThan(1000);
    expect(echo?.responseBytes).toBeGreaterThan(1000);
    expect(echo?.tokensEstimated).toBeGreaterThan(50);
    expect(new Set(calls.filter((call) => call.kind === 'request').map((call) => call.session.key)).size).toBe(1);
    for (const call of calls) {
      if (call.upstreamAttempts === 0) continue;
      expect(call.durationMs).toBeGreaterThanOrEqual(call.upstreamDurationMs);
      expect(call.upstreamDurationMs).toBeGreaterThan(0);
    }
    const slow = calls.find((call) => call.tool === 'slow');
    expect(slow?.durationMs).toBeGreaterThanOrEqual(100);
    const ask = calls.find((call) => call.tool === 'ask');
    const [question] = await log('admin').calls({ kind: 'server_request' });
    expect(question?.parentId).toBe(ask?.id);
  });

  it('pages without a gap and filters as it says', async () => {
    const all = await log('admin').calls();
    expect((await log('admin').calls({}, 7)).map((call) => call.id)).toEqual(all.map((call) => call.id));
    expect(all.map((call) => call.startedAt)).toEqual(
      all
        .map((call) => call.startedAt)
        .sort()
        .reverse()
    );
    const denied = await log('admin').calls({ outcome: 'denied', kind: 'attempt' });
    expect(denied).toHaveLength(made.filter((call) => call.outcome === 'denied').length);
    const carol = await log('admin').calls({ user: 'carol@example.com' });
    expect(carol).toHaveLength(made.filter((call) => call.who === CAROL.who).length);
  });
});

describe('a viewer', () => {
  it.each(['ana', 'bob', 'carol', 'dave'])('%s sees own calls and nobody else’s', async (name) => {
    const email = `${name}@example.com`;
    const own = (await log('admin').calls()).filter((call) => call.user?.email === email);
    const seen = await log(name).calls();
    expect(seen.map((call) => call.id)).toEqual(own.map((call) => call.id));
    const usage = await log(name).usage();
    expect(usage).toMatchObject({ scope: 'own', totals: { calls: counted(own), users: own.length === 0 ? 0 : 1 } });
    const [foreign] = (await log('admin').calls()).filter((call) => call.user !== null && call.user.email !== email);
    expect(await log(name).get(`/api/v1/calls/${foreign?.id}`)).toMatchObject({ status: 404 });
    for (const id of [own[0]?.id ?? foreign?.id, foreign?.id]) {
      const refused = await log(name).get(`/api/v1/calls/${id}/payload`);
      expect(refused.status).toBe(403);
      expect(JSON.parse(refused.text)).toMatchObject({ error: { reason: 'not_auditor' } });
    }
    // asking for somebody else by name is refused, whether they exist or not
    for (const other of [foreign?.user?.email, 'nobody@example.com']) {
      const refused = await log(name).get(`/api/v1/calls?user=${other}`);
      expect(refused.status).toBe(403);
      expect(JSON.parse(refused.text)).toMatchObject({ error: { reason: 'other_user' } });
    }
  });
});

describe('an admin', () => {
  it('sees who everybody is, and no payload, on any road', async () => {
    const calls = await log('admin').calls();
    expect(new Set(calls.map((call) => call.user?.email))).toEqual(new Set(made.map((call) => call.who ?? undefined)));
    for (const call of calls) {
      expect(call.payload.visible).toBe(false);
      expect(call.payload.hiddenBecause).toBeDefined();
    }
    const sealed = calls.filter((call) => call.payload.state === 'sealed');
    for (const { id } of [...sealed.slice(0, 5), ...sealed.slice(-5)]) {
      expect(await log('admin').get(`/api/v1/calls/${id}/payload`)).toMatchObject({ status: 403 });
    }
  });
});

describe('an auditor', () => {
  it('opens the payload of every call that has one, and each reading is in the access log', async () => {
    const calls = await log('auditor').calls();
    const opened = new Map<string, string>();
    // a few of the many that are alike
    const alike = calls.filter((call) => call.keyName === 'greedy').slice(3);
    for (const call of calls) {
      if (call.payload.state === 'none' || alike.includes(call)) continue;
      const truncated = call.errorType === 'body_too_large';
      expect(call.payload).toMatchObject({ state: truncated ? 'sealed_truncated' : 'sealed', visible: true });
      const { request, response } = await log('auditor').payload(call.id);
      expect(request).toMatchObject({ state: 'opened', truncated });
      expect(response.state).toBe(call.payload.responseSha256 === null ? 'none' : 'opened');
      opened.set(call.id, `${request.bodyText} ${response.bodyText}`);
    }
    expect(opened.size).toBeGreaterThan(50);
    const boom = calls.find((call) => call.tool === 'boom');
    expect(opened.get(boom?.id ?? '')).toMatch(/"name":"boom".*sayErrorMessage.*sayErrorData/s);
    const unlisted = calls.find((call) => call.tool === '(unlisted)' && call.server === 'web');
    expect(opened.get(unlisted?.id ?? '')).toContain('no_such_tool');
    const steps = calls.find((call) => call.tool === 'steps');
    expect(opened.get(steps?.id ?? '')?.match(/sayProgressMessage/g)).toHaveLength(3);
    const malformed = calls.find((call) => call.errorType === 'parse_error');
    expect(opened.get(malformed?.id ?? '')).toContain('{"jsonrpc":"2.0",');

    const read = await until(async () => {
      const rows = await gatelens.rows<{ target: string }>(
        `SELECT target_call_id AS target FROM mcp.access_log FINAL
         WHERE action = 'payload.read' AND decision = 'allowed' AND actor_name = 'auditor'`
      );
      return rows.length >= opened.size && rows;
    }, 'every reading is recorded');
    expect(read.map((row) => row.target).sort()).toEqual([...opened.keys()].sort());
  });

  it('of one server opens payloads of that server only', async () => {
    const calls = await log('auditor-of-json').calls();
    expect(calls).toHaveLength((await log('admin').calls()).length);
    const json = calls.find((call) => call.server === 'json' && call.tool === 'echo');
    const web = calls.find((call) => call.server === 'web' && call.tool === 'echo');
    expect(json?.payload).toMatchObject({ visible: true });
    expect((await log('auditor-of-json').payload(json?.id ?? '')).response.bodyText).toContain('hi');
    expect(web?.payload).toMatchObject({ visible: false, hiddenBecause: 'other_server' });
    expect(await log('auditor-of-json').get(`/api/v1/calls/${web?.id}/payload`)).toMatchObject({ status: 403 });
  });
});

describe('whoever is not known', () => {
  it.each<[string, () => AuditLog, string]>([
    ['no token', () => log(), 'anonymous'],
    ['an expired one', () => log('expired'), 'expired_token'],
    ['an unknown one', () => new AuditLog(gatelens.urls.auditApi, 'gla_nobody'), 'unknown_token'],
    ['an API key of the gateway', () => log('ana-laptop'), 'unknown_token'],
  ])('gets nothing with %s', async (_, who, reason) => {
    const [call] = await log('admin').calls({}, 1000);
    for (const path of ['me', 'calls', `calls/${call?.id}`, `calls/${call?.id}/payload`, 'usage/summary']) {
      const { status, text } = await who().get(`/api/v1/${path}`);
      expect([path, status]).toEqual([path, 401]);
      expect(JSON.parse(text)).toEqual({
        error: { code: 'unauthenticated', reason, message: expect.any(String) },
      });
    }
  });
});

/** What counts in Usage: requests that are over. */
function counted(calls: readonly (Made | Call)[]): number {
  return calls.filter((call) => call.kind === 'request').length;
}

describe('usage', () => {
  const isError = ({ outcome }: Made): boolean => (ERROR_OUTCOMES as readonly (string | null)[]).includes(outcome);
  const requests = (): Made[] => made.filter((call) => call.kind === 'request');
  const figures = (calls: readonly Made[]) => ({
    calls: calls.length,
    errors: calls.filter(isError).length,
    denied: calls.filter((call) => call.outcome === 'denied').length,
  });

  it('counts the calls that were made: in all, by server, by user and server, by tool', async () => {
    const usage = await log('admin').usage();
    expect(usage.totals).toMatchObject({ ...figures(requests()), users: 4, servers: 6 });
    expect(usage.totals.errorRate).toBeCloseTo(usage.totals.errors / usage.totals.calls);
    for (const { server, ...row } of usage.servers) {
      expect([server, row]).toMatchObject([server, figures(requests().filter((call) => call.server === server))]);
    }
    expect(usage.servers).toHaveLength(6);
    for (const { server, user, ...row } of usage.userServers) {
      const own = requests().filter((call) => call.server === server && call.who === user?.email);
      expect([server, user?.email, row]).toMatchObject([server, user?.email, figures(own)]);
    }
    const pairs = new Set(requests().map((call) => `${call.who} ${call.server}`));
    expect(usage.userServers).toHaveLength(pairs.size);
    const toolCalls = requests().filter((call) => call.operation === 'tools/call');
    for (const { server, tool, ...row } of usage.tools) {
      const own = toolCalls.filter((call) => call.server === server && call.target === tool);
      expect([server, tool, row]).toMatchObject([server, tool, figures(own)]);
    }
    expect(usage.tools.reduce((sum, row) => sum + row.calls, 0)).toBe(toolCalls.length);
    const slowest = usage.servers.find((row) => row.server === 'json');
    expect(slowest?.p99Ms).toBeGreaterThan(550);
  });

  it('is the same once the rollups are recomputed', async () => {
    const before = await log('auditor').usage();
    await gatelens.sql('SYSTEM REFRESH VIEW mcp.usage_minute_refresh');
    await gatelens.sql('SYSTEM WAIT VIEW mcp.usage_minute_refresh');
    const after = await log('auditor').usage();
    expect({ ...after, from: '', to: '', lagSeconds: 0 }).toEqual({ ...before, from: '', to: '', lagSeconds: 0 });
  });
});
