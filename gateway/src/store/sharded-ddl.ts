/**
 * The DDL for a cluster of several shards, from the same files: each table becomes a local one (`…_local`) and a
 * Distributed one of its own name over it, so that every query stays as it is. What ClickHouse computes on insert and by
 * refresh stays on the shard that has the call. Works on statements with their placeholders; pure.
 */

/** A column-based constant: rows that erasure replaces must be on one shard. */
const ONE_SHARD = (column: string): string => `cityHash64(substring(${column}, 1, 0))`;

/**
 * Where an insert goes. A record and its re-delivery must meet on one shard, and so must the `open` and the `closed` row
 * of a stream; hence by call. Other tables are filled on their shard and never inserted through.
 */
const SHARDING: Readonly<Record<string, string>> = {
  'mcp.otel_traces': `cityHash64(if(SpanAttributes['gatelens.call.id'] = '', SpanId, SpanAttributes['gatelens.call.id']))`,
  // a report of a collector becomes one row
  'mcp.otel_metrics_sum': `cityHash64(ResourceAttributes['service.instance.id'])`,
  'mcp_protected.otel_logs': `cityHash64(LogAttributes['gatelens.call.id'])`,
  'mcp_protected.data_keys': ONE_SHARD('key_id'),
  'mcp_protected.principals': ONE_SHARD('user_key'),
  'mcp_protected.legal_holds': ONE_SHARD('hold_id'),
  'mcp.schema_migrations': ONE_SHARD('name'),
};
/** What the events of keys and people are sharded by, too: they belong to no call. */
const FILLED_LOCALLY = 'rand()';

const CREATE_TABLE = /^CREATE TABLE IF NOT EXISTS (\w+\.\w+)/;
const CREATE_VIEW = /^CREATE (?:VIEW IF NOT EXISTS|OR REPLACE VIEW) (\w+\.\w+)/;
const NAME = /\b(?:mcp|mcp_protected)\.\w+\b/g;

export interface ShardedNames {
  /** tables, and views that a materialized view may read */
  readonly local: ReadonlySet<string>;
}

/** @param statements of all files and the ledger */
export function shardedNames(statements: readonly string[]): ShardedNames {
  const names = statements.flatMap((statement) => {
    const name = CREATE_TABLE.exec(statement)?.[1] ?? CREATE_VIEW.exec(statement)?.[1];
    return name === undefined || name.startsWith('mcp.grafana_') ? [] : [name];
  });
  return { local: new Set(names) };
}

/** The table in which the rows are. */
export function localName(table: string): string {
  return `${table}_local`;
}

/** @returns the statements in place of this one, in order */
export function shardedStatements(statement: string, names: ShardedNames): string[] {
  const local = (text: string): string =>
    text.replace(NAME, (name) => (names.local.has(name) ? localName(name) : name));
  const table = CREATE_TABLE.exec(statement)?.[1];
  if (table !== undefined) return [local(statement), distributed(table)];
  const view = CREATE_VIEW.exec(statement)?.[1];
  if (view !== undefined) return names.local.has(view) ? [local(statement), statement] : [statement];
  const altered = /^ALTER TABLE (\w+\.\w+)/.exec(statement)?.[1];
  if (altered !== undefined && names.local.has(altered)) {
    // columns are in both; TTLs, indexes and settings only where the rows are
    return / (?:ADD|MODIFY|DROP|RENAME) COLUMN /.test(statement) ? [local(statement), statement] : [local(statement)];
  }
  return [local(statement)];
}

function distributed(table: string): string {
  const [database = '', name = ''] = table.split('.');
  const key = SHARDING[table] ?? FILLED_LOCALLY;
  return `CREATE TABLE IF NOT EXISTS ${table} {{on_cluster}} AS ${localName(table)}
ENGINE = Distributed('{{cluster}}', ${database}, ${localName(name)}, ${key})`;
}
