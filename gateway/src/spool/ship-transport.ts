/**
 * Sends one OTLP request over HTTP and hands back what came, whatever it is. One connection a stream. It judges no
 * answer and repeats nothing; that is ship-verdict.ts and stream-shipper.ts.
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Pool, type Dispatcher } from 'undici';
import { GatelensError } from '../errors.ts';
import type { SpoolStream } from './spool.ts';

export interface ShipTarget {
  /** base address: `/v1/traces` or `/v1/logs` is added */
  readonly url: string;
  /** sent as bearer token; omitted or empty: none */
  readonly token?: string;
}

export interface ShipResponse {
  readonly status: number;
  readonly contentType: string;
  readonly retryAfter: string | undefined;
  readonly body: Uint8Array;
}

export interface ShipTransport {
  /**
   * Rejects when no complete answer came.
   * @param body an OTLP request, valid until this settles: its memory is used again
   */
  send(body: Uint8Array, signal: AbortSignal): Promise<ShipResponse>;
  close(): Promise<void>;
}

export interface HttpTransportOptions {
  readonly compression?: 'none' | 'gzip';
  /** for the whole request; default 60 s */
  readonly timeoutMs?: number;
  /** for connections of another kind; default one connection of an own pool */
  readonly dispatcher?: Dispatcher;
}

const PATHS: Record<SpoolStream, string> = { metadata: '/v1/traces', payload: '/v1/logs' };
/** OTLP 1.60: responses have at most 4 MiB. */
const MAX_RESPONSE_BYTES = 4 * 1024 * 1024;
const compressGzip = promisify(gzip);

function headerText(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

async function readBody(body: Dispatcher.ResponseData['body']): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // Leaving the loop ends the connection: whatever this is, it is no OTLP response.
    if (bytes > MAX_RESPONSE_BYTES) throw new GatelensError('upstream_protocol', 'The answer exceeds 4 MiB.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** @throws GatelensError `config_invalid` when the address is none */
export function createHttpTransport(
  stream: SpoolStream,
  target: ShipTarget,
  options: HttpTransportOptions = {}
): ShipTransport {
  const { compression = 'none', timeoutMs = 60_000 } = options;
  if (!URL.canParse(target.url)) {
    throw new GatelensError('config_invalid', `otlp: the address for ${stream} is no URL, e.g. http://127.0.0.1:4318.`);
  }
  const base = new URL(target.url);
  const path = base.pathname.replace(/\/+$/, '') + PATHS[stream] + base.search;
  const dispatcher = options.dispatcher ?? new Pool(base.origin, { connections: 1, pipelining: 1 });
  const headers: Record<string, string> = { 'content-type': 'application/x-protobuf', 'user-agent': 'gatelens' };
  if (target.token) headers.authorization = `Bearer ${target.token}`;
  if (compression === 'gzip') headers['content-encoding'] = 'gzip';
  return {
    async send(body, signal) {
      const response = await dispatcher.request({
        origin: base.origin,
        path,
        method: 'POST',
        headers,
        body: compression === 'gzip' ? await compressGzip(body) : body,
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      });
      return {
        status: response.statusCode,
        contentType: headerText(response.headers['content-type']) ?? '',
        retryAfter: headerText(response.headers['retry-after']),
        body: await readBody(response.body),
      };
    },
    async close() {
      if (!options.dispatcher) await dispatcher.destroy();
    },
  };
}
