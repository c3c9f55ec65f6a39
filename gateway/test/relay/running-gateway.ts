/**
 * The MCP listener on a port of its own, in front of whatever upstream a test brings, and a client that sees bytes.
 */
import { createServer, request } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { connect, createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { Authentication } from '../../src/access/authenticator.ts';
import type { PolicyDecision, PolicyQuestion } from '../../src/access/policy.ts';
import { createMcpApp } from '../../src/http/app.ts';
import type { McpAppDeps } from '../../src/http/deps.ts';
import { createMcpListener } from '../../src/http/listener.ts';
import { silentLogger } from '../../src/logger.ts';
import { HttpRelay } from '../../src/mcp/relay/http-relay.ts';
import type { HttpUpstreamOptions } from '../../src/mcp/relay/http-relay.ts';
import { SessionDirectory } from '../../src/mcp/sessions.ts';
import { RecordingObserver } from './recording-observer.ts';

export interface GatewayOptions {
  readonly relay?: Partial<HttpUpstreamOptions>;
  readonly deps?: Partial<McpAppDeps>;
  readonly authenticate?: (headers: Readonly<Record<string, string | string[] | undefined>>) => Authentication;
  readonly decide?: (question: PolicyQuestion) => PolicyDecision;
  readonly receiveTimeoutMs?: number;
}

export interface RunningGateway {
  readonly port: number;
  readonly observer: RecordingObserver;
  readonly url: (server?: string) => URL;
  close(): Promise<void>;
}

const ALLOW: PolicyDecision = { allow: true, rule: '#1', reason: 'rule' };
export const ANA = { userKey: 'ana', keyName: 'k', teams: [], authMethod: 'api_key' } as const;

const running: (() => Promise<void>)[] = [];

/** Closes everything that was started; call it after each test. */
export async function closeAll(): Promise<void> {
  for (const close of running.splice(0).reverse()) await close();
}

export async function startGateway(upstreamUrl: string, options: GatewayOptions = {}): Promise<RunningGateway> {
  const observer = new RecordingObserver();
  const sessions = new SessionDirectory();
  const relay = new HttpRelay({ url: new URL(upstreamUrl), sessions, logger: silentLogger, ...options.relay });
  const app = createMcpApp({
    upstreams: new Map([['up', relay]]),
    authenticator: {
      authenticate: ({ headers }) => options.authenticate?.(headers) ?? { ok: true, caller: ANA },
    },
    policy: { decide: (question) => options.decide?.(question) ?? ALLOW },
    observer,
    sessions,
    logger: silentLogger,
    ...options.deps,
  });
  const server = createMcpListener(app, {
    observer,
    ...(options.receiveTimeoutMs === undefined ? {} : { receiveTimeoutMs: options.receiveTimeoutMs }),
  });
  const port = await listen(server);
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await relay.close();
  };
  running.push(close);
  return { port, observer, url: (name = 'up') => new URL(`http://127.0.0.1:${port}/mcp/${name}`), close };
}

async function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

export interface TestUpstream {
  readonly url: string;
  readonly seen: Seen[];
  readonly server: Server;
}

/** A real HTTP server; `answer` gets the request with its body read. */
export async function startUpstream(
  answer: (seen: Seen, res: ServerResponse, req: IncomingMessage) => void | Promise<void>
): Promise<TestUpstream> {
  const seen: Seen[] = [];
  const listener: RequestListener = (req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const one = {
        method: req.method ?? '',
        url: req.url ?? '',
        headers: req.headers,
        rawHeaders: req.rawHeaders,
        body: Buffer.concat(chunks),
      };
      seen.push(one);
      void answer(one, res, req);
    });
  };
  const server = createServer({ keepAliveTimeout: 5_000 }, listener);
  const port = await listen(server);
  running.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${port}/mcp`, seen, server };
}

/** A TCP server that writes what a test wants once a request has come. */
export async function startRawUpstream(onRequest: (socket: Socket, request: string) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => onRequest(socket, chunk.toString('latin1')));
  });
  const port = await listen(server);
  running.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${port}/mcp`;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  /** the connection broke before the answer was complete */
  readonly broken: boolean;
}

export interface Sending {
  readonly method?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string | Buffer;
  readonly onChunk?: (text: string, all: string) => void;
  readonly onHead?: (res: IncomingMessage) => void;
}

export interface Sent {
  readonly answer: Promise<Answer>;
  abort(): void;
}

/** Sends one request and collects the answer; never rejects once a head was received. */
export function send(url: URL, sending: Sending = {}): Sent {
  const req = request(url, {
    method: sending.method ?? 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...sending.headers,
    },
  });
  const answer = new Promise<Answer>((resolve, reject) => {
    req.on('error', reject);
    req.on('response', (res) => {
      sending.onHead?.(res);
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        sending.onChunk?.(chunk.toString(), Buffer.concat(chunks).toString());
      });
      const done = (broken: boolean): void =>
        resolve({
          status: res.statusCode ?? 0,
          headers: res.headers,
          rawHeaders: res.rawHeaders,
          body: Buffer.concat(chunks),
          broken,
        });
      res.on('end', () => done(!res.complete));
      res.on('error', () => done(true));
    });
  });
  answer.catch(() => undefined);
  req.end(sending.body);
  return { answer, abort: () => req.destroy() };
}

export function post(url: URL, message: unknown, headers: Record<string, string | string[]> = {}): Promise<Answer> {
  return send(url, { body: typeof message === 'string' ? message : JSON.stringify(message), headers }).answer;
}

/** Writes bytes on a connection and reads until it is closed by the other side. */
export function rawExchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString('latin1')));
    socket.on('close', () => resolve(text));
    socket.on('error', (error) => (text === '' ? reject(error) : undefined));
  });
}

export const call = (id: number | string, tool = 'echo', more: object = {}): object => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name: tool, arguments: { message: 'hi' }, ...more },
});

export function json(res: ServerResponse, value: unknown, status = 200, headers: Record<string, string> = {}): void {
  const body = typeof value === 'string' ? value : JSON.stringify(value);
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers });
  res.end(body);
}

export const result = (id: unknown, value: object = {}): object => ({ jsonrpc: '2.0', id, result: value });
