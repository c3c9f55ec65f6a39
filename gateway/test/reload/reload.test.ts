/**
 * SIGHUP and SIGTERM at a running Gatelens: a changed configuration takes hold, sessions of servers that did not change go
 * on, calls that run end in time. Real servers over HTTP and stdio, real sessions of the SDK's client.
 */
import { fileURLToPath } from 'node:url';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.ts';
import { AuditLog } from '../e2e/audit-log.ts';
import { GatelensProcess } from '../e2e/gatelens-process.ts';
import { bearer, connectClient, rpc, send, toolCall, type ConnectedClient } from '../e2e/mcp-clients.ts';
import { People } from '../e2e/people.ts';
import { until } from '../e2e/until.ts';
import { startWebServer, type WebServer } from '../e2e/upstream-process.ts';

const EVERYTHING = fileURLToPath(
  new URL('../../../node_modules/@modelcontextprotocol/server-everything/dist/index.js', import.meta.url)
);

type Config = Omit<ConfigInput, 'listen' | 'dataDir'>;

const people = new People();
let web: WebServer;
let gatelens: GatelensProcess;
let config: Config;

beforeAll(async () => {
  web = await startWebServer('mark');
  people.addKey('ana', { user: 'ana@example.com' });
  people.addKey('bob', { user: 'bob@example.com' });
  people.addToken('auditor', 'auditor');
  config = {
    mcpServers: {
      web: { url: `${web.url}/mcp` },
      local: { command: process.execPath, args: [EVERYTHING, 'stdio'] },
      other: { url: `${web.url}/mcp` },
    },
    auth: { apiKeys: people.apiKeys },
    auditApi: { tokens: people.tokens },
    limits: { shutdownTimeout: '6s' },
  };
  gatelens = new GatelensProcess({ config });
  await gatelens.start();
});
afterAll(async () => {
  await gatelens.dispose();
  await web.stop();
});

const ana = (server: string): Promise<ConnectedClient> =>
  connectClient(gatelens.mcp(server), { headers: bearer(people.of('ana')) });

async function text(client: ConnectedClient, tool: string, args: object): Promise<string> {
  const result = (await client.client.callTool({ name: tool, arguments: { ...args } })) as CallToolResult;
  const [first] = result.content;
  return first?.type === 'text' ? first.text : '';
}

/** Writes the configuration and has it read. @returns the lines it said about it */
async function reload(next: Config): Promise<string> {
  gatelens.configure(next);
  const before = gatelens.stderr.length;
  process.kill(gatelens.pid, 'SIGHUP');
  return until(() => /^(?:Reloaded|Not reloaded).*$/m.exec(gatelens.stderr.slice(before))?.[0], 'an answer to SIGHUP');
}

