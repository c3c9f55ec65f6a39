/**
 * Reads a request of the ClickHouse HTTP dialect into a plain value: who, which statement, which data, parameters and
 * settings. Takes what @clickhouse/client and the collector's exporter send (query in the URL or body, gzip bodies, multipart
 * parameters) and says what of the dialect it does not take. Executes nothing.
 */
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { Writable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { cutInsert } from '../sql-lexer.ts';
import { EngineException } from './engine-exception.ts';

export interface StoreRequest {
  /** statement without inline data */
  readonly sql: string;
  /** data of an INSERT; undefined when the statement is not one with data */
  readonly data: Buffer | undefined;
  readonly queryId: string | undefined;
  readonly database: string | undefined;
  readonly defaultFormat: string | undefined;
  /** escaped as the dialect wants it (TSV) */
  readonly parameters: ReadonlyMap<string, string>;
  readonly settings: ReadonlyMap<string, string>;
  readonly compressResponse: boolean;
  readonly readonlyMethod: boolean;
  /** revision that the client decodes Native results at; 0 = not named */
  readonly nativeRevision: number;
}

/** Names in the URL that are no settings. */
const OPTIONS = new Set([
  'query',
  'query_id',
  'database',
  'default_format',
  'user',
  'password',
  'quota_key',
  'role',
  'session_timeout',
  'session_check',
  'stacktrace',
  'wait_end_of_query',
  'buffer_size',
  'http_wait_end_of_query',
  'http_response_buffer_size',
  'enable_http_compression',
  'http_zlib_compression_level',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
  'cancel_http_readonly_queries_on_client_close',
  'add_http_cors_header',
  'client_protocol_version',
]);
const UNSUPPORTED = new Set(['session_id', 'compress', 'decompress', 'close_session']);

export interface Credentials {
  readonly name: string;
  readonly password: string;
}

export function readCredentials(request: IncomingMessage, url: URL): Credentials | undefined {
  const user = request.headers['x-clickhouse-user'];
  const key = request.headers['x-clickhouse-key'];
  if (typeof user === 'string') return { name: user, password: typeof key === 'string' ? key : '' };
  const basic = /^Basic ([A-Za-z0-9+/=]+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (basic !== undefined) {
    const text = Buffer.from(basic, 'base64').toString();
    const colon = text.indexOf(':');
    return colon === -1 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) };
  }
  const name = url.searchParams.get('user');
  return name === null ? undefined : { name, password: url.searchParams.get('password') ?? '' };
}

/** @throws EngineException TOO_MANY_BYTES and others */
export async function readStoreRequest(
  request: IncomingMessage,
  url: URL,
  maxBodyBytes: number
): Promise<StoreRequest> {
  const parameters = new Map<string, string>();
  const settings = new Map<string, string>();
  for (const [name, value] of url.searchParams) {
    if (name.startsWith('param_')) parameters.set(name.slice('param_'.length), value);
    else if (UNSUPPORTED.has(name)) {
      if (value !== '0' && value !== '')
        throw new EngineException(48, 'NOT_IMPLEMENTED', `The embedded store has no ${name}.`);
    } else if (!OPTIONS.has(name)) settings.set(name, value);
  }
  const body = await readBody(request, maxBodyBytes);
  const { sql, data } = await statementOf(request, url, body, parameters);
  return {
    sql,
    data,
    parameters,
    settings,
    queryId: url.searchParams.get('query_id') ?? undefined,
    database: url.searchParams.get('database') ?? header(request, 'x-clickhouse-database'),
    defaultFormat: url.searchParams.get('default_format') ?? header(request, 'x-clickhouse-format'),
    compressResponse: ['1', 'true'].includes(url.searchParams.get('enable_http_compression') ?? ''),
    readonlyMethod: request.method === 'GET',
    nativeRevision: Number(url.searchParams.get('client_protocol_version') ?? 0) || 0,
  };
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

async function statementOf(
  request: IncomingMessage,
  url: URL,
  body: Buffer,
  parameters: Map<string, string>
): Promise<{ sql: string; data: Buffer | undefined }> {
  const inUrl = url.searchParams.get('query');
  const contentType = header(request, 'content-type') ?? '';
  if (/^multipart\/form-data/i.test(contentType)) {
    return { sql: await readMultipart(body, contentType, inUrl, parameters), data: undefined };
  }
  if (inUrl !== null && inUrl.trim() !== '') {
    const cut = cutInsert(inUrl);
    // the dialect joins the query of the URL and the body
    if (cut === undefined) return { sql: body.length === 0 ? inUrl : `${inUrl}\n${body.toString()}`, data: undefined };
    const inline = Buffer.from(inUrl.slice(cut.dataStart));
    return { sql: cut.head, data: inline.length === 0 ? body : Buffer.concat([inline, Buffer.from('\n'), body]) };
  }
  // one character a byte, so that indexes are byte offsets
  const cut = /^\s*(?:--|\/\*|#|insert\b)/i.test(body.toString('latin1', 0, 200))
    ? cutInsert(body.toString('latin1', 0, 1 << 20))
    : undefined;
  if (cut === undefined) return { sql: body.toString(), data: undefined };
  return { sql: Buffer.from(cut.head, 'latin1').toString(), data: body.subarray(cut.dataStart) };
}

/** Parameters too long for a URL come as form fields. External tables are not taken. */
async function readMultipart(
  body: Buffer,
  contentType: string,
  inUrl: string | null,
  parameters: Map<string, string>
): Promise<string> {
  let sql = inUrl ?? '';
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } })
    // deprecated for servers since it reads all into memory: here it is there already, and bounded
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    .formData()
    .catch(() => {
      throw new EngineException(36, 'BAD_ARGUMENTS', 'The multipart body cannot be read.');
    });
  for (const [name, value] of form) {
    if (typeof value !== 'string')
      throw new EngineException(48, 'NOT_IMPLEMENTED', 'The embedded store takes no external tables.');
    if (name === 'query') sql = value;
    else if (name.startsWith('param_')) parameters.set(name.slice('param_'.length), value);
    else throw new EngineException(48, 'NOT_IMPLEMENTED', 'The embedded store takes no external tables.');
  }
  return sql;
}

function decompressorFor(encoding: string): NodeJS.ReadWriteStream | undefined {
  switch (encoding) {
    case '':
    case 'identity':
      return undefined;
    case 'gzip':
      return createGunzip();
    case 'deflate':
      return createInflate();
    case 'br':
      return createBrotliDecompress();
    case 'zstd':
      return createZstdDecompress();
    default:
      throw new EngineException(48, 'NOT_IMPLEMENTED', 'This Content-Encoding is not supported.');
  }
}

/** Counted after decompression, so a small body cannot become a large one unseen. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const tooLarge = (): EngineException =>
    new EngineException(307, 'TOO_MANY_BYTES', `The body is larger than ${maxBytes} bytes. Send smaller batches.`);
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let bytes = 0;
  const collect = new Writable({
    write(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      chunks.push(chunk);
      done(bytes > maxBytes ? tooLarge() : null);
    },
  });
  const decompress = decompressorFor((request.headers['content-encoding'] ?? '').toLowerCase().trim());
  try {
    if (decompress === undefined) await pipeline(request, collect);
    else await pipeline(request, decompress, collect);
  } catch (cause) {
    if (cause instanceof EngineException) throw cause;
    throw new EngineException(354, 'ZLIB_INFLATE_FAILED', 'The body cannot be decompressed or broke off.');
  }
  return Buffer.concat(chunks, bytes);
}
