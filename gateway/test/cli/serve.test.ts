/** `gatelens serve` as a real process: what it prints, who it lets in, how it ends. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const BIN = fileURLToPath(new URL('../../bin/gatelens.mjs', import.meta.url));
const EVERYTHING = fileURLToPath(
  new URL('../../../node_modules/@modelcontextprotocol/server-everything/dist/index.js', import.meta.url)
);

let cwd: string;
let issuer: string;
let idp: Server;
let key: CryptoKey;
let gateway: Running;

interface Running {
  readonly child: ChildProcess;
  readonly printed: string;
  readonly mcp: string;
  readonly api: string;
  readonly logs: () => string;
  readonly ended: Promise<number | null>;
}

function start(args: string[]): {
  child: ChildProcess;
  said: () => { out: string; err: string };
  ended: Promise<number | null>;
} {
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd,
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (said.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said.err += chunk.toString()));
  return { child, said: () => said, ended: new Promise((resolve) => child.on('close', resolve)) };
}

async function serve(): Promise<Running> {
  const { child, said, ended } = start(['serve']);
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', () => said().out.includes('/api/v1/calls') && resolve());
    void ended.then((code) => reject(new Error(`ended with ${code}: ${said().err}`)));
  });
  const printed = said().out;
  const find = (pattern: RegExp) => pattern.exec(printed)?.[1] ?? '';
  return {
    child,
    printed,
    mcp: find(/(http:\S+)\/mcp\/</),
    api: find(/(http:\S+)\/api\/v1\n/),
    logs: () => said().err,
    ended,
  };
}

async function run(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const { ended, said } = start(args);
  return { code: await ended, ...said() };
}

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'gatelens-serve-'));
  const pair = await generateKeyPair('ES256');
  key = pair.privateKey;
  const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'ES256' };
  idp = createServer((req, res) => {
    res.setHeader('content-type', 'application/json');
    if (req.url === '/jwks') res.end(JSON.stringify({ keys: [jwk] }));
    else if (req.url === '/.well-known/oauth-authorization-server')
      res.end(JSON.stringify({ issuer, jwks_uri: `${issuer}/jwks` }));
    else res.writeHead(404).end();
  });
  await new Promise<void>((resolve) => idp.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(idp.address() as AddressInfo).port}`;
  writeFileSync(
    join(cwd, 'gatelens.yaml'),
    JSON.stringify({
      listen: { mcp: '127.0.0.1:0', auditApi: '127.0.0.1:0', metrics: '127.0.0.1:0', store: '127.0.0.1:0' },
      mcpServers: { everything: { command: process.execPath, args: [EVERYTHING, 'stdio'] } },
      auth: { jwt: { issuer, audience: 'gatelens' } },
      policy: [{ allow: true, users: ['*@example.com'], tools: ['echo'] }],
    })
  );
  gateway = await serve();
}, 120_000);

afterAll(async () => {
  gateway.child.kill('SIGKILL');
  await new Promise((resolve) => idp.close(resolve));
  rmSync(cwd, { recursive: true, force: true });
});

const tokenFor = (email: string, expires: number | string = '5m') =>
  new SignJWT({ email })
    .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
    .setIssuer(issuer)
    .setAudience('gatelens')
    .setExpirationTime(expires)
    .sign(key);

function initialize(credentials: Record<string, string>): Promise<Response> {
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
  return fetch(`${gateway.mcp}/mcp/everything`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...credentials },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }),
  });
}

describe('gatelens serve', () => {
  it('says what listens where and what to paste', () => {
    expect(gateway.printed).toContain(`"url": "${gateway.mcp}/mcp/everything"`);
    expect(gateway.printed).toMatch(/Encryption keys were made/);
    expect(gateway.printed).not.toMatch(/gla?_[\w-]{20}/);
  });

  it('sends a client without credentials to the authorization server', async () => {
    const refused = await initialize({});
    expect(refused.status).toBe(401);
    const where = /resource_metadata="([^"]+)"/.exec(refused.headers.get('www-authenticate') ?? '')?.[1] ?? '';
    // Port 0 was asked for: clients are told the port that the system chose.
    expect(where).toBe(`${gateway.mcp}/.well-known/oauth-protected-resource/mcp/everything`);
    const document = await fetch(where).then((answer) => answer.json());
    expect(document).toMatchObject({
      resource: `${gateway.mcp}/mcp/everything`,
      authorization_servers: [issuer],
      bearer_methods_supported: ['header'],
    });
  });

  it.each([
    ['a token of the issuer', () => tokenFor('ana@example.com'), 200],
    ['an expired token', () => tokenFor('ana@example.com', 1), 401],
    ['rubbish', () => Promise.resolve('eyJ.e.e'), 401],
  ])('answers %s with the status that clients act on', async (_, make, status) => {
    const token = await make();
    const answer = await initialize({ authorization: `Bearer ${token}` });
    expect(answer.status).toBe(status);
    if (status === 401) expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
    await answer.text();
  });

  it('knows a key made while it runs, and no longer once it is revoked', async () => {
    const made = await run('api-keys', 'create', '--name', 'late', '--user', 'ana@example.com');
    const credentials = { 'x-api-key': made.out.trim() };
    expect((await initialize(credentials)).status).toBe(200);
    await run('api-keys', 'revoke', '--name', 'late');
    await expect.poll(() => initialize(credentials).then((answer) => answer.status), { timeout: 5000 }).toBe(401);
  });

  it('takes a token of the audit API made while it runs', async () => {
    const made = await run('tokens', 'create', '--name', 'siem', '--role', 'admin');
    const calls = (token: string) =>
      fetch(`${gateway.api}/api/v1/calls?limit=5`, { headers: { authorization: `Bearer ${token}` } });
    expect((await calls(made.out.trim())).status).toBe(200);
    expect((await calls('gla_unknown')).status).toBe(401);
  });

  it('has the data directory for itself: a second one is refused with its own exit code', async () => {
    const second = await run('serve');
    expect(second.code).toBe(4);
    expect(second.err).toMatch(/gatelens: .*(process|Gatelens).*\./);
    expect(second.err).not.toMatch(/^\s+at /m);
  });

  it('logs no secret and no person', async () => {
    const token = await tokenFor('ana@example.com');
    await (await initialize({ authorization: `Bearer ${token}` })).text();
    expect(gateway.logs()).not.toContain(token);
    expect(gateway.logs()).not.toContain('ana@example.com');
  });

  it('ends in order on SIGTERM, and starts again on the same data', async () => {
    // Clients open connections ahead of their requests; such a one holds nothing up.
    const silent = connect(Number(new URL(gateway.mcp).port), '127.0.0.1').on('error', () => undefined);
    await once(silent, 'connect');
    gateway.child.kill('SIGTERM');
    const askedMs = Date.now();
    expect(await gateway.ended).toBe(0);
    expect(Date.now() - askedMs).toBeLessThan(4500);
    gateway = await serve();
    expect(gateway.printed).not.toMatch(/Encryption keys were made/);
    expect((await initialize({ authorization: `Bearer ${await tokenFor('ana@example.com')}` })).status).toBe(200);
  });
});