describe('SIGHUP', () => {
  it('adds, removes and changes servers; sessions of the others go on, and a call under way ends', async () => {
    const [overHttp, overStdio, going] = await Promise.all([ana('web'), ana('local'), ana('other')]);
    const children = () => gatelens.log('stdio.child_started').length;
    const before = children();
    const slow = text(going, 'slow', { ms: 2000 });
    const { web: overUrl, local } = config.mcpServers;
    if (overUrl === undefined || local === undefined) throw new Error('no such servers');
    const next = { ...config, mcpServers: { web: overUrl, local, added: { url: `${web.url}/json` } } };
    expect(await reload(next)).toBe('Reloaded: mcpServers.');

    expect(await text(overHttp, 'echo', { text: 'same session' })).toBe('same session');
    expect(await text(overStdio, 'echo', { message: 'same child' })).toContain('same child');
    expect(children()).toBe(before);
    expect(await slow).toBe('late');
    const gone = await send(gatelens.mcp('other'), { headers: bearer(people.of('ana')), body: rpc(1, 'tools/list') });
    expect(gone.status).toBe(404);
    const added = await ana('added');
    expect((await added.client.listTools()).tools.length).toBeGreaterThan(0);

    const changed = {
      ...next,
      mcpServers: { ...next.mcpServers, local: { ...local, env: { A: '1' } } },
    };
    expect(await reload(changed as Config)).toBe('Reloaded: mcpServers.');
    await expect(text(overStdio, 'echo', { message: 'old session' })).rejects.toThrow();
    const anew = await ana('local');
    expect(await text(anew, 'echo', { message: 'new child' })).toContain('new child');
    expect(await text(overHttp, 'echo', { text: 'still' })).toBe('still');
    for (const one of [overHttp, added, anew]) await one.close();
    expect(await reload(config)).toBe('Reloaded: mcpServers.');
    for (const one of [going, overStdio]) await one.close().catch(() => undefined);
  });

  it('takes over policy, keys, tokens and capture rules at once', async () => {
    const session = await ana('web');
    const key = people.addKey('eve', { user: 'eve@example.com' });
    const next: Config = {
      ...config,
      auth: { apiKeys: people.apiKeys.filter(({ name }) => name !== 'bob') },
      auditApi: { tokens: [...people.tokens, { name: 'new', role: 'admin', sha256: 'a'.repeat(64) }] },
      policy: [{ allow: false, tools: ['fail'], name: 'no-fail' }, { allow: true }],
      capture: { rules: [{ server: 'web', mode: 'off' }] },
      usage: { cost: { currency: 'EUR', perMillionTokens: 4 } },
    };
    expect(await reload(next)).toBe('Reloaded: auth.apiKeys, policy, capture.rules, auditApi.tokens, usage.');
    await expect(text(session, 'fail', {})).rejects.toThrow(/no-fail/);
    expect(await text(session, 'echo', { text: 'unkept' })).toBe('unkept');
    const status = async (bearerKey: string): Promise<number> =>
      (await send(gatelens.mcp('web'), { headers: bearer(bearerKey), body: toolCall(1, 'echo') })).status;
    expect(await status(people.of('bob'))).toBe(401);
    expect(await status(key)).not.toBe(401);
    await session.close();

    await gatelens.settled();
    const log = new AuditLog(gatelens.urls.auditApi, people.of('auditor'));
    const [newest] = await log.calls({ server: 'web', user: 'ana@example.com', tool: 'echo' });
    expect(newest?.captureMode).toBe('off');
    expect(await log.usage()).toMatchObject({ currency: 'EUR' });
    const records = await gatelens.rows<{ action: string; detail: string }>(
      "SELECT action, detail FROM mcp.access_log WHERE action = 'settings.change' ORDER BY seq DESC LIMIT 1"
    );
    expect(JSON.parse(records[0]?.detail ?? '')).toMatchObject({
      by: 'reload',
      settings: expect.arrayContaining(['policy']) as unknown,
    });
    await reload(config);
  });

  it('ends streams of a key that is gone, over HTTP and stdio, and says so in the record', async () => {
    const clients = await Promise.all(
      ['web', 'local'].map((server) => connectClient(gatelens.mcp(server), { headers: bearer(people.of('bob')) }))
    );
    const open = (): Promise<string[]> =>
      gatelens
        .rows<{ server: string }>(
          "SELECT server FROM mcp.calls FINAL WHERE kind = 'stream' AND phase = 'open' AND key_name = 'bob'"
        )
        .then((rows) => rows.map(({ server }) => server).sort());
    await until(async () => (await open()).join() === 'local,web', 'both streams are open');
    const keep = people.apiKeys.filter(({ name }) => name !== 'bob');
    expect(await reload({ ...config, auth: { apiKeys: keep } })).toMatch(/^Reloaded: auth\.apiKeys/);
    await until(async () => (await open()).length === 0, 'both streams have ended');
    const ended = await gatelens.rows(
      `SELECT server, outcome, denied_by, error_type FROM mcp.calls FINAL
       WHERE kind = 'stream' AND key_name = 'bob' ORDER BY server`
    );
    const denied = { outcome: 'denied', denied_by: 'authentication', error_type: 'unauthenticated' };
    expect(ended).toEqual([
      { server: 'local', ...denied },
      { server: 'web', ...denied },
    ]);
    for (const { client } of clients) await client.close();
    await reload(config);
  });

  it.each<[string, (now: Config) => Config, RegExp]>([
    [
      'has mistakes',
      (now) => ({ ...now, audit: { durability: 'sometimes' } }) as unknown as Config,
      /audit\.durability/,
    ],
    [
      'changes what takes a restart',
      (now) => ({ ...now, limits: { bodyBytes: '1MiB' }, policy: [{ allow: false }] }),
      /limits/,
    ],
  ])('leaves everything as it is when the configuration %s', async (_, changed, words) => {
    const session = await ana('web');
    const before = gatelens.stderr.length;
    expect(await reload(changed(config))).toMatch(/^Not reloaded, everything goes on as before\./);
    expect(gatelens.stderr.slice(before)).toMatch(words);
    expect(await text(session, 'echo', { text: 'as before' })).toBe('as before');
    await session.close();
    expect(await reload(config)).toBe('Reloaded: nothing has changed.');
  });
});

describe('SIGTERM', () => {
  it('lets a call end, ends an idle stream, takes no new call, and loses no record', async () => {
    const [busy, idle] = await Promise.all([ana('web'), ana('local')]);
    const before = web.slowCalls();
    const slow = text(busy, 'slow', { ms: 3500 });
    await until(() => web.slowCalls() > before, 'the call at its server');
    const startedAt = performance.now();
    const ended = gatelens.kill('SIGTERM');
    expect(await slow).toBe('late');
    await expect(text(idle, 'echo', { message: 'too late' })).rejects.toThrow();
    expect(await ended).toMatchObject({ code: 0 });
    // it ended with the call, not at the deadline
    expect(performance.now() - startedAt).toBeLessThan(5800);

    await gatelens.start();
    const log = new AuditLog(gatelens.urls.auditApi, people.of('auditor'));
    const [last] = await log.calls({ server: 'web', tool: 'slow', outcome: 'success' });
    expect(last?.durationMs).toBeGreaterThan(3000);
    expect(await log.calls({ outcome: 'interrupted' })).toEqual([]);
  });

  it('cuts a call that takes longer than the deadline, and records how it ended', async () => {
    const busy = await ana('web');
    const before = web.slowCalls();
    const slow = text(busy, 'slow', { ms: 60_000 });
    slow.catch(() => undefined);
    await until(() => web.slowCalls() > before, 'the call at its server');
    const startedAt = performance.now();
    expect(await gatelens.kill('SIGTERM')).toMatchObject({ code: 0 });
    expect(performance.now() - startedAt).toBeLessThan(9000);
    // the SDK's client would wait for its own time limit
    await busy.client.close();
    await gatelens.start();
    const log = new AuditLog(gatelens.urls.auditApi, people.of('auditor'));
    // no server listed its tools since the last start, so the name of the tool stays masked
    const calls = await log.calls({ server: 'web', operation: 'tools/call', errorType: 'shutting_down' });
    expect(calls.map(({ outcome, errorType, phase }) => [outcome, errorType, phase])).toEqual([
      ['upstream_unreachable', 'shutting_down', 'closed'],
    ]);
  });
});
