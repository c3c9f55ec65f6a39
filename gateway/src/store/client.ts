/**
 * The ordinary ClickHouse client with our credentials and defaults, for the embedded store and for a server alike, and
 * the one mapping of its errors. A message of the database can quote data, so it never becomes a message of ours.
 */
import { type ClickHouseClient, ClickHouseError, type ClickHouseSettings, createClient } from '@clickhouse/client';
import { GatelensError, isGatelensError } from '../errors.ts';

export interface StoreClientOptions {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** of one request, the whole answer included; default 30 s */
  readonly requestTimeoutMs?: number;
  /** default 10 */
  readonly maxConnections?: number;
  readonly settings?: ClickHouseSettings;
  /** gzip for requests and answers: worth it over a network only */
  readonly compression?: boolean;
}

/** The caller closes it. */
export function createStoreClient(options: StoreClientOptions): ClickHouseClient {
  return createClient({
    url: options.url,
    username: options.username,
    password: options.password,
    request_timeout: options.requestTimeoutMs ?? 30_000,
    max_open_connections: options.maxConnections ?? 10,
    // shorter than the server's, else a request meets a socket that is just being closed
    keep_alive: { enabled: true, idle_socket_ttl: 2_000 },
    compression: { request: options.compression ?? false, response: options.compression ?? false },
    application: 'gatelens',
    // its messages quote statements
    log: { level: 127 },
    clickhouse_settings: {
      date_time_input_format: 'best_effort',
      output_format_json_quote_64bit_integers: 1,
      ...options.settings,
    },
  });
}

/** Number of the database's exception, e.g. 60 for UNKNOWN_TABLE; undefined when it was no answer of the database. */
export function databaseErrorCode(error: unknown): number | undefined {
  return error instanceof ClickHouseError ? Number(error.code) : undefined;
}

/** What any failure of a store request becomes. Aborts by the caller's own signal are passed on unchanged. */
export function storeError(cause: unknown, signal?: AbortSignal): Error {
  if (isGatelensError(cause)) return cause;
  if (signal?.aborted === true)
    return signal.reason instanceof Error ? signal.reason : new DOMException('aborted', 'AbortError');
  if (cause instanceof ClickHouseError) {
    const hint = HINTS[cause.type ?? ''] ?? 'See the logs of the store.';
    return new GatelensError(
      'store_unavailable',
      `The store refused a statement (${cause.type ?? cause.code}). ${hint}`,
      {
        cause,
      }
    );
  }
  return new GatelensError('store_unavailable', 'The store does not answer. Check store.url and that it is running.', {
    cause,
  });
}

const HINTS: Readonly<Record<string, string>> = {
  AUTHENTICATION_FAILED: 'Check store.username and store.password.',
  ACCESS_DENIED: 'The user lacks a grant; see provisioning/clickhouse.',
  UNKNOWN_TABLE: 'Run `gatelens migrate`.',
  UNKNOWN_DATABASE: 'Run `gatelens migrate`.',
  TIMEOUT_EXCEEDED: 'Narrow the time range.',
  MEMORY_LIMIT_EXCEEDED: 'Narrow the time range, or give the store more memory.',
  TOO_MANY_SIMULTANEOUS_QUERIES: 'Try again.',
};

/** Runs `work` and turns whatever it throws into one of our errors. */
export async function inStore<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw storeError(cause, signal);
  }
}
