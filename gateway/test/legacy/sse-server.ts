/** Servers of the older HTTP+SSE transport: the SDK's own in this process, and the reference server in one of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { z } from 'zod';

export interface SseServer {
  /** where its event stream is */
  readonly url: string;
  /** what happened, in order: `open`, `closed`, `aborted <tool>`, `initialized` */
  readonly events: string[];
  /** headers of each request */
  readonly headers: IncomingMessage['headers'][];
  /** ends all event streams at once, and the server */
  stop(): Promise<void>;
}

function createMcp(events: string[]): McpServer {
  const mcp = new McpServer({ name: 'older', version: '1.2.3' }, { capabilities: { logging: {} } });
  mcp.registerTool('echo', { inputSchema: { text: z.string() } }, ({ text }) => ({
    content: [{ type: 'text', text }],
  }));
  mcp.registerTool('fail', {}, () => ({ content: [], isError: true }));
  mcp.registerTool(
    'steps',
    { inputSchema: { name: z.string(), steps: z.number() } },
    async ({ name, steps }, extra) => {
      for (let progress = 1; progress <= steps; progress++) {
        const progressToken = extra._meta?.progressToken ?? 0;
        const params = { progressToken, progress, message: name };
        await extra.sendNotification({ method: 'notifications/progress', params });
        // the SDK's client drops progress that comes in one piece with the answer
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return { content: [{ type: 'text', text: name }] };
    }
  );
  mcp.registerTool('ask', {}, async () => {
    const requestedSchema = { type: 'object' as const, properties: { ok: { type: 'boolean' as const } } };
    const answer = await mcp.server.elicitInput({ message: 'Sure?', requestedSchema });
    return { content: [{ type: 'text', text: JSON.stringify(answer) }] };
  });
  mcp.registerTool(
    'slow',
    {},
    (extra) =>
      new Promise((_resolve, reject) =>
        extra.signal.addEventListener('abort', () => {
          events.push('aborted slow');
          reject(new Error('stopped'));
        })
      )
  );
  mcp.registerTool('log', {}, async () => {
    await mcp.server.sendLoggingMessage({ level: 'info', data: 'noted' });
    return { content: [] };
  });
  return mcp;
}

export async function startSseServer(): Promise<SseServer> {
  const events: string[] = [];
  const headers: IncomingMessage['headers'][] = [];
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the transport that is tested
  const transports = new Map<string, SSEServerTransport>();
  const server = createServer((req, res) => {
    headers.push(req.headers);
    void (async () => {
      if (req.method === 'GET') {
        // eslint-disable-next-line @typescript-eslint/no-deprecated -- the transport that is tested
        const transport = new SSEServerTransport('/message', res);
        transports.set(transport.sessionId, transport);
        events.push('open');
        res.on('close', () => events.push('closed'));
        const mcp = createMcp(events);
        mcp.server.oninitialized = () => events.push('initialized');
        await mcp.connect(transport);
        return;
      }
      const id = new URL(req.url ?? '', 'http://localhost').searchParams.get('sessionId') ?? '';
      const transport = transports.get(id);
      if (transport === undefined) res.writeHead(404).end();
      else await transport.handlePostMessage(req, res);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/sse`,
    events,
    headers,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** `server-everything sse` as a process of its own. */
export async function startEverythingSse(): Promise<{ readonly url: string; kill(): Promise<void> }> {
  const port = await freePort();
  const script = fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js'));
  const child = spawn(process.execPath, [script, 'sse'], {
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'exit');
  let said = '';
  await new Promise<void>((resolve) => {
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('is running')) resolve();
    });
  });
  return {
    url: `http://127.0.0.1:${port}/sse`,
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
