/**
 * The engine inside the store process. Each query gets a connection of its own, thrown away afterwards (0.8 ms for
 * open, `select 1` and close): so settings, parameters and the current database of one query can never leak into
 * another. Cancels by KILL QUERY … ASYNC on a connection of its own, since the engine has no interrupt; SYNC can hang.
 * Knows nothing of HTTP, users or permissions.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { GatelensError } from '../../errors.ts';
import { quoteLiteral } from '../sql-lexer.ts';
import type { NativeConnection, NativeEngine, NativeResult, NativeStream } from './addon.ts';
import { EngineException, engineException } from './engine-exception.ts';

/** The server has no interrupt, and a KILL finds nothing before the query is registered: so it is repeated. */
const KILL_EVERY_MS = 150;

export interface EngineOptions {
  readonly dataDir: string;
  /** cap of what the engine allocates; caches take a part of it */
  readonly memoryBytes: number;
}

export interface EngineResult {
  readonly bytes: Buffer;
  readonly rowsRead: number;
  readonly bytesRead: number;
  readonly rowsWritten: number;
  readonly bytesWritten: number;
}

/** A statement without a result has no bytes at all. */
function toBuffer(bytes: Uint8Array | undefined): Buffer {
  return bytes === undefined ? Buffer.alloc(0) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function toResult(raw: NativeResult): EngineResult {
  return {
    bytes: toBuffer(raw.bytes),
    rowsRead: raw.rowsRead ?? 0,
    bytesRead: raw.bytesRead ?? 0,
    rowsWritten: raw.rowsWritten ?? 0,
    bytesWritten: raw.bytesWritten ?? 0,
  };
}

/**
 * fsync on insert is a setting of tables, so it is given to the engine as their default here and the DDL stays the same
 * as on a server. The log is off: it would hold query texts.
 */
function configXml(options: EngineOptions): string {
  const share = (part: number): number => Math.floor(options.memoryBytes * part);
  return `<clickhouse>
  <logger><level>none</level></logger>
  <max_server_memory_usage>${options.memoryBytes}</max_server_memory_usage>
  <mark_cache_size>${share(0.06)}</mark_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <background_pool_size>2</background_pool_size>
  <background_schedule_pool_size>8</background_schedule_pool_size>
  <merge_tree>
    <fsync_after_insert>1</fsync_after_insert>
    <fsync_part_directory>1</fsync_part_directory>
    <min_rows_to_fsync_after_merge>1</min_rows_to_fsync_after_merge>
    <number_of_free_entries_in_pool_to_execute_mutation>1</number_of_free_entries_in_pool_to_execute_mutation>
    <number_of_free_entries_in_pool_to_execute_optimize_entire_partition>1</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>
    <number_of_free_entries_in_pool_to_lower_max_size_of_merge>1</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
  </merge_tree>
</clickhouse>
`;
}

export class Engine {
  readonly #native: NativeEngine;
  readonly #path: string;
  /** keeps the data directory open while no query runs, and kills */
  readonly #control: NativeConnection;
  #open = 0;
  #closed = false;
  #whenIdle: (() => void) | undefined;

  /** @throws GatelensError `data_dir_locked`, `data_dir_unusable` */
  constructor(native: NativeEngine, options: EngineOptions) {
    this.#native = native;
    this.#path = resolve(options.dataDir, 'store');
    try {
      mkdirSync(this.#path, { recursive: true, mode: 0o700 });
      const config = join(this.#path, 'gatelens-engine.xml');
      writeFileSync(config, configXml(options), { mode: 0o600 });
      this.#control = native.CreateConnection(this.#path, [`--config-file=${config}`]);
    } catch (cause) {
      const problem = `The embedded store cannot use ${this.#path}: ${reason(cause)}`;
      throw new GatelensError('data_dir_unusable', problem, { cause });
    }
  }

  /** @throws GatelensError `data_dir_locked` when another process has the directory */
  async ready(): Promise<string> {
    try {
      const result = await this.#native.QueryAsyncConnection(this.#control, 'SELECT version()', 'TSVRaw');
      return toBuffer(result.bytes).toString().trim();
    } catch (cause) {
      throw new GatelensError('data_dir_unusable', `The embedded store does not start: ${reason(cause)}`, { cause });
    }
  }

  connect(): EngineConnection {
    if (this.#closed) throw new GatelensError('shutting_down', 'The embedded store is shutting down.');
    const connection = this.#native.CreateConnection(this.#path);
    this.#open += 1;
    return new EngineConnection(this.#native, connection, {
      kill: (tag) => this.#kill(tag),
      closed: () => {
        this.#open -= 1;
        if (this.#open === 0) this.#whenIdle?.();
      },
    });
  }

  async #kill(tag: string): Promise<void> {
    const sql = `KILL QUERY WHERE startsWith(query, ${quoteLiteral(tag)}) ASYNC`;
    await this.#native.QueryAsyncConnection(this.#control, sql, 'Null').catch(() => undefined);
  }

  /** Waits for running queries. Closing a connection under a running query would abort the whole engine. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#open > 0) {
      await new Promise<void>((done) => {
        this.#whenIdle = done;
      });
    }
    this.#native.CloseConnection(this.#control);
  }
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message.slice(0, 300) : 'unknown reason';
}

interface ConnectionOwner {
  kill(tag: string): Promise<void>;
  closed(): void;
}

/** One query's connection. Runs one thing at a time; `close` waits for it. */
export class EngineConnection {
  readonly #native: NativeEngine;
  readonly #connection: NativeConnection;
  readonly #owner: ConnectionOwner;
  readonly #tag = `/* gl:${randomUUID()} */ `;
  #running: Promise<unknown> = Promise.resolve();
  #busy = false;
  #cancelled = false;
  #closed = false;

  constructor(native: NativeEngine, connection: NativeConnection, owner: ConnectionOwner) {
    this.#native = native;
    this.#connection = connection;
    this.#owner = owner;
  }

  /** The server's limits apply; there is no other. @throws EngineException */
  query(sql: string, format: string): Promise<EngineResult> {
    return this.#run(() => this.#native.QueryAsyncConnection(this.#connection, this.#tag + sql, format)).then(toResult);
  }

  /** @param head ends with `FORMAT <name>`; the data is parsed by the engine and never looked at here */
  insert(head: string, data: Uint8Array): Promise<EngineResult> {
    return this.#run(() => this.#native.InsertRawAsyncConnection(this.#connection, this.#tag + head, data, false)).then(
      toResult
    );
  }

  /**
   * Blocks of a result, each written as a document of its own: only for formats without head and foot. Planning runs on
   * the calling thread, so a query with scalar subqueries must not come here.
   */
  async *stream(sql: string, format: string): AsyncGenerator<Buffer> {
    let handle: NativeStream;
    try {
      handle = this.#native.StreamQuery(this.#connection, this.#tag + sql, format);
    } catch (cause) {
      throw engineException(cause);
    }
    try {
      for (;;) {
        const chunk = await this.#run(() => this.#native.StreamFetch(handle));
        if (chunk.done) return;
        yield toBuffer(chunk.bytes);
      }
    } finally {
      // not while a fetch is running on it: the worker reads the handle without a lock
      await this.#running.catch(() => undefined);
      this.#native.StreamCancel(handle);
    }
  }

  async #run<T>(start: () => Promise<T>): Promise<T> {
    if (this.#closed || this.#cancelled) throw new EngineException(394, 'QUERY_WAS_CANCELLED', 'Query was cancelled.');
    this.#busy = true;
    const running = start();
    this.#running = running;
    try {
      return await running;
    } catch (cause) {
      throw engineException(cause);
    } finally {
      this.#busy = false;
    }
  }

  /** Ends what is running as soon as the engine notices, and refuses to start anything more. */
  async cancel(): Promise<void> {
    this.#cancelled = true;
    const settled = this.#running.then(
      () => true,
      () => true
    );
    while (this.#busy) {
      await this.#owner.kill(this.#tag);
      const ended = await Promise.race([settled, new Promise<false>((wake) => setTimeout(wake, KILL_EVERY_MS, false))]);
      if (ended) return;
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#running.catch(() => undefined);
    this.#native.CloseConnection(this.#connection);
    this.#owner.closed();
  }
}
