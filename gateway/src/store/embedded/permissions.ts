/**
 * Who may do what in the embedded store, which has no users of its own: an allow-list of tables and kinds of statement
 * per password. The same names exist as real users with grants on a ClickHouse server (provisioning). Data only;
 * embedded/statement-check.ts holds statements against it.
 */

export const STORE_USERS = [
  'gatelens_ingest',
  'gatelens_payload_ingest',
  'gatelens_api',
  'grafana_reader',
  'gatelens_admin',
] as const;
export type StoreUser = (typeof STORE_USERS)[number];

export function isStoreUser(name: string): name is StoreUser {
  return (STORE_USERS as readonly string[]).includes(name);
}

export interface Permissions {
  /** `readonly` of the engine while a query runs: 1 also refuses settings inside the SQL, 2 allows them */
  readonly readonly: 0 | 1 | 2;
  readonly mayRead: (table: string) => boolean;
  readonly mayInsert: (table: string) => boolean;
  /** ALTER … DELETE, DELETE FROM, OPTIMIZE: erasure */
  readonly mayErase: (table: string) => boolean;
  readonly mayDefine: boolean;
  readonly maySetInSql: boolean;
  /** queries at the same time; more wait */
  readonly concurrent: number;
  /** of the memory that one query may take at most */
  readonly memoryShare: number;
  /** settings that hold unless the query gives smaller ones */
  readonly limits: Readonly<Record<string, number>>;
  /** settings that a query may give; undefined: any but `readonly` */
  readonly settings: ReadonlySet<string> | undefined;
}

const nothing = (): boolean => false;
const only =
  (...tables: string[]) =>
  (table: string): boolean =>
    tables.includes(table);

const API_SYSTEM_TABLES = [
  'system.one',
  'system.parts',
  'system.tables',
  'system.columns',
  'system.view_refreshes',
  'system.mutations',
];
const ERASURE_TABLES = only('mcp_protected.data_keys', 'mcp_protected.principals', 'mcp_protected.payload_events');

const READER_SETTINGS = new Set([
  'max_execution_time',
  'max_result_rows',
  'max_result_bytes',
  'max_rows_to_read',
  'max_bytes_to_read',
  'max_block_size',
  'max_threads',
  'max_memory_usage',
  'date_time_output_format',
  'date_time_input_format',
  'join_use_nulls',
  'session_timezone',
  'output_format_json_quote_64bit_integers',
  'output_format_json_quote_64bit_floats',
  'output_format_json_quote_denormals',
  'output_format_json_named_tuples_as_objects',
  'result_overflow_mode',
  'read_overflow_mode',
  'timeout_overflow_mode',
]);

const PERMISSIONS: Readonly<Record<StoreUser, Permissions>> = {
  gatelens_ingest: {
    readonly: 0,
    mayRead: nothing,
    mayInsert: only('mcp.otel_traces', 'mcp.otel_metrics_sum'),
    mayErase: nothing,
    mayDefine: false,
    maySetInSql: false,
    concurrent: 3,
    memoryShare: 1,
    limits: { max_execution_time: 120 },
    settings: undefined,
  },
  gatelens_payload_ingest: {
    readonly: 0,
    mayRead: nothing,
    mayInsert: only('mcp_protected.otel_logs'),
    mayErase: nothing,
    mayDefine: false,
    maySetInSql: false,
    concurrent: 3,
    memoryShare: 1,
    limits: { max_execution_time: 120 },
    settings: undefined,
  },
  gatelens_api: {
    readonly: 2,
    mayRead: (table) => /^(mcp|mcp_protected)\.[a-z0-9_]+$/.test(table) || API_SYSTEM_TABLES.includes(table),
    mayInsert: ERASURE_TABLES,
    mayErase: ERASURE_TABLES,
    mayDefine: false,
    maySetInSql: true,
    concurrent: 6,
    memoryShare: 1,
    limits: { max_execution_time: 300 },
    settings: undefined,
  },
  grafana_reader: {
    readonly: 1,
    mayRead: (table) => /^mcp\.grafana_[a-z0-9_]+$/.test(table) || table === 'system.one',
    mayInsert: nothing,
    mayErase: nothing,
    mayDefine: false,
    maySetInSql: false,
    concurrent: 3,
    memoryShare: 0.4,
    limits: { max_execution_time: 30, max_result_rows: 100_000, max_rows_to_read: 200_000_000 },
    settings: READER_SETTINGS,
  },
  gatelens_admin: {
    readonly: 0,
    mayRead: () => true,
    mayInsert: () => true,
    mayErase: () => true,
    mayDefine: true,
    maySetInSql: true,
    concurrent: 2,
    memoryShare: 1,
    limits: { max_execution_time: 3600 },
    settings: undefined,
  },
};

export function permissionsOf(user: StoreUser): Permissions {
  return PERMISSIONS[user];
}
