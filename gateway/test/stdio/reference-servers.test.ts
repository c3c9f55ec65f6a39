/** The reference servers over stdio, used by the MCP SDK's own client as if they spoke HTTP. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CallToolResultSchema,
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  type ClientCapabilities,
} from '@modelcontextprotocol/sdk/types.js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { isRunning, serveBridge, type BridgeServer } from './bridge-server.ts';

const require = createRequire(import.meta.url);
const clients: Client[] = [];
let server: BridgeServer;

async function serve(name: string, ...args: string[]): Promise<void> {
  const script = join(
    dirname(require.resolve(`@modelcontextprotocol/server-${name}/package.json`)),
    'dist',
    'index.js'
  );
  server = await serveBridge({ command: process.execPath, args: [script, ...args] });
}

async function connect(capabilities: ClientCapabilities = {}, prepare?: (client: Client) => void): Promise<Client> {
  const client = new Client({ name: 'test', version: '1.2.3' }, { capabilities });
  prepare?.(client);
  await client.connect(
    new StreamableHTTPClientTransport(new URL(server.url), {
      reconnectionOptions: {
        initialReconnectionDelay: 20,
        maxReconnectionDelay: 20,
        reconnectionDelayGrowFactor: 1,
        maxRetries: 2,
      },
    })
  );
  clients.push(client);
  return client;
}

async function callText(client: Client, name: string, args: Record<string, unknown> = {}): Promise<string> {
  const result = CallToolResultSchema.parse(await client.callTool({ name, arguments: args }));
  return result.content.map((content) => (content.type === 'text' ? content.text : '')).join('');
}

afterEach(async () => {
  const { pids } = server.bridge.state();
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await server.close();
  expect(server.observer.open).toEqual([]);
  for (const pid of pids) expect(await isRunning(pid)).toBe(false);
});

describe('server-everything', () => {
  it('is initialized, listed and called', async () => {
    await serve('everything');
    const client = await connect();
    expect(client.getServerVersion()?.name).toBe('mcp-servers/everything');
    const { tools } = await client.listTools();
    expect(await callText(client, 'echo', { message: 'é😀\u2028' })).toBe('Echo: é😀\u2028');
    expect(await callText(client, 'get-sum', { a: 2, b: 3 })).toContain('5');
    await expect(client.readResource({ uri: 'demo://nothing' })).rejects.toThrow();
    const listed = server.observer.of('request', 'tools/list')[0]?.end?.listed;
    expect(listed).toEqual({ type: 'tool', names: tools.map(({ name }) => name) });
    expect(server.observer.of('request', 'resources/read')[0]?.end?.outcome).toBe('rpc_error');
    expect(server.observer.tool('echo')[0]?.end).toMatchObject({
      outcome: 'success',
      protocolVersion: '2025-11-25',
      session: { kind: 'mcp' },
    });
  });

  it('tells 50 concurrent calls of one client their own progress', async () => {
    await serve('everything');
    const client = await connect();
    const calls = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const steps = 2 + (index % 3);
        const seen: string[] = [];
        const result = await client.callTool(
          { name: 'trigger-long-running-operation', arguments: { duration: 0.3, steps } },
          CallToolResultSchema,
          { onprogress: ({ progress, total }) => seen.push(`${progress}/${total ?? 0}`) }
        );
        return { steps, seen, text: JSON.stringify(result) };
      })
    );
    for (const { steps, seen, text } of calls) {
      expect(seen).toEqual(Array.from({ length: steps }, (_, step) => `${step + 1}/${steps}`));
      expect(text).toContain(`Steps: ${steps}.`);
    }
    expect(server.bridge.state()).toMatchObject({ unknownResponses: 0, droppedNotifications: 0 });
  });

  it('asks the client for samples, input and roots, each recorded', async () => {
    await serve('everything');
    const capabilities = { sampling: {}, elicitation: {}, roots: { listChanged: true } };
    const client = await connect(capabilities, (asked) => {
      asked.setRequestHandler(CreateMessageRequestSchema, () => ({
        model: 'none',
        role: 'assistant',
        content: { type: 'text', text: 'a sample' },
      }));
      asked.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: { name: 'Ana' } }));
      asked.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [{ uri: 'file:///work', name: 'the root' }] }));
    });
    await vi.waitFor(() => expect(server.observer.of('server_request', 'roots/list')[0]?.end).toBeDefined(), 5_000);
    expect(await callText(client, 'trigger-sampling-request', { prompt: 'hi' })).toContain('a sample');
    expect(await callText(client, 'trigger-elicitation-request')).toContain('Ana');
    expect(await callText(client, 'get-roots-list')).toContain('the root');
    for (const method of ['sampling/createMessage', 'elicitation/create']) {
      const [asked] = server.observer.of('server_request', method);
      expect(asked?.end?.outcome).toBe('success');
      expect(asked?.start.parentCallId).toBeDefined();
    }
  });

  it('hears of a cancellation, and the client of nothing more', async () => {
    await serve('everything');
    const client = await connect();
    const errors: unknown[] = [];
    client.onerror = (error) => errors.push(error);
    const abort = new AbortController();
    const call = client.callTool(
      { name: 'trigger-long-running-operation', arguments: { duration: 30, steps: 100 } },
      CallToolResultSchema,
      { signal: abort.signal, onprogress: () => abort.abort() }
    );
    await expect(call).rejects.toThrow();
    await vi.waitFor(() => expect(server.observer.of('request', 'tools/call')[0]?.end?.outcome).toBe('cancelled'));
    // Time for a client that would try to resume the stream.
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await callText(client, 'echo', { message: 'still here' })).toContain('still here');
    expect(errors).toEqual([]);
  });

  it('sends its log to the client it belongs to', async () => {
    await serve('everything');
    const logs: string[][] = [[], []];
    const [first] = await Promise.all(
      logs.map((log) =>
        connect({}, (client) =>
          client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
            log.push(JSON.stringify(params.data));
          })
        )
      )
    );
    if (first === undefined) throw new Error('no client');
    await callText(first, 'toggle-simulated-logging');
    await vi.waitFor(() => expect(logs[0]?.length).toBeGreaterThan(0), 10_000);
    expect(logs[1]).toEqual([]);
  });

  it('ends with the session that the client ends', async () => {
    await serve('everything');
    const client = await connect();
    const [pid] = server.bridge.state().pids;
    expect(await isRunning(pid ?? 0)).toBe(true);
    await (client.transport as StreamableHTTPClientTransport).terminateSession();
    await vi.waitFor(async () => expect(await isRunning(pid ?? 0)).toBe(false), 5_000);
    await expect(client.listTools()).rejects.toThrow(/initialize/);
    await connect();
  });
});

describe('server-filesystem', () => {
  it('reads what is allowed and tells tool errors apart', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gatelens-stdio-'));
    try {
      await writeFile(join(folder, 'note.txt'), 'line one\nline two\n');
      await serve('filesystem', folder);
      const client = await connect();
      expect(await callText(client, 'read_text_file', { path: join(folder, 'note.txt') })).toBe('line one\nline two\n');
      expect(await callText(client, 'read_text_file', { path: '/etc/passwd' })).toContain('denied');
      expect(server.observer.tool('read_text_file').map(({ end }) => end?.outcome)).toEqual(['success', 'tool_error']);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('server-memory', () => {
  it('keeps what two sessions tell it, with the environment of its entry', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gatelens-stdio-'));
    try {
      const script = require.resolve('@modelcontextprotocol/server-memory/dist/index.js');
      const env = { MEMORY_FILE_PATH: join(folder, 'memory.jsonl') };
      server = await serveBridge({ command: process.execPath, args: [script], env });
      const entities = [{ name: 'Ana', entityType: 'person', observations: ['writes tests'] }];
      await callText(await connect(), 'create_entities', { entities });
      expect(await callText(await connect(), 'read_graph')).toContain('writes tests');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
