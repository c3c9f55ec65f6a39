/** Where the demo plays: what may listen at the configured address, and ports that are taken. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { demoConfig, findRunning } from '../../src/cli/demo-target.ts';
import { parseConfig, type LoadedConfig } from '../../src/config.ts';
import { FLAKY_SERVER_NAME } from '../../src/demo/sample-programs.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function listening(answer: RequestListener): Promise<number> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function configured(port: number, more: Record<string, unknown> = {}): LoadedConfig {
  const listen = { mcp: `127.0.0.1:${port}`, auditApi: '127.0.0.1:0', metrics: '127.0.0.1:0', store: '127.0.0.1:0' };
  return parseConfig({ mcpServers: {}, listen, ...more }, { source: 'test', env: {}, baseDir: '/nowhere' });
}

const look = (port: number) => findRunning(configured(port).config, 'gl_key');

describe('findRunning', () => {
  it.each<[string, RequestListener]>([
    ['a gateway that does not know the key', (_req, res) => res.writeHead(401).end('{"jsonrpc":"2.0"}')],
    ['a web site', (_req, res) => res.writeHead(404).end('<html>')],
    ['something that hangs up', (req) => req.socket.destroy()],
  ])('takes %s for somebody else', async (_, answer) => {
    expect(await look(await listening(answer))).toBeUndefined();
  });

  it('finds nobody where nobody listens, nor behind port 0', async () => {
    const port = await listening(() => undefined);
    servers.pop()?.close();
    expect(await look(port)).toBeUndefined();
    expect(await look(0)).toBeUndefined();
  });

  it('knows a gateway with the sample servers, by a session that it ends again', async () => {
    const asked: string[] = [];
    const port = await listening((req, res) => {
      asked.push(
        `${req.method} ${req.url} ${req.headers.authorization} ${String(req.headers['mcp-session-id'] ?? '')}`
      );
      res.writeHead(200, { 'Mcp-Session-Id': 's1' });
      res.end(`{"jsonrpc":"2.0","id":0,"result":{"serverInfo":{"name":"${FLAKY_SERVER_NAME}"}}}`);
    });
    expect(await look(port)).toMatchObject({ mcpUrl: `http://127.0.0.1:${port}` });
    expect(asked).toEqual(['POST /mcp/flaky Bearer gl_key ', 'DELETE /mcp/flaky Bearer gl_key s1']);
  });

  it.each([
    ['without that server', 404, '{"jsonrpc":"2.0","id":0,"error":{"code":-32001}}'],
    ['with another server of that name', 200, '{"jsonrpc":"2.0","id":0,"result":{"serverInfo":{"name":"mine"}}}'],
  ])('leaves a gateway alone that runs %s', async (_, status, body) => {
    const port = await listening((_req, res) => res.writeHead(status).end(body));
    await expect(look(port)).rejects.toThrow(/calls only its sample servers.*--data-dir/);
  });
});

describe('demoConfig', () => {
  it('puts sample servers and their policy in place of the configured ones, and keeps the rest', async () => {
    const taken = await listening(() => undefined);
    const loaded = configured(taken, {
      mcpServers: { filesystem: { command: 'mine', args: ['/home'] }, hr: { url: 'https://hr.example.com/mcp' } },
      policy: [],
      rateLimit: { requests: 1 },
      capture: { default: 'hash' },
    });
    const notes: string[] = [];
    const context = { nodePath: '/node', cwd: '/nowhere', note: (text: string) => void notes.push(text) };
    const config = await demoConfig(loaded, 'http://127.0.0.1:1/mcp', context);
    expect(Object.keys(config.mcpServers)).toEqual(['everything', 'filesystem', 'memory', 'flaky', 'everything-http']);
    expect(config.mcpServers.filesystem).toMatchObject({ command: '/node' });
    expect(config.policy.map(({ allow }) => allow)).toEqual([false, true]);
    expect(config.rateLimit?.requests).toBeGreaterThan(1000);
    expect(config.capture.default).toBe('hash');
    expect(config.listen.mcp.port).toBe(0);
    expect(notes).toEqual([expect.stringContaining(`127.0.0.1:${taken} is taken`)]);
  });
});
