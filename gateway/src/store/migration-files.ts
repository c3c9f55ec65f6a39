/**
 * The DDL files `provisioning/clickhouse/NNNN_name.sql` and their placeholders, rendered for one server, a cluster or
 * the embedded engine. Forward only: an applied file is never edited, a change is a new file. Pure but for reading.
 *
 * `{{engine:X}}` X or its replicated form · `{{on_cluster}}` ON CLUSTER clause or nothing · `{{ttl:class}}` seconds of
 * retention · `{{sql_security}}` definer's rights for views on a server. Shards: sharded-ddl.ts.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GatelensError } from '../errors.ts';
import { shardedNames, shardedStatements } from './sharded-ddl.ts';
import { splitStatements } from './sql-lexer.ts';

const RETENTION_CLASSES = ['metadata', 'payloads', 'accessLog', 'traces', 'usage'] as const;
export type RetentionClass = (typeof RETENTION_CLASSES)[number];
/** how long each class of data is kept; ms, as the configuration has it */
export type RetentionMs = Readonly<Record<RetentionClass, number>>;

export interface SchemaTarget {
  readonly retentionMs: RetentionMs;
  /** the embedded engine: no users, so no definers */
  readonly embedded: boolean;
  /** replicated tables on it; omitted: one server */
  readonly cluster?: string;
  /** spread over the shards of the cluster */
  readonly sharded?: boolean;
  /** omitted: the server's default */
  readonly storagePolicy?: string;
}

export interface MigrationFile {
  readonly version: number;
  /** file name */
  readonly name: string;
  /** hex SHA-256 of the file */
  readonly checksum: string;
  /** with placeholders */
  readonly statements: readonly string[];
}

const MIGRATIONS_DIRECTORY = fileURLToPath(new URL('../../../provisioning/clickhouse', import.meta.url));

/** In order. @throws GatelensError `migration_failed` when two files have one number or one is missing */
export function readMigrationFiles(directory: string = MIGRATIONS_DIRECTORY): MigrationFile[] {
  const names = readdirSync(directory)
    .filter((name) => /^\d{4}_\w+\.sql$/.test(name))
    .sort();
  return names.map((name, index) => {
    const version = Number(name.slice(0, 4));
    if (version !== index + 1) {
      throw new GatelensError(
        'migration_failed',
        `${name} should have number ${index + 1}: files are counted without gaps.`
      );
    }
    const text = readFileSync(join(directory, name), 'utf8');
    const checksum = createHash('sha256').update(text).digest('hex');
    return { version, name, checksum, statements: splitStatements(text) };
  });
}

export function retentionSeconds(retentionMs: RetentionMs, name: RetentionClass): number {
  return Math.ceil(retentionMs[name] / 1000);
}

function isRetentionClass(name: string): name is RetentionClass {
  return (RETENTION_CLASSES as readonly string[]).includes(name);
}

function engineClause(engine: string, target: SchemaTarget): string {
  if (target.cluster === undefined || !/^\w*MergeTree/.test(engine)) return engine;
  const [, name = engine, args = ''] = /^(\w+)(?:\((.*)\))?$/.exec(engine) ?? [];
  const replica = `'/clickhouse/tables/{uuid}/{shard}', '{replica}'`;
  return `Replicated${name}(${replica}${args === '' ? '' : `, ${args}`})`;
}

function replacement(name: string, argument: string, target: SchemaTarget): string | undefined {
  switch (name) {
    case 'engine':
      return engineClause(argument, target);
    case 'on_cluster':
      return target.cluster === undefined ? '' : `ON CLUSTER '${target.cluster}'`;
    case 'cluster':
      return target.cluster;
    case 'sql_security':
      return target.embedded ? '' : 'DEFINER = CURRENT_USER SQL SECURITY DEFINER';
    case 'ttl':
      return isRetentionClass(argument) ? String(retentionSeconds(target.retentionMs, argument)) : undefined;
    default:
      return undefined;
  }
}

function checkName(setting: string, name: string | undefined): void {
  if (name !== undefined && !/^[\w.-]+$/.test(name)) {
    throw new GatelensError(
      'config_invalid',
      `store.${setting} may hold letters, digits, \`_\`, \`-\` and \`.\` only.`
    );
  }
}

/** Of a MergeTree table, at its creation. */
function withStoragePolicy(statement: string, policy: string | undefined): string {
  if (policy === undefined || !/^CREATE TABLE [\s\S]*\{\{engine:\w*MergeTree/.test(statement)) return statement;
  const setting = `storage_policy = '${policy}'`;
  return statement.includes('\nSETTINGS ') ? `${statement}, ${setting}` : `${statement}\nSETTINGS ${setting}`;
}

/** @throws GatelensError `migration_failed` on a placeholder that is none of ours */
export function renderStatement(statement: string, target: SchemaTarget): string {
  checkName('cluster', target.cluster);
  checkName('storagePolicy', target.storagePolicy);
  return withStoragePolicy(statement, target.storagePolicy).replaceAll(
    / ?\{\{(\w+)(?::([^}]*))?\}\}/g,
    (whole: string, name: string, argument: string | undefined) => {
      const text = replacement(name, argument ?? '', target);
      if (text === undefined)
        throw new GatelensError('migration_failed', `${whole.trim()} is no placeholder of the DDL.`);
      return text === '' ? '' : `${whole.startsWith(' ') ? ' ' : ''}${text}`;
    }
  );
}

/** The statements of a target in place of one of a file. @param all statements of all files, for their names */
export function statementRenderer(
  all: readonly string[],
  target: SchemaTarget
): (statement: string) => readonly string[] {
  if (target.sharded !== true) return (statement) => [renderStatement(statement, target)];
  const names = shardedNames(all);
  return (statement) => shardedStatements(statement, names).map((one) => renderStatement(one, target));
}

/** What `grafana_reader` may read. */
export function grafanaViews(files: readonly MigrationFile[]): string[] {
  const view = /^CREATE (?:VIEW IF NOT EXISTS|OR REPLACE VIEW) (mcp\.grafana_\w+)/;
  return [...new Set(files.flatMap((file) => file.statements.flatMap((one) => view.exec(one)?.[1] ?? [])))];
}

export interface TableTtl {
  /** `db.name` */
  readonly table: string;
  readonly retentionClass: RetentionClass;
  /** with the placeholder */
  readonly expression: string;
}

/** Tables whose TTL follows the configuration; a later file may change the expression of an earlier one. */
export function tableTtls(files: readonly MigrationFile[]): TableTtl[] {
  const ttls = new Map<string, TableTtl>();
  for (const statement of files.flatMap((file) => file.statements)) {
    const table = /\b(?:CREATE|ALTER) TABLE (?:IF NOT EXISTS )?(\w+\.\w+)/.exec(statement)?.[1];
    const ttl = /\bTTL ([^\n]*\{\{ttl:(\w+)\}\}[^\n]*)/.exec(statement);
    const [, expression = '', retentionClass = ''] = ttl ?? [];
    if (table === undefined || ttl === null || !isRetentionClass(retentionClass)) continue;
    ttls.set(table, { table, retentionClass, expression: expression.trim() });
  }
  return [...ttls.values()];
}
