/**
 * OTLP/HTTP on loopback for one signal with one token, like one receiver of the collector: `POST /v1/traces` for
 * metadata, `POST /v1/logs` for protected events, each on a port of its own. Answers 200 only after the insert is
 * committed. 400 = these bytes never, 503 = try again, 401 = wrong token. Logs no data.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { Logger } from '../logger.ts';
import { EngineException } from './embedded/engine-exception.ts';
import { readBody } from './embedded/http-request.ts';
import { Limiter } from './embedded/limiter.ts';
import { OtlpWriteError, type OtlpSignal, type OtlpWriter } from './otlp-writer.ts';

export interface OtlpReceiverOptions {
  readonly signal: OtlpSignal;
  readonly token: string;
  readonly writer: OtlpWriter;
  readonly logger: Logger;
  /** after decompression; default 64 MiB, the most OTLP allows */
  readonly maxBodyBytes?: number;
}

const DEFAULT_MAX_BODY_BYTES = 64 * 1024 * 1024;
/** bodies of that many requests may be in memory */
const CONCURRENT = 3;
const MAX_WAITING = 32;
const PROTOBUF = 'application/x-protobuf';

export function createOtlpReceiver(options: OtlpReceiverOptions): Server {
  const limiter = new Limiter(CONCURRENT, MAX_WAITING);
  const server = createServer((request, response) => {
    handle(options, limiter, request, response).catch(() => answer(response, 503, 'unavailable'));
  });
  server.keepAliveTimeout = 30_000;
  server.headersTimeout = 10_000;
  server.requestTimeout = 120_000;
  return server;
}

async function handle(
  options: OtlpReceiverOptions,
  limiter: Limiter,
  request: IncomingMessage,
  response: ServerResponse
): Promise<void> {
  const refusal = refuse(options, request);
  if (refusal !== undefined) {
    answer(response, ...refusal);
    request.resume();
    return;
  }
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const release = await limiter.acquire(gone.signal);
  if (release === undefined) {
    response.setHeader('retry-after', '1');
    answer(response, 503, 'too many requests at once');
    request.resume();
    return;
  }
  try {
    const body = await readBody(request, options.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES);
    await options.writer.write(options.signal, body);
    // an empty message: success of everything
    response.writeHead(200, { 'content-type': PROTOBUF, 'content-length': '0' }).end();
  } catch (cause) {
    const [status, detail] = statusOf(cause);
    options.logger.warn('store_otlp_refused', { signal: options.signal, status, detail });
    if (status === 503) response.setHeader('retry-after', '1');
    answer(response, status, detail);
  } finally {
    release();
  }
}

/** @returns status and reason, or undefined when the request may pass */
function refuse(options: OtlpReceiverOptions, request: IncomingMessage): [number, string] | undefined {
  if (new URL(request.url ?? '/', 'http://otlp').pathname !== `/v1/${options.signal}`)
    return [404, 'no such signal here'];
  if (!sameToken(request.headers.authorization, options.token)) return [401, 'wrong token'];
  if (request.method !== 'POST') return [405, 'POST only'];
  const mediaType = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (mediaType !== PROTOBUF) return [415, 'application/x-protobuf only'];
  return undefined;
}

function sameToken(header: string | undefined, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(header ?? ''), digest(`Bearer ${token}`));
}

function statusOf(cause: unknown): [number, string] {
  if (cause instanceof OtlpWriteError) return [cause.kind === 'poison' ? 400 : 503, cause.detail];
  if (cause instanceof EngineException && cause.code === 307) return [413, 'body too large'];
  if (cause instanceof EngineException && cause.code === 48) return [415, 'unsupported content encoding'];
  if (cause instanceof EngineException) return [400, 'broken body'];
  return [503, 'internal'];
}

/** google.rpc.Status with `message` (field 2) alone, as OTLP wants failures told. */
function answer(response: ServerResponse, status: number, message: string): void {
  if (response.headersSent || response.destroyed) return;
  const text = Buffer.from(message.slice(0, 120));
  const body = Buffer.concat([Buffer.from([0x12, text.length]), text]);
  response.writeHead(status, { 'content-type': PROTOBUF, 'content-length': String(body.length) }).end(body);
}
