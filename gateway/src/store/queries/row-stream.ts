/**
 * The seam between exports and ClickHouse: the bytes of a result as the engine writes them, with back pressure. A result
 * that breaks off throws: it is never taken for a short one. Leaving early ends the query in the database too.
 */
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ClickHouseClient } from '@clickhouse/client';
import type { QueryOptions, QueryParam } from './reader.ts';

export interface StoreStreams {
  /** @param format of ClickHouse, e.g. `JSONEachRow` */
  stream(
    sql: string,
    params: Readonly<Record<string, QueryParam>>,
    format: string,
    options?: StreamOptions
  ): AsyncIterable<Buffer>;
}

export interface StreamOptions extends QueryOptions {
  /** it is short, and something waits for it that holds a place itself: it lets nobody go before it */
  readonly awaited?: boolean;
}

/** In the address beside a long statement; more travel as a form, and then the statement is in the address. */
const MAX_PARAMETER_CHARS = 10_000;
/** An exception in the middle of a result is told in its last bytes, at most this many. */
const EXCEPTION_TAIL_BYTES = 32 * 1024;
const EXCEPTION = '__exception__';
/** The higher, the sooner it waits for others; what pages ask for has none. */
const LONG_READ = '10';

/** Whether these parameters fit beside a statement of any length; a filter of very many values does not. */
export function fitsStream(params: Readonly<Record<string, QueryParam>>): boolean {
  return encodeURIComponent(JSON.stringify(params)).length <= MAX_PARAMETER_CHARS;
}

/** What the database told in the middle of a result. Its text can quote data and stays out. */
class StreamBrokeOff extends Error {
  /** number of the database's exception, where it said one */
  readonly code: string;

  constructor(code: string) {
    super('The store broke off in the middle of a result.');
    this.name = 'StreamBrokeOff';
    this.code = code;
  }
}

/** @param client with the rights of `gatelens_api` and a time-out as long as a result may take; whoever made it closes it */
export function createStoreStreams(client: Pick<ClickHouseClient, 'exec'>): StoreStreams {
  return {
    async *stream(...[sql, params, format, options]: Parameters<StoreStreams['stream']>): AsyncGenerator<Buffer> {
      const signal = options?.signal;
      signal?.throwIfAborted();
      const answer = await client.exec({
        query: `${sql}\nFORMAT ${format}`,
        ...(fitsStream(params) ? { query_params: { ...params } } : formOf(params)),
        clickhouse_settings: {
          cancel_http_readonly_queries_on_client_close: 1,
          ...(options?.awaited === true ? {} : { priority: LONG_READ }),
        },
        ...(signal === undefined ? {} : { abort_signal: signal }),
      });
      const stream = answer.stream;
      const leave = (): void => void stream.destroy();
      signal?.addEventListener('abort', leave, { once: true });
      try {
        yield* checked(stream, tagOf(answer.response_headers));
        signal?.throwIfAborted();
      } finally {
        signal?.removeEventListener('abort', leave);
        stream.destroy();
      }
    },
  };
}

/** As the client itself sends long parameters of queries whose answer is JSON. */
function formOf(params: Readonly<Record<string, QueryParam>>): {
  values: Readable;
  http_headers: Record<string, string>;
} {
  const boundary = `gatelens-${randomUUID()}`;
  const fields = Object.entries(params).map(
    ([name, value]) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="param_${name}"\r\n\r\n${parameterText(value)}\r\n`
  );
  return {
    values: Readable.from([Buffer.from(`${fields.join('')}--${boundary}--\r\n`)]),
    http_headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}` },
  };
}

const ESCAPED: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  '\0': '\\0',
};

function parameterText(value: QueryParam): string {
  const escaped = (text: string): string => text.replaceAll(/[\\'\t\n\r\0]/g, (one) => ESCAPED[one] ?? one);
  if (typeof value === 'string') return escaped(value);
  if (typeof value !== 'object') return String(value);
  return `[${value.map((one) => (typeof one === 'number' ? String(one) : `'${escaped(one)}'`)).join(',')}]`;
}

function tagOf(headers: Readonly<Record<string, unknown>>): string {
  const tag = headers['x-clickhouse-exception-tag'];
  return typeof tag === 'string' ? tag : '';
}

/**
 * Holds back the end of what came until it is known to be no exception. Passes on what it was given and copies nothing
 * but that end: copies of every byte would cost more than reading them.
 */
async function* checked(stream: Readable, tag: string): AsyncGenerator<Buffer> {
  if (tag === '') {
    yield* stream as AsyncIterable<Buffer>;
    return;
  }
  const held: Buffer[] = [];
  let heldBytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    held.push(chunk);
    heldBytes += chunk.length;
    for (
      let first = held[0];
      first !== undefined && heldBytes - first.length >= EXCEPTION_TAIL_BYTES;
      first = held[0]
    ) {
      held.shift();
      heldBytes -= first.length;
      yield first;
    }
  }
  const end = Buffer.concat(held, heldBytes);
  const at = end.lastIndexOf(`${EXCEPTION}\r\n${tag}\r\n`);
  if (at >= 0) throw new StreamBrokeOff(/Code: (\d+)/.exec(end.toString('latin1', at))?.[1] ?? 'unknown');
  if (end.length > 0) yield end;
}
