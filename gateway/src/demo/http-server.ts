/**
 * The reference server "everything" over Streamable HTTP, a program of its own: its own listener opens every interface,
 * this one only loopback and for local Host names. Prints its URL as one JSON line; ends when its standard input does, so
 * that it never outlives who started it.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';

/** What the package has in `dist/server/index.js`; it has no types. */
interface EverythingModule {
  createServer(): { readonly server: McpServer; cleanup: (sessionId?: string) => void };
}

async function loadEverything(): Promise<EverythingModule> {
  const manifest = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-everything/package.json');
  const file = join(dirname(manifest), 'dist', 'server', 'index.js');
  return (await import(pathToFileURL(file).href)) as EverythingModule;
}

const everything = await loadEverything();
const sessions = new Map<string, StreamableHTTPServerTransport>();

async function openSession(): Promise<StreamableHTTPServerTransport> {
  const { server, cleanup } = everything.createServer();
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: () => randomUUID(),
    onsessioninitialized: (id) => void sessions.set(id, transport),
  });
  await server.connect(transport);
  server.server.onclose = () => {
    const { sessionId } = transport;
    if (sessionId !== undefined) sessions.delete(sessionId);
    cleanup(sessionId);
  };
  return transport;
}

async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const host = (req.headers.host ?? '').replace(/:\d+$/, '');
  if (req.url !== '/mcp' || (host !== '127.0.0.1' && host !== 'localhost')) return void res.writeHead(404).end();
  const id = req.headers['mcp-session-id'];
  const known = typeof id === 'string' ? sessions.get(id) : undefined;
  if (known === undefined && id !== undefined) return void res.writeHead(404).end();
  await (known ?? (await openSession())).handleRequest(req, res);
}

const server = createServer((req, res) => {
  answer(req, res).catch(() => {
    if (!res.headersSent) res.writeHead(500);
    res.end();
  });
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}/mcp` })}\n`);
});
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
