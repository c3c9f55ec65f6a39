/**
 * `StoreReader` over the ordinary ClickHouse client, for the embedded store and a server alike. A reader that goes away
 * cancels its query in the database. Passes errors on as they are: audit-api/guarded-store.ts decides what they become.
 */
import type { ClickHouseClient } from '@clickhouse/client';
import type { StoreReader } from './reader.ts';

/** @param client with the rights of `gatelens_api`; whoever made it closes it */
export function createStoreReader(client: Pick<ClickHouseClient, 'query'>): StoreReader {
  return {
    async query<Row>(...[sql, params, options]: Parameters<StoreReader['query']>): Promise<Row[]> {
      const signal = options?.signal;
      const ask = async (): Promise<Row[]> => {
        signal?.throwIfAborted();
        const result = await client.query({
          query: sql,
          query_params: { ...params },
          format: 'JSONEachRow',
          // long filters do not fit into a URL
          use_multipart_params_auto: true,
          clickhouse_settings: { cancel_http_readonly_queries_on_client_close: 1 },
          ...(signal === undefined ? {} : { abort_signal: signal }),
        });
        return result.json<Row>();
      };
      try {
        return await ask();
      } catch (error) {
        if (!isConnectionLost(error)) throw error;
        // A kept connection can end just as it is used again (a server's time-out, a restart, and the client's own timer
        // after a query that was aborted before it was sent). Reading twice changes nothing.
        return ask();
      }
    },
  };
}

function isConnectionLost(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ECONNRESET';
}
