/**
 * The store as the routes get it: each query has a time limit and ends with the request that asked, and each failure
 * becomes an ApiError that names no SQL, no value and no address. The only place that looks into errors of the store.
 */
import type { Logger } from '../logger.ts';
import type { QueryLimit, StoreReader } from '../store/queries/reader.ts';
import { MAX_EXECUTION_SECONDS } from '../store/queries/reader.ts';
import type { ApiErrorCode } from './contract.ts';
import { ApiError } from './api-error.ts';

/** Beyond the limit that the database keeps itself: for a database that does not answer at all. */
const STORE_TIMEOUT_MS = MAX_EXECUTION_SECONDS * 1000 + 5000;

/** ClickHouse error codes with a remedy of their own. */
const BY_CLICKHOUSE_CODE: Readonly<Record<string, ApiErrorCode>> = {
  159: 'timeout', // TIMEOUT_EXCEEDED
  160: 'timeout', // TOO_SLOW
  394: 'timeout', // QUERY_WAS_CANCELLED
  158: 'too_large', // TOO_MANY_ROWS
  241: 'too_large', // MEMORY_LIMIT_EXCEEDED
  307: 'too_large', // TOO_MANY_BYTES
  396: 'too_large', // TOO_MANY_ROWS_OR_BYTES
  202: 'store_unavailable', // TOO_MANY_SIMULTANEOUS_QUERIES
  516: 'store_unavailable', // AUTHENTICATION_FAILED
  497: 'store_unavailable', // ACCESS_DENIED
};

const LIMIT_BY_CLICKHOUSE_CODE: Readonly<Record<string, QueryLimit>> = {
  158: 'rows',
  241: 'memory',
  307: 'rows',
  396: 'rows',
};

const MESSAGE = {
  timeout: 'The query took too long and was ended. Narrow the time range or add filters, then ask again.',
  too_large:
    'The query needs more memory, or reads more rows, than one query may. Narrow the time range or add filters, then ask again.',
  store_unavailable: 'The store does not answer. Nothing is lost: calls wait in the spool. Try again in a moment.',
  internal: 'The store refused the query. The log of the audit API has the code.',
} as const;

export function guardStore(store: StoreReader, logger: Logger, timeoutMs: number = STORE_TIMEOUT_MS): StoreReader {
  return {
    async query<Row>(...[sql, params, options]: Parameters<StoreReader['query']>): Promise<Row[]> {
      const timeout = AbortSignal.timeout(timeoutMs);
      const signal = options?.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]);
      try {
        return await store.query<Row>(sql, params, { signal });
      } catch (error) {
        // the caller is gone; nobody reads the answer
        if (options?.signal?.aborted === true) throw new ApiError('timeout', MESSAGE.timeout);
        const code = timeout.aborted ? 'timeout' : codeOf(error);
        logger.error('store_query_failed', { code, store_code: storeCode(error) });
        const limit = code === 'timeout' ? 'time' : LIMIT_BY_CLICKHOUSE_CODE[storeCode(error)];
        throw new ApiError(code, MESSAGE[code], limit === undefined ? {} : { limit });
      }
    },
  };
}

function codeOf(error: unknown): keyof typeof MESSAGE {
  const code = BY_CLICKHOUSE_CODE[storeCode(error)];
  if (code === 'timeout' || code === 'too_large' || code === 'store_unavailable') return code;
  return /^\d+$/.test(storeCode(error)) ? 'internal' : 'store_unavailable';
}

/** A ClickHouse number or a system error name such as ECONNREFUSED; never a message. */
function storeCode(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  return /^[A-Za-z0-9_]{1,40}$/.test(code) ? code : 'unknown';
}

/** The limit at which the store gave up, of what was thrown here. */
export function limitOf(error: unknown): QueryLimit | undefined {
  return error instanceof ApiError ? error.limit : undefined;
}
