/**
 * The DDL on the real engine: applied once, resumed after a failure, refused when it was tampered with; every statement,
 * in the form for a cluster too, is one that ClickHouse parses.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/logger.ts';
import {
  type MigrationFile,
  type SchemaTarget,
  readMigrationFiles,
  renderStatement,
} from '../../src/store/migration-files.ts';
import { type MigrationOptions, migrate, planMigrations } from '../../src/store/migrations.ts';
import { EMBEDDED, type TestStore, startTestStore } from './test-store.ts';

let test: TestStore;
beforeAll(async () => {
  test = await startTestStore();
});
afterAll(() => test.stop());

const files = readMigrationFiles();
const options = (more: Partial<MigrationOptions> = {}): MigrationOptions => ({
  client: test.client('gatelens_admin'),
  target: EMBEDDED,
  logger: silentLogger,
  ...more,
});
const file = (version: number, name: string, statements: string[], checksum = name): MigrationFile => ({
  version,
  name,
  checksum,
  statements,
});

describe('every statement is one that ClickHouse parses', () => {
  const targets: readonly [string, SchemaTarget][] = [
    ['embedded', EMBEDDED],
    ['a server', { ...EMBEDDED, embedded: false }],
    ['a cluster', { ...EMBEDDED, embedded: false, cluster: 'main' }],
  ];
  it.each(targets)('for %s', async (_name, target) => {
    const statements = files.flatMap((one) => one.statements.map((statement) => renderStatement(statement, target)));
    expect(statements.length).toBeGreaterThan(30);
    for (const statement of statements) {
      const result = await test.client('gatelens_admin').query({
        query: 'SELECT formatQuerySingleLine({statement:String}) AS formatted',
        query_params: { statement },
        use_multipart_params: true,
        format: 'JSONEachRow',
      });
      const [row] = await result.json<{ formatted: string }>();
      expect(row?.formatted).not.toContain('{{');
      // each may run again: a migration that broke off is repeated
      expect(row?.formatted).toMatch(
        /^(CREATE (DATABASE|TABLE|VIEW|MATERIALIZED VIEW) IF NOT EXISTS mcp|CREATE OR REPLACE VIEW mcp|ALTER TABLE mcp\S* (ON CLUSTER \S+ )?\(?(MODIFY (QUERY|SETTING|COLUMN)|ADD COLUMN IF NOT EXISTS|DROP INDEX IF EXISTS|ADD INDEX IF NOT EXISTS|MATERIALIZE INDEX) )/
      );
      if (target.cluster !== undefined) expect(row?.formatted).toMatch(/ ON CLUSTER main\b/);
    }
  });
});

describe('migrating', () => {
  it('shows first what it would do, and does not do it', async () => {
    const steps = await planMigrations(options());
    expect(steps.map((step) => step.name)).toEqual(files.map((one) => one.name));
    expect(steps[0]?.statements[0]).toBe('CREATE DATABASE IF NOT EXISTS mcp');
    expect(await test.rows(`SELECT name FROM system.databases WHERE name LIKE 'mcp%'`)).toEqual([]);
  });

  it('applies each file once', async () => {
    expect(await migrate(options())).toEqual(files.map((one) => one.name));
    expect(await migrate(options())).toEqual([]);
    expect(await planMigrations(options())).toEqual([]);
    const applied = await test.rows<{ version: number; checksum: string }>(
      'SELECT version, checksum FROM mcp.schema_migrations FINAL ORDER BY version'
    );
    expect(applied).toEqual(files.map((one) => ({ version: one.version, checksum: one.checksum })));
  });

  it('makes every table that is written to survive a power cut', async () => {
    const settings = await test.rows(
      `SELECT name, value FROM system.merge_tree_settings WHERE name IN ('fsync_after_insert', 'fsync_part_directory') ORDER BY name`
    );
    expect(settings).toEqual([
      { name: 'fsync_after_insert', value: '1' },
      { name: 'fsync_part_directory', value: '1' },
    ]);
  });

  it('goes on where it failed', async () => {
    const next = files.length + 1;
    const half = [
      'CREATE TABLE IF NOT EXISTS mcp.half (a UInt8) ENGINE = Memory',
      'CREATE TABLE mcp.half (a UInt8) ENGINE = Memory',
    ];
    const broken = migrate(options({ files: [...files, file(next, 'next.sql', half)] }));
    await expect(broken).rejects.toMatchObject({
      code: 'migration_failed',
      message: expect.stringMatching(/^next\.sql could not be applied\..*TABLE_ALREADY_EXISTS/) as string,
    });
    const mended = [...files, file(next, 'next.sql', half.slice(0, 1))];
    expect(await migrate(options({ files: mended }))).toEqual(['next.sql']);
    expect(await migrate(options({ files: mended }))).toEqual([]);
  });

  it('refuses a file that was changed after it was applied', async () => {
    const changed = files.map((one) => (one.version === 2 ? { ...one, checksum: 'other' } : one));
    await expect(migrate(options({ files: changed }))).rejects.toMatchObject({
      code: 'migration_failed',
      message: expect.stringContaining('0002_calls.sql was changed after it had been applied') as string,
    });
  });

  it('refuses a store of a newer version', async () => {
    // `next.sql` of above is not among ours
    await expect(migrate(options())).rejects.toMatchObject({
      code: 'migration_failed',
      message: expect.stringContaining('made by a newer one') as string,
    });
  });

  it('lets retention follow the configuration, and drops what is older', async () => {
    const all = [...files, file(files.length + 1, 'next.sql', [])];
    const call = (id: string, daysAgo: number) => ({
      call_id: id,
      started_at: new Date(Date.now() - daysAgo * 86_400_000).toISOString().replace('Z', ''),
    });
    await test.client('gatelens_admin').insert({
      table: 'mcp.calls',
      format: 'JSONEachRow',
      values: [call('young', 5), call('old', 100)],
    });
    const target: SchemaTarget = { ...EMBEDDED, retentionMs: { ...EMBEDDED.retentionMs, metadata: 30 * 86_400_000 } };
    const [step] = await planMigrations(options({ files: all, target }));
    expect(step?.statements).toEqual([
      'ALTER TABLE mcp.calls MODIFY TTL toDateTime(started_at) + INTERVAL 2592000 SECOND DELETE',
      'ALTER TABLE mcp.health MODIFY TTL toDateTime(at) + INTERVAL 2592000 SECOND DELETE',
      'ALTER TABLE mcp.usage_user_hour MODIFY TTL hour + INTERVAL 2592000 SECOND DELETE',
      'ALTER TABLE mcp.tool_changes MODIFY TTL toDateTime(started_at) + INTERVAL 2592000 SECOND DELETE',
      'ALTER TABLE mcp.records_set_aside MODIFY TTL toDateTime(at) + INTERVAL 2592000 SECOND DELETE',
    ]);
    expect(await migrate(options({ files: all, target }))).toEqual(['retention']);
    expect(await migrate(options({ files: all, target }))).toEqual([]);
    await test.client('gatelens_admin').command({ query: 'OPTIMIZE TABLE mcp.calls FINAL' });
    expect(await test.rows('SELECT call_id FROM mcp.calls')).toEqual([{ call_id: 'young' }]);
  });

  it('is refused to those who may not define', async () => {
    await expect(migrate(options({ client: test.client('gatelens_api') }))).rejects.toMatchObject({
      code: 'migration_failed',
      message: expect.stringContaining('ACCESS_DENIED') as string,
    });
  });
});
