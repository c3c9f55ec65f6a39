/**
 * Whose a session is, over a restart of the gateway while the upstream server and its sessions go on: the session goes on
 * for who opened it, and for nobody else.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { GatelensProcess } from './gatelens-process.ts';
import { bearer, rpc, send, type RawAnswer } from './mcp-clients.ts';
import { People } from './people.ts';
import { startWebServer, type WebServer } from './upstream-process.ts';

const people = new People();
people.addKey('ana', { user: 'ana@example.com' });
people.addKey('bob', { user: 'bob@example.com' });

let web: WebServer;
let gatelens: GatelensProcess;
beforeAll(async () => {
  web = await startWebServer('say');
  gatelens = new GatelensProcess({
    config: { mcpServers: { json: { url: `${web.url}/json` } }, auth: { apiKeys: people.apiKeys } },
  });
  await gatelens.start();
});
afterAll(async () => {
  await gatelens.dispose();
  await web.stop();
});

const as = (who: string, body: string | undefined, session?: string, method = 'POST'): Promise<RawAnswer> =>
  send(gatelens.mcp('json'), {
    method,
    headers: {
      ...bearer(people.of(who)),
      'MCP-Protocol-Version': '2025-11-25',
      ...(session === undefined ? {} : { 'Mcp-Session-Id': session }),
    },
    ...(body === undefined ? {} : { body }),
  });

const INITIALIZE = rpc(1, 'initialize', {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'c', version: '1' },
});

it('belongs to who opened it, before and after a crash', async () => {
  const opened = await as('ana', INITIALIZE);
  const session = String(opened.headers['mcp-session-id']);
  expect(session).toContain('saySessionId');
  const expectAnasOnly = async (): Promise<void> => {
    expect((await as('ana', rpc(2, 'tools/list'), session)).status).toBe(200);
    for (const method of ['POST', 'GET', 'DELETE']) {
      const foreign = await as('bob', method === 'POST' ? rpc(3, 'tools/list') : undefined, session, method);
      expect([foreign.status, JSON.parse(foreign.body)]).toMatchObject([404, { error: { code: -32001 } }]);
    }
  };
  await expectAnasOnly();
  await gatelens.kill('SIGKILL');
  await gatelens.start();
  await expectAnasOnly();
  // one that nobody is known to have opened is nobody's
  expect((await as('bob', rpc(4, 'tools/list'), 'made-up')).status).toBe(404);
  expect((await as('ana', undefined, session, 'DELETE')).status).toBe(200);
  expect((await as('ana', rpc(5, 'tools/list'), session)).status).toBe(404);
}, 60_000);
