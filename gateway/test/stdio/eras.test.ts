/** The official client of both eras before stdio servers of both: it finds the newest that they share, by itself. */
import { fileURLToPath } from 'node:url';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterEach, describe, expect, it } from 'vitest';
import { serveBridge, type BridgeServer } from './bridge-server.ts';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const BOTH_ERAS = path('../conformance/everything-server-stdio.ts');
const SESSIONS_ONLY = fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-memory/dist/index.js'));

let server: BridgeServer;
let client: Client;

async function connect(program: string, negotiate: boolean): Promise<void> {
  server = await serveBridge({ command: process.execPath, args: [program] });
  client = new Client(
    { name: 'eras', version: '1.2.3' },
    { capabilities: { elicitation: {} }, ...(negotiate ? { versionNegotiation: { mode: 'auto' } } : {}) }
  );
  await client.connect(new StreamableHTTPClientTransport(new URL(server.url)));
}

afterEach(async () => {
  await client.close();
  await server.close();
});

describe('a client of both eras', () => {
  it.each([
    ['a server of both eras', BOTH_ERAS, true, '2026-07-28', 'test_simple_text'],
    ['a server of both eras, without asking', BOTH_ERAS, false, '2025-11-25', 'test_simple_text'],
    ['a server that knows sessions only', SESSIONS_ONLY, true, '2025-11-25', 'read_graph'],
  ])('speaks with %s', async (_, program, negotiate, version, tool) => {
    await connect(program, negotiate);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toContain(tool);
    const result = await client.callTool({ name: tool, arguments: {} });
    expect(result.isError ?? false).toBe(false);
    const [call] = server.observer.tool(tool);
    expect(call?.end?.outcome).toBe('success');
    expect(call?.end?.protocolVersion ?? call?.start.protocolVersion).toBe(version);
    expect(call?.end?.client ?? call?.start.client).toEqual({ name: 'eras', version: '1.2.3' });
  });

  it('gets progress on its call', async () => {
    await connect(BOTH_ERAS, true);
    const progress: number[] = [];
    await client.callTool(
      { name: 'test_tool_with_progress', arguments: {} },
      { onprogress: (note) => void progress.push(note.progress) }
    );
    expect(progress).toEqual([0, 50, 100]);
  });

  it.each([
    ['in rounds', true, 'test_input_required_result_elicitation', 'Hello, Ana!'],
    ['as it is asked', false, 'test_elicitation', 'accept'],
  ])('answers what the server wants to know, %s', async (_, negotiate, name, expected) => {
    await connect(BOTH_ERAS, negotiate);
    client.setRequestHandler('elicitation/create', () => ({
      action: 'accept',
      content: { name: 'Ana', username: 'ana', email: 'ana@example.com' },
    }));
    const result = await client.callTool({ name, arguments: { message: 'Who are you?' } });
    expect(JSON.stringify(result.content)).toContain(expected);
    expect(server.observer.tool(name)).toHaveLength(negotiate ? 2 : 1);
    expect(server.observer.of('server_request')).toHaveLength(negotiate ? 0 : 1);
  });
});
