/**
 * Writes OTLP requests into the landing tables with the ordinary ClickHouse client: the embedded stand-in for a
 * collector. A request is one INSERT, or a few when it is large, and counts only when all are committed; a view that
 * fails makes the insert fail, and the spool delivers again, which changes nothing (keys made by the gateway). Says of
 * each failure whether trying again can help.
 */
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { ClickHouseError } from '@clickhouse/client';
import { createStoreClient, databaseErrorCode } from './client.ts';
import { type Row, logRows, traceRows } from './otlp-rows.ts';
import { createOtlpDecoder } from './otlp-schema.ts';

export type OtlpSignal = 'traces' | 'logs';

export interface OtlpWriterOptions {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** of one insert; default 60 s */
  readonly timeoutMs?: number;
}

export interface OtlpWriter {
  /**
   * Resolves with the number of rows once they are committed.
   * @throws OtlpWriteError
   */
  write(signal: OtlpSignal, body: Uint8Array): Promise<number>;
  close(): Promise<void>;
}

/** `poison`: these bytes will never be stored. `unavailable`: try again. */
export class OtlpWriteError extends Error {
  readonly kind: 'poison' | 'unavailable';
  /** what the operator may see: a class and a code, never data */
  readonly detail: string;
  constructor(kind: 'poison' | 'unavailable', detail: string, options?: { cause?: unknown }) {
    super(`otlp ${kind}: ${detail}`, options);
    this.name = 'OtlpWriteError';
    this.kind = kind;
    this.detail = detail;
  }
}

const TABLES = { traces: 'mcp.otel_traces', logs: 'mcp_protected.otel_logs' } as const;

/** UTF-8 makes up to three bytes of a char: below the 64 MiB that the store takes. */
const MAX_INSERT_CHARS = 16 * 1024 * 1024;

/** Codes that speak of the data sent: parsing, wrong types, values out of range. */
const DATA_ERRORS = new Set([6, 26, 27, 33, 38, 41, 43, 53, 69, 70, 72, 117, 130, 131, 190, 321, 349, 467, 472]);

export function createOtlpWriter(options: OtlpWriterOptions): OtlpWriter {
  const decoder = createOtlpDecoder();
  const client = createStoreClient({
    url: options.url,
    username: options.username,
    password: options.password,
    requestTimeoutMs: options.timeoutMs ?? 60_000,
    settings: {
      async_insert: 0,
      wait_end_of_query: 1,
      deduplicate_blocks_in_dependent_materialized_views: 1,
      materialized_views_ignore_errors: 0,
      // a column that the table lacks is a mistake of ours, not something to leave out
      input_format_skip_unknown_fields: 0,
      // one block an insert: all of it or nothing
      min_insert_block_size_rows: '1048576',
      min_insert_block_size_bytes: '268435456',
      max_insert_block_size: '1048576',
      input_format_parallel_parsing: 0,
      // a backlog or demo history may span more days than the default of 100
      max_partitions_per_insert_block: '0',
      date_time_input_format: 'basic',
    },
  });
  return {
    async write(signal, body) {
      let rows: Row[];
      try {
        rows = signal === 'traces' ? traceRows(decoder.traces(body)) : logRows(decoder.logs(body));
      } catch {
        throw new OtlpWriteError('poison', 'malformed protobuf');
      }
      if (rows.length === 0) return 0;
      for (const lines of jsonLines(rows)) {
        try {
          // not client.insert: it takes rows only, and would make JSON of them a second time
          const values = Readable.from([lines], { objectMode: false });
          const answer = await client.exec({ query: `INSERT INTO ${TABLES[signal]} FORMAT JSONEachRow`, values });
          await finished(answer.stream.resume());
        } catch (cause) {
          throw writeError(cause);
        }
      }
      return rows.length;
    },
    close: () => client.close(),
  };
}

/** A row as JSON is several times the row as protobuf, so what fits one request may not fit one insert. */
function* jsonLines(rows: readonly Row[]): Generator<string> {
  let lines: string[] = [];
  let chars = 0;
  for (const row of rows) {
    const line = JSON.stringify(row);
    if (chars + line.length > MAX_INSERT_CHARS && lines.length > 0) {
      yield lines.join('\n');
      lines = [];
      chars = 0;
    }
    lines.push(line);
    chars += line.length;
  }
  yield lines.join('\n');
}

function writeError(cause: unknown): OtlpWriteError {
  const code = databaseErrorCode(cause);
  if (code === undefined) return new OtlpWriteError('unavailable', 'no answer from the store', { cause });
  const detail = cause instanceof ClickHouseError ? (cause.type ?? String(code)) : String(code);
  return new OtlpWriteError(DATA_ERRORS.has(code) ? 'poison' : 'unavailable', detail, { cause });
}
