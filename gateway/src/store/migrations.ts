/**
 * Brings the database to the schema of this version, at embedded start and by `gatelens migrate`: each DDL file once, in
 * order, remembered with its checksum; then TTLs follow the configured retention, or go while a legal hold is in force.
 * Works the same against the embedded engine and a server. Never undoes and never edits what was applied.
 */
import type { ClickHouseClient } from '@clickhouse/client';
import { GatelensError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { inStore } from './client.ts';
import { inForce, isHeldClass, readHolds } from './legal-holds.ts';
import {
  type MigrationFile,
  type SchemaTarget,
  grafanaViews,
  readMigrationFiles,
  renderStatement,
  retentionSeconds,
  statementRenderer,
  tableTtls,
} from './migration-files.ts';
import { createStoreReader } from './queries/clickhouse-reader.ts';
import { localName } from './sharded-ddl.ts';
import { type UserPasswords, identifiedBy, identifiedHidden, userStatements } from './store-users.ts';

export interface MigrationOptions {
  /** of a user that may define (`gatelens_admin`); not closed here */
  readonly client: ClickHouseClient;
  readonly target: SchemaTarget;
  readonly logger: Logger;
  /** default provisioning/clickhouse */
  readonly files?: readonly MigrationFile[];
  /** users that `migrate` makes or changes; omitted: none */
  readonly users?: UserPasswords;
}

export interface MigrationStep {
  /** file name, `retention` for changes of TTL, `users` */
  readonly name: string;
  /** rendered, in order */
  readonly statements: readonly string[];
}

const LEDGER = [
  'CREATE DATABASE IF NOT EXISTS mcp {{on_cluster}}',
  `CREATE TABLE IF NOT EXISTS mcp.schema_migrations {{on_cluster}}
(
    version UInt32,
    name String,
    checksum String,
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = {{engine:ReplacingMergeTree(applied_at)}}
ORDER BY version`,
];

interface AppliedRow {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
}

/** What `migrate` would do; changes nothing, and shows no password. @throws GatelensError `migration_failed`, `store_unavailable` */
export async function planMigrations(options: MigrationOptions): Promise<MigrationStep[]> {
  const files = options.files ?? readMigrationFiles();
  const applied = await appliedMigrations(options.client);
  checkAgainst(files, applied);
  const pending = files.filter((file) => !applied.some((one) => one.version === file.version));
  const render = rendererOf(files, options.target);
  const steps = pending.map((file) => ({ name: file.name, statements: file.statements.flatMap(render) }));
  const retention = await retentionStep(options, files);
  const users = options.users === undefined ? [] : [{ name: 'users', statements: usersPlan(files, options.target) }];
  return [...steps, ...(retention.statements.length === 0 ? [] : [retention]), ...users];
}

/** All of it, for an empty store that need not be there yet. */
export function wholeSchema(options: Pick<MigrationOptions, 'target' | 'files' | 'users'>): MigrationStep[] {
  const files = options.files ?? readMigrationFiles();
  const render = rendererOf(files, options.target);
  return [
    { name: 'schema_migrations', statements: LEDGER.flatMap(render) },
    ...files.map((file) => ({ name: file.name, statements: file.statements.flatMap(render) })),
    ...(options.users === undefined ? [] : [{ name: 'users', statements: usersPlan(files, options.target) }]),
  ];
}

function rendererOf(files: readonly MigrationFile[], target: SchemaTarget): (statement: string) => readonly string[] {
  return statementRenderer([...LEDGER, ...files.flatMap((file) => file.statements)], target);
}

/** The users of a server, without their passwords. */
function usersPlan(files: readonly MigrationFile[], target: SchemaTarget): string[] {
  return userStatements(grafanaViews(files), identifiedHidden).map((one) => renderStatement(one, target));
}

/** @returns names of the steps that were done. @throws GatelensError `migration_failed`, `store_unavailable` */
export async function migrate(options: MigrationOptions): Promise<string[]> {
  const files = options.files ?? readMigrationFiles();
  const { users, target } = options;
  for (const statement of LEDGER.flatMap(rendererOf(files, target))) await run(options, 'schema_migrations', statement);
  const done: string[] = [];
  for (const step of await planMigrations({ ...options, files })) {
    if (step.name === 'users' || step.name === 'retention') continue;
    for (const statement of step.statements) await run(options, step.name, statement);
    const file = files.find((one) => one.name === step.name);
    if (file !== undefined) await remember(options, file);
    options.logger.info('store_migrated', { step: step.name });
    done.push(step.name);
  }
  // after the files: a table that one of them made has a TTL, whatever is on hold
  if (await applyRetention({ ...options, files })) done.push('retention');
  if (users !== undefined) {
    const statements = userStatements(grafanaViews(files), identifiedBy(users));
    for (const statement of statements) await run(options, 'users', renderStatement(statement, target));
    options.logger.info('store_migrated', { step: 'users' });
    done.push('users');
  }
  return done;
}

/** @returns whether anything had to change. @throws GatelensError `migration_failed`, `store_unavailable` */
export async function applyRetention(options: MigrationOptions): Promise<boolean> {
  const { statements } = await retentionStep(options, options.files ?? readMigrationFiles());
  if (statements.length === 0) return false;
  for (const statement of statements) await run(options, 'retention', statement);
  options.logger.info('store_migrated', { step: 'retention' });
  return true;
}

async function run(options: MigrationOptions, step: string, query: string): Promise<void> {
  try {
    await inStore(() => options.client.command({ query }));
  } catch (cause) {
    const reason = cause instanceof GatelensError ? cause.message : 'unknown error';
    throw new GatelensError('migration_failed', `${step} could not be applied. ${reason}`, { cause });
  }
}

async function appliedMigrations(client: ClickHouseClient): Promise<AppliedRow[]> {
  const select = async <Row>(query: string): Promise<Row[]> =>
    inStore(async () => (await client.query({ query, format: 'JSONEachRow' })).json<Row>());
  const exists = await select(`SELECT 1 FROM system.tables WHERE database = 'mcp' AND name = 'schema_migrations'`);
  if (exists.length === 0) return [];
  return select<AppliedRow>('SELECT version, name, checksum FROM mcp.schema_migrations FINAL ORDER BY version');
}

async function remember({ client, target }: MigrationOptions, file: MigrationFile): Promise<void> {
  const { version, name, checksum } = file;
  const values = [{ version, name, checksum }];
  // a Distributed table would take the row now and deliver it later
  const settings =
    target.sharded === true ? { clickhouse_settings: { distributed_foreground_insert: 1 as const } } : {};
  await inStore(() => client.insert({ table: 'mcp.schema_migrations', format: 'JSONEachRow', values, ...settings }));
}

function checkAgainst(files: readonly MigrationFile[], applied: readonly AppliedRow[]): void {
  for (const one of applied) {
    const file = files.find((candidate) => candidate.version === one.version);
    if (file === undefined) {
      throw new GatelensError(
        'migration_failed',
        `The store has ${one.name}, which this version does not know: it was made by a newer one. Use that or a newer version.`
      );
    }
    if (file.checksum !== one.checksum) {
      throw new GatelensError(
        'migration_failed',
        `${file.name} was changed after it had been applied to this store. Restore it, and put the change into a new file.`
      );
    }
  }
}

/**
 * `toIntervalSecond(n)` in the table's own definition tells what is in force. While a hold is, a TTL goes from its table as a
 * whole: whatever cannot tell whether there are holds fails, and leaves TTLs that are gone as they are.
 */
async function retentionStep(options: MigrationOptions, files: readonly MigrationFile[]): Promise<MigrationStep> {
  const query = `SELECT concat(database, '.', name) AS table, engine_full FROM system.tables WHERE database IN ('mcp', 'mcp_protected')`;
  const rows = await inStore(async () => {
    const result = await options.client.query({ query, format: 'JSONEachRow' });
    return result.json<{ table: string; engine_full: string }>();
  });
  const holds = inForce(await readHolds(createStoreReader(options.client))).length;
  if (holds > 0) options.logger.info('retention_on_hold', { holds });
  const render = rendererOf(files, options.target);
  const statements: string[] = [];
  for (const ttl of tableTtls(files)) {
    const table = options.target.sharded === true ? localName(ttl.table) : ttl.table;
    const engine = rows.find((row) => row.table === table)?.engine_full;
    if (holds > 0 && isHeldClass(ttl.retentionClass)) {
      if (engine?.includes(' TTL ') === true) {
        statements.push(...render(`ALTER TABLE ${ttl.table} {{on_cluster}} REMOVE TTL`));
      }
      continue;
    }
    const seconds = retentionSeconds(options.target.retentionMs, ttl.retentionClass);
    if (engine === undefined || engine.includes(`toIntervalSecond(${seconds})`)) continue;
    statements.push(...render(`ALTER TABLE ${ttl.table} {{on_cluster}} MODIFY TTL ${ttl.expression}`));
  }
  return { name: 'retention', statements };
}
