/**
 * The seam between queries and ClickHouse, and the limits every query runs under. Queries bind each value as a
 * parameter; nothing that a caller sent is ever part of the SQL text.
 */

export type QueryParam = string | number | boolean | readonly string[] | readonly number[];

export interface QueryOptions {
  /** aborting it cancels the query in the database too */
  readonly signal?: AbortSignal;
}

export interface StoreReader {
  /** @param params by name; `{name:Type}` in the SQL */
  query<Row>(sql: string, params: Readonly<Record<string, QueryParam>>, options?: QueryOptions): Promise<Row[]>;
}

/** Seconds after which the database gives a query up. */
export const MAX_EXECUTION_SECONDS = 20;
/** Rows that one query may read: hundreds of times what a page needs. */
const MAX_ROWS_TO_READ = 500_000_000;
/** Below what the embedded store gives to one query. */
const MAX_MEMORY_BYTES = 600_000_000;

/** Which limit ended a query. */
export type QueryLimit = 'time' | 'rows' | 'memory';

/**
 * Ends every query of the audit API. At a limit the database refuses: a count that was cut and looks whole would be a
 * wrong answer to an audit question. Inline, so that it holds on the embedded engine as on a server. Partitions are made
 * by the time in the sorting key, so a row never has versions in two of them and FINAL need not merge across.
 */
export const QUERY_SETTINGS = `SETTINGS max_execution_time = ${MAX_EXECUTION_SECONDS}, max_rows_to_read = ${MAX_ROWS_TO_READ}, max_memory_usage = ${MAX_MEMORY_BYTES}, do_not_merge_across_partitions_select_final = 1`;
