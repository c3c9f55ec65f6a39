/**
 * Writes the result of a statement as the answer. Row formats of large results are streamed block by block with back
 * pressure, so memory stays bounded; formats with a head and a foot come in one piece. An error after the first block
 * is told in the stream as a server does (exception tag), so the client sees an error and never a short result.
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { constants, createBrotliCompress, createGzip, createZstdCompress } from 'node:zlib';
import { giveBack } from '../give-back.ts';
import { engineException } from './engine-exception.ts';
import type { EngineConnection, EngineResult } from './engine.ts';
import type { StoreRequest } from './http-request.ts';
import { nativeForRevision } from './native-blocks.ts';
import { type Statement, hasSubqueryValue, isSelect } from './statement.ts';

/** Formats whose blocks can be joined: no head, no foot, nothing between rows. */
const STREAMED_FORMATS = new Set([
  'JSONEachRow',
  'JSONStringsEachRow',
  'JSONCompactEachRow',
  'JSONCompactStringsEachRow',
  'NDJSON',
  'JSONLines',
  'TabSeparated',
  'TSV',
  'TabSeparatedRaw',
  'TSVRaw',
  'CSV',
  'RowBinary',
  'RawBLOB',
  'Native',
]);
const DEFAULT_FORMAT = 'TabSeparated';
/** a client that reads nothing for so long has its query cancelled */
const STALLED_CLIENT_MS = 120_000;

export interface ResultTask {
  readonly connection: EngineConnection;
  readonly statement: Statement;
  readonly read: StoreRequest;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly queryId: string;
  /** awaited before each block of a stream */
  readonly beforeBlock: (() => Promise<void>) | undefined;
}

export async function sendResult(task: ResultTask): Promise<void> {
  const format = task.statement.format ?? task.read.defaultFormat ?? DEFAULT_FORMAT;
  const sql = task.read.sql;
  const streamed = isSelect(task.statement) && STREAMED_FORMATS.has(format) && !hasSubqueryValue(task.statement);
  if (streamed) await sendStream(task, sql, format);
  else sendWhole(task, format, await task.connection.query(sql, format));
}

function contentType(format: string): string {
  if (/^JSON(Compact|Strings|CompactStrings|Columns\w*|ObjectEachRow)?$/.test(format))
    return 'application/json; charset=UTF-8';
  if (/^(JSON.*EachRow.*|NDJSON|JSONLines)$/.test(format)) return 'application/x-ndjson; charset=UTF-8';
  if (/^(CSV|CSVWith\w+)$/.test(format)) return 'text/csv; charset=UTF-8; header=absent';
  if (/^(TabSeparated|TSV)/.test(format)) return 'text/tab-separated-values; charset=UTF-8';
  return 'application/octet-stream';
}

function summaryOf(result: EngineResult | undefined): string {
  return JSON.stringify({
    read_rows: String(result?.rowsRead ?? 0),
    read_bytes: String(result?.bytesRead ?? 0),
    written_rows: String(result?.rowsWritten ?? 0),
    written_bytes: String(result?.bytesWritten ?? 0),
    total_rows_to_read: '0',
    result_rows: '0',
    result_bytes: '0',
    elapsed_ns: '0',
  });
}

function blockBytes(task: ResultTask, format: string, bytes: Buffer): Buffer {
  return format === 'Native' ? nativeForRevision(bytes, task.read.nativeRevision) : bytes;
}

function sendWhole(task: ResultTask, format: string, result: EngineResult): void {
  // before the head: a type that cannot be sent becomes an HTTP status
  const body = blockBytes(task, format, result.bytes);
  const out = startAnswer(task, format, { 'x-clickhouse-summary': summaryOf(result) });
  out.end(body);
}

async function* convertedBlocks(task: ResultTask, sql: string, format: string): AsyncGenerator<Buffer> {
  for await (const bytes of task.connection.stream(sql, format)) {
    yield blockBytes(task, format, bytes);
    await task.beforeBlock?.();
  }
}

async function sendStream(task: ResultTask, sql: string, format: string): Promise<void> {
  const blocks = convertedBlocks(task, sql, format);
  // errors up to here become an HTTP status
  let next = await blocks.next();
  const exceptionTag = randomBytes(8).toString('hex');
  const out = startAnswer(task, format, {
    'x-clickhouse-summary': summaryOf(undefined),
    'x-clickhouse-exception-tag': exceptionTag,
  });
  try {
    while (next.done !== true) {
      // the engine makes the next block while this one goes out
      const following = blocks.next();
      following.catch(() => undefined);
      await flushed(out, next.value, task.response);
      if (task.response.destroyed) return;
      // compression may still be reading it
      if (out === task.response) giveBack(next.value);
      next = await following;
    }
    out.end();
  } catch (cause) {
    if (task.response.destroyed) return;
    const message = `${engineException(cause).toString()}\n`;
    const length = Buffer.byteLength(message);
    out.end(`\r\n__exception__\r\n${exceptionTag}\r\n${message}${length} ${exceptionTag}\r\n__exception__\r\n`);
  } finally {
    await blocks.return(undefined);
  }
}

/** Resolves once the bytes are with the system, or nobody reads them any more. */
async function flushed(out: Writable, bytes: Buffer, response: ServerResponse): Promise<void> {
  // gone already: neither event comes any more
  if (response.destroyed) return;
  const timer = setTimeout(() => response.destroy(), STALLED_CLIENT_MS);
  await new Promise<void>((settle) => {
    const done = (): void => {
      response.off('close', done);
      settle();
    };
    response.once('close', done);
    out.write(bytes, done);
  });
  clearTimeout(timer);
}

/** Writes the head; the returned stream takes the body and compresses it when the client asked for that. */
function startAnswer(task: ResultTask, format: string, headers: Record<string, string>): Writable {
  const encoding = task.read.compressResponse ? encodingFor(task.request) : undefined;
  task.response.writeHead(200, {
    'content-type': contentType(format),
    'x-clickhouse-format': format,
    'x-clickhouse-query-id': task.queryId,
    'x-clickhouse-timezone': Intl.DateTimeFormat().resolvedOptions().timeZone,
    ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
    ...headers,
  });
  if (encoding === undefined) return task.response;
  const compress =
    encoding === 'gzip'
      ? createGzip({ level: 1 })
      : encoding === 'zstd'
        ? createZstdCompress()
        : createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 2 } });
  compress.pipe(task.response);
  return compress;
}

function encodingFor(request: IncomingMessage): 'gzip' | 'zstd' | 'br' | undefined {
  const accepted = request.headers['accept-encoding'] ?? '';
  return (['gzip', 'zstd', 'br'] as const).find((one) => new RegExp(`\\b${one}\\b`).test(accepted));
}
