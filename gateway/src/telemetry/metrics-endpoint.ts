/**
 * `/metrics` for Prometheus, on an address of its own. Answers GET and HEAD of that path only; with a token, only to
 * scrapers that send it; on loopback, only to those that call it by a loopback name, so that no web page reads it under
 * a name of its own (DNS rebinding). What it shows is counters and durations; no session, request id or user is ever on a metric.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { GatelensError } from '../errors.ts';

export interface MetricsEndpointOptions {
  readonly host: string;
  /** 0 lets the system choose */
  readonly port: number;
  /** bearer token that scrapers must send */
  readonly token?: string;
  /** writes the metrics as a whole answer */
  readonly answer: (request: IncomingMessage, response: ServerResponse) => void;
}

export interface MetricsEndpoint {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/** @throws GatelensError `config_invalid` when the address cannot be listened on */
export async function startMetricsEndpoint(options: MetricsEndpointOptions): Promise<MetricsEndpoint> {
  const server = createServer((request, response) => {
    const status = refusal(request, options);
    if (status === undefined) options.answer(request, response);
    else response.writeHead(status, status === 401 ? { 'www-authenticate': 'Bearer' } : {}).end();
  });
  server.headersTimeout = 10_000;
  server.requestTimeout = 10_000;
  server.listen(options.port, options.host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new GatelensError(
      'config_invalid',
      'cannot listen on listen.metrics: the address is in use or not on this machine; choose another one',
      { cause }
    );
  }
  const address = server.address();
  return {
    host: options.host,
    port: address !== null && typeof address === 'object' ? address.port : options.port,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function refusal(
  request: IncomingMessage,
  { host, token }: Pick<MetricsEndpointOptions, 'host' | 'token'>
): number | undefined {
  if (LOOPBACK.test(host) && !LOOPBACK.test(nameOf(request.headers.host))) return 403;
  const path = (request.url ?? '').split('?', 1)[0];
  if (path !== '/metrics') return 404;
  if (request.method !== 'GET' && request.method !== 'HEAD') return 405;
  if (token !== undefined && !sameText(request.headers.authorization ?? '', `Bearer ${token}`)) return 401;
  return undefined;
}

/** As an address to listen on and as a name to be called by. */
const LOOPBACK = /^(?:localhost|\[?::1\]?|127(?:\.\d{1,3}){3})$/i;

function nameOf(host = ''): string {
  return host.replace(/:\d*$/, '');
}

function sameText(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
