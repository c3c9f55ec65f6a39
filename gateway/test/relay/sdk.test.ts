import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { closeAll, startGateway } from './running-gateway.ts';
import type { RunningGateway } from './running-gateway.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await closeAll();
});

function createMcp(): McpServer {
  const mcp = new McpServer({ name: 'fixture', version: '1.2.3' }, { capabilities: { logging: {} } });
  mcp.registerTool('echo', { inputSchema: { text: z.string() } }, ({ text }) => ({
    content: [{ type: 'text', text }],
  }));
  mcp.registerTool('fail', {}, () => ({ content: [], isError: true }));
  mcp.registerTool(
    'steps',
    { inputSchema: { name: z.string(), steps: z.number() } },
    async ({ name, steps }, extra) => {
      for (let step = 1; step <= steps; step++) {
        const progressToken = extra._meta?.progressToken ?? 0;
        await extra.sendNotification({
          method: 'notifications/progress',
          params: { progressToken, progress: step, message: name },
        });
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      return { content: [{ type: 'text', text: name }] };
    }
  );
  mcp.registerTool('ask', {}, async () => {
    const answer = await mcp.server.elicitInput({
      message: 'Sure?',
      requestedSchema: { type: 'object', properties: { ok: { type: 'boolean' } } },
    });
    return { content: [{ type: 'text', text: JSON.stringify(answer) }] };
  });
  mcp.registerTool(
    'slow',
    {},
    (extra) =>
      new Promise((_resolve, reject) => extra.signal.addEventListener('abort', () => reject(new Error('stopped'))))
  );
  mcp.registerResource('note', 'note://a', {}, (uri) => ({ contents: [{ uri: uri.href, text: 'n' }] }));
  mcp.registerPrompt('greet', {}, () => ({ messages: [{ role: 'user', content: { type: 'text', text: 'hi' } }] }));
  return mcp;
}

/** The reference server on Streamable HTTP, with sessions. */
async function startSdkServer(options: { json?: boolean } = {}): Promise<string> {
  const transports = new Map<string, StreamableHTTPServerTransport>();
  const server = createServer((req, res) => {
    void (async () => {
      const id = req.headers['mcp-session-id'];
      let transport = typeof id === 'string' ? transports.get(id) : undefined;
      if (transport === undefined) {
        const opened = new StreamableHTTPServerTransport({
          sessionIdGenerator: () => randomUUID(),
          enableJsonResponse: options.json ?? false,
          onsessioninitialized: (sessionId) => void transports.set(sessionId, opened),
        });
        transport = opened;
        await createMcp().connect(opened);
      }
      await transport.handleRequest(req, res);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}

async function connectClient(
  gateway: RunningGateway
): Promise<{ client: Client; transport: StreamableHTTPClientTransport }> {
  const client = new Client({ name: 'sdk-client', version: '9' }, { capabilities: { elicitation: {} } });
  client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept' as const, content: { ok: true } }));
  const transport = new StreamableHTTPClientTransport(gateway.url());
  await client.connect(transport);
  closing.push(() => client.close());
  return { client, transport };
}

describe('the reference client and server through the gateway', () => {
  it.each([{ json: false }, { json: true }])('notice no difference (%j)', async (options) => {
    const gateway = await startGateway(await startSdkServer(options));
    const { client, transport } = await connectClient(gateway);
    expect(client.getServerVersion()).toMatchObject({ name: 'fixture' });
    expect((await client.listTools()).tools.map((tool) => tool.name)).toEqual(['echo', 'fail', 'steps', 'ask', 'slow']);
    const text = `<script>"\\ü€𝄞${'x'.repeat(200_000)}`;
    expect(await client.callTool({ name: 'echo', arguments: { text } })).toMatchObject({ content: [{ text }] });
    expect(await client.callTool({ name: 'fail' })).toMatchObject({ isError: true });
    expect((await client.readResource({ uri: 'note://a' })).contents).toHaveLength(1);
    expect((await client.getPrompt({ name: 'greet' })).messages).toHaveLength(1);
    await expect(client.readResource({ uri: 'note://missing' })).rejects.toThrow();
    await transport.terminateSession();
    const { observer } = gateway;
    expect(observer.of('tools/call').map((one) => [one.start.target?.name, one.end?.outcome])).toEqual([
      ['echo', 'success'],
      ['fail', 'tool_error'],
    ]);
    expect(observer.of('resources/read').map((one) => one.end?.outcome)).toEqual(['success', 'rpc_error']);
    const requests = observer.calls.filter((one) => one.start.kind === 'request');
    expect(requests.every((one) => one.kept)).toBe(true);
    for (const one of requests.slice(1)) {
      expect(one.start).toMatchObject({
        client: { name: 'sdk-client', version: '9' },
        session: { id: requests[0]?.end?.session?.id, kind: 'mcp' },
      });
    }
    expect(observer.only('tools/list').end?.listed?.names).toContain('echo');
  });

  it('keep 50 concurrent calls with progress apart on one session', async () => {
    const gateway = await startGateway(await startSdkServer());
    const { client } = await connectClient(gateway);
    const seen = new Map<string, number[]>();
    const results = await Promise.all(
      Array.from({ length: 50 }, async (_unused, index) => {
        const name = `n${index}`;
        const progress: number[] = [];
        seen.set(name, progress);
        const got = await client.callTool({ name: 'steps', arguments: { name, steps: 5 } }, undefined, {
          onprogress: (one) => {
            expect(one.message).toBe(name);
            progress.push(one.progress);
          },
        });
        return (got.content as { text: string }[])[0]?.text;
      })
    );
    expect(results).toEqual(Array.from({ length: 50 }, (_unused, index) => `n${index}`));
    // the client gets each step, in order, on the stream of its own call
    expect([...seen.values()]).toEqual(Array(50).fill([1, 2, 3, 4, 5]));
    const { observer } = gateway;
    expect(observer.of('tools/call').filter((one) => one.kept && one.end?.outcome === 'success')).toHaveLength(50);
    const nameOf = new Map(
      observer
        .of('tools/call')
        .map((one) => [
          one.callId,
          (JSON.parse(Buffer.from(one.start.requestBody).toString()) as { params: { arguments: { name: string } } })
            .params.arguments.name,
        ])
    );
    const notes = observer.of('notifications/progress');
    expect(notes).toHaveLength(250);
    for (const note of notes) {
      const { params } = JSON.parse(Buffer.from(note.start.requestBody).toString()) as { params: { message: string } };
      expect(nameOf.get(note.start.parentCallId ?? '')).toBe(params.message);
    }
  });

  it('elicit through the gateway, recorded as a request of the server', async () => {
    const gateway = await startGateway(await startSdkServer());
    const { client } = await connectClient(gateway);
    const got = await client.callTool({ name: 'ask' });
    expect(JSON.stringify(got)).toContain('accept');
    expect(gateway.observer.only('elicitation/create')).toMatchObject({
      kept: true,
      start: { kind: 'server_request' },
      end: { outcome: 'success' },
    });
  });

  it('cancel a call', async () => {
    const gateway = await startGateway(await startSdkServer(), { relay: { cancelGraceMs: 200 } });
    const { client } = await connectClient(gateway);
    const stop = new AbortController();
    const slow = client.callTool({ name: 'slow' }, undefined, { signal: stop.signal });
    slow.catch(() => undefined);
    await gateway.observer.until(() => gateway.observer.of('tools/call').length === 1);
    stop.abort('enough');
    await expect(slow).rejects.toThrow();
    expect((await gateway.observer.ended('tools/call')).end?.outcome).toBe('cancelled');
    expect(gateway.observer.only('notifications/cancelled').start.kind).toBe('notification');
  });
});
