/**
 * Brings the database to the schema of this version, at embedded start and by `gatelens migrate`: each DDL file once, in
 * order, remembered with its checksum; then TTLs follow the configured retention. Works the same against the embedded
 * engine and a server. Never undoes and never edits what was applied.
 */
import type { ClickHouseClient } from '@clickhouse/client';
import { GatelensError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { inStore } from './client.ts';
import {
  type MigrationFile,
  type SchemaTarget,
  readMigrationFiles,
  renderStatement,
  retentionSeconds,
  tableTtls,
} from './migration-files.ts';

export interface MigrationOptions {
  /** of a user that may define (`gatelens_admin`); not closed here */
  readonly client: ClickHouseClient;
  readonly target: SchemaTarget;
  readonly logger: Logger;
  /** default provisioning/clickhouse */
  readonly files?: readonly MigrationFile[];
}

export interface MigrationStep {
  /** file name, or `retention` for changes of TTL */
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

/** What `migrate` would do; changes nothing. @throws GatelensError `migration_failed`, `store_unavailable` */
export async function planMigrations(options: MigrationOptions): Promise<MigrationStep[]> {
  const files = options.files ?? readMigrationFiles();
  const applied = await appliedMigrations(options.client);
  checkAgainst(files, applied);
  const pending = files.filter((file) => !applied.some((one) => one.version === file.version));
  const steps = pending.map((file) => ({
    name: file.name,
    statements: file.statements.map((statement) => renderStatement(statement, options.target)),
  }));
  const retention = await retentionStep(options, files);
  return retention.statements.length === 0 ? steps : [...steps, retention];
}

/** @returns names of the steps that were done. @throws GatelensError `migration_failed`, `store_unavailable` */
export async function migrate(options: MigrationOptions): Promise<string[]> {
  const files = options.files ?? readMigrationFiles();
  for (const statement of LEDGER) await run(options, 'schema_migrations', renderStatement(statement, options.target));
  const done: string[] = [];
  for (const step of await planMigrations({ ...options, files })) {
    for (const statement of step.statements) await run(options, step.name, statement);
    const file = files.find((one) => one.name === step.name);
    if (file !== undefined) await remember(options.client, file);
    options.logger.info('store_migrated', { step: step.name });
    done.push(step.name);
  }
  return done;
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

async function remember(client: ClickHouseClient, file: MigrationFile): Promise<void> {
  const { version, name, checksum } = file;
  const values = [{ version, name, checksum }];
  await inStore(() => client.insert({ table: 'mcp.schema_migrations', format: 'JSONEachRow', values }));
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

/** `toIntervalSecond(n)` in the table's own definition tells what is in force. */
async function retentionStep(options: MigrationOptions, files: readonly MigrationFile[]): Promise<MigrationStep> {
  const query = `SELECT concat(database, '.', name) AS table, engine_full FROM system.tables WHERE database IN ('mcp', 'mcp_protected')`;
  const rows = await inStore(async () => {
    const result = await options.client.query({ query, format: 'JSONEachRow' });
    return result.json<{ table: string; engine_full: string }>();
  });
  const statements: string[] = [];
  for (const ttl of tableTtls(files)) {
    const engine = rows.find((row) => row.table === ttl.table)?.engine_full;
    const seconds = retentionSeconds(options.target.retentionMs, ttl.retentionClass);
    if (engine === undefined || engine.includes(`toIntervalSecond(${seconds})`)) continue;
    statements.push(
      renderStatement(`ALTER TABLE ${ttl.table} {{on_cluster}} MODIFY TTL ${ttl.expression}`, options.target)
    );
  }
  return { name: 'retention', statements };
}
