/**
 * The HTTP form of the everything-server: sessions with resumable streams for clients of 2025, one instance for each
 * request of 2026-07-28, on one endpoint. Prints its URL as one line of JSON and runs until it is killed.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  localhostHostValidation,
  localhostOriginValidation,
  NodeStreamableHTTPServerTransport,
  toNodeHandler,
  toWebRequest,
} from '@modelcontextprotocol/node';
import type { NodeIncomingMessageLike } from '@modelcontextprotocol/node';
import { createMcpHandler, isInitializeRequest, isLegacyRequest } from '@modelcontextprotocol/server';
import type { EventStore, JSONRPCMessage } from '@modelcontextprotocol/server';
import { createEverythingServer, createEverythingState } from './everything-server.ts';

const RETRY_MS = 500;

const modern = createMcpHandler(() => createEverythingServer(stateless, 'modern'), { legacy: 'reject' });
const stateless = createEverythingState(modern.notify);
const serveModern = toNodeHandler(modern);
const sessions = new Map<string, NodeStreamableHTTPServerTransport>();
const validHost = localhostHostValidation();
const validOrigin = localhostOriginValidation();

const server = createServer((req, res) => {
  if (!validHost(req, res) || !validOrigin(req, res)) return;
  serve(req, res).catch(() => res.destroy());
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}/mcp` })}\n`);
});

async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const body = req.method === 'POST' ? await readJson(req) : undefined;
  if (req.method === 'POST' && body === undefined) {
    refuse(res, 400, -32700, 'Parse error');
    return;
  }
  const legacy = await isLegacyRequest(await toWebRequest(req as NodeIncomingMessageLike, body));
  if (legacy) await serveSession(req, res, body);
  else await serveModern(req as NodeIncomingMessageLike, res, body);
}

async function serveSession(req: IncomingMessage, res: ServerResponse, body: unknown): Promise<void> {
  const sessionId = req.headers['mcp-session-id'];
  const known = typeof sessionId === 'string' ? sessions.get(sessionId) : undefined;
  if (known !== undefined) {
    await known.handleRequest(req, res, body);
    return;
  }
  if (sessionId !== undefined || !isInitializeRequest(body)) {
    if (sessionId === undefined) refuse(res, 400, -32000, 'No session id');
    else refuse(res, 404, -32001, 'Session not found');
    return;
  }
  const transport: NodeStreamableHTTPServerTransport = new NodeStreamableHTTPServerTransport({
    sessionIdGenerator: () => randomUUID(),
    eventStore: new MemoryEventStore(),
    retryInterval: RETRY_MS,
    onsessioninitialized: (id) => void sessions.set(id, transport),
    onsessionclosed: (id) => void sessions.delete(id),
  });
  await createEverythingServer(createEverythingState(), 'legacy').connect(transport);
  await transport.handleRequest(req, res, body);
}

async function readJson(req: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return undefined;
  }
}

function refuse(res: ServerResponse, status: number, code: number, message: string): void {
  res.writeHead(status, { 'Content-Type': 'application/json' });
  res.end(JSON.stringify({ jsonrpc: '2.0', id: null, error: { code, message } }));
}

/** Events of one session, in the order they were sent. */
class MemoryEventStore implements EventStore {
  readonly #events: { readonly id: string; readonly streamId: string; readonly message: JSONRPCMessage }[] = [];

  storeEvent(streamId: string, message: JSONRPCMessage): Promise<string> {
    const id = `${streamId}_${this.#events.length}`;
    this.#events.push({ id, streamId, message });
    return Promise.resolve(id);
  }

  async replayEventsAfter(
    lastEventId: string,
    { send }: { send: (eventId: string, message: JSONRPCMessage) => Promise<void> }
  ): Promise<string> {
    const from = this.#events.findIndex((event) => event.id === lastEventId);
    const streamId = this.#events[from]?.streamId ?? '';
    for (const event of this.#events.slice(from + 1)) {
      // a priming event is an id without a message
      if (event.streamId === streamId && Object.keys(event.message).length > 0) await send(event.id, event.message);
    }
    return streamId;
  }
}
