/**
 * The Node server under the MCP app: limits on what is read before a request exists, and a record of what never became
 * one. The caller listens and closes.
 */
import { createServer, STATUS_CODES } from 'node:http';
import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { AttemptLimits } from '../access/attempt-limit.ts';
import type { CallObserver } from '../mcp/observer.ts';
import type { McpApp } from './app.ts';
import { NOBODY } from './refusal.ts';

export interface McpListenerOptions {
  readonly observer: CallObserver;
  /** the app's; omitted: everything gets a record of its own */
  readonly attempts?: Pick<AttemptLimits, 'ofStranger'>;
  /** the app refuses and records from here on; Node itself cuts off at four times as much. Default 16 KiB */
  readonly headerBytes?: number;
  /** how long a client may take to send a request; default 30 s */
  readonly receiveTimeoutMs?: number;
}

export function createMcpListener(app: McpApp, options: McpListenerOptions): Server {
  const receiveTimeoutMs = options.receiveTimeoutMs ?? 30_000;
  const fetch = (request: Request, env: unknown): Response | Promise<Response> => {
    const { incoming, outgoing } = env as HttpBindings;
    const answered = app.fetch(request, env as HttpBindings);
    // a HEAD is routed as GET and its answer copied, which loses the mark that it was written already
    return incoming.method === 'HEAD' ? withoutSecondAnswer(answered, outgoing) : answered;
  };
  const answer = getRequestListener(fetch, {
    overrideGlobalObjects: false,
    // an impossible Host or request target, found before the app sees a request
    errorHandler: () =>
      recordRefused(options, 400, undefined).then(
        () => new Response(null, { status: 400 }),
        () => new Response(null, { status: 503 })
      ),
  });
  /** connections with a request that the app knows of, and records */
  const known = new WeakSet<object>();
  const server = createServer(
    {
      maxHeaderSize: 4 * (options.headerBytes ?? 16_384),
      requestTimeout: receiveTimeoutMs,
      headersTimeout: receiveTimeoutMs,
      connectionsCheckingInterval: Math.min(5_000, Math.max(100, receiveTimeoutMs / 4)),
      // longer than clients keep idle connections, so that they never meet one that is being closed
      keepAliveTimeout: 65_000,
      insecureHTTPParser: false,
    },
    (req, res) => {
      const { socket } = req;
      known.add(socket);
      res.once('close', () => known.delete(socket));
      void answer(req, res);
    }
  );
  // not a request to the app, nor one that goes on to anybody
  server.on('connect', (_req, socket) => refuseConnection(options, 400, socket));
  // none is dropped silently; the app counts them
  server.maxHeadersCount = 0;
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const code = error.code ?? '';
    if (LEFT.has(code) || !socket.writable) socket.destroy();
    else if (known.has(socket)) closeWith(socket, statusOf(code));
    else refuseConnection(options, statusOf(code), socket);
  });
  return server;
}

async function withoutSecondAnswer(
  answered: Response | Promise<Response>,
  outgoing: { readonly headersSent: boolean }
): Promise<Response> {
  const response = await answered;
  return outgoing.headersSent ? RESPONSE_ALREADY_SENT : response;
}

/** The client went away in the middle of something. */
const LEFT: ReadonlySet<string> = new Set(['ECONNRESET', 'HPE_INVALID_EOF_STATE']);

function statusOf(code: string): 400 | 408 | 431 {
  if (code === 'HPE_HEADER_OVERFLOW') return 431;
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
}

function closeWith(socket: Duplex, status: 400 | 408 | 431): void {
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** What is no HTTP request, or never became a whole one. Nothing of it is repeated. */
function refuseConnection(options: McpListenerOptions, status: 400 | 408 | 431, socket: Duplex): void {
  const close = (): void => closeWith(socket, status);
  recordRefused(options, status, socket).then(close, close);
}

function recordRefused(
  { observer, attempts }: McpListenerOptions,
  status: 400 | 408 | 431,
  socket: Duplex | undefined
): Promise<void> {
  const clientAddress = socket instanceof Socket ? (socket.remoteAddress ?? '') : '';
  const errorType = status === 431 ? 'headers_too_large' : 'invalid_request';
  if (attempts?.ofStranger(clientAddress, errorType).record === false) return Promise.resolve();
  return observer
    .begin({
      kind: 'attempt',
      server: '',
      serverKnown: false,
      caller: NOBODY,
      method: '',
      clientAddress,
      upstreamTransport: 'none',
      requestHeaders: [],
      requestBody: Buffer.alloc(0),
    })
    .end({
      outcome: status === 431 ? 'denied' : 'rpc_error',
      errorType,
      httpStatus: status,
      ...(status === 431 ? { deniedBy: 'size_limit' as const } : {}),
    });
}
