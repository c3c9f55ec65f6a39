import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type SchemaTarget, readMigrationFiles, renderStatement, tableTtls } from './migration-files.ts';

const DAY_MS = 86_400_000;
const retentionMs = {
  metadata: 400 * DAY_MS,
  payloads: DAY_MS,
  accessLog: 3 * DAY_MS,
  traces: 1.5 * DAY_MS,
  usage: DAY_MS,
};
const embedded: SchemaTarget = { retentionMs, embedded: true };
const cluster: SchemaTarget = { retentionMs, embedded: false, cluster: 'main' };

describe('rendering the DDL', () => {
  it.each([
    ['CREATE DATABASE mcp {{on_cluster}}', 'CREATE DATABASE mcp', "CREATE DATABASE mcp ON CLUSTER 'main'"],
    [
      'ENGINE = {{engine:ReplacingMergeTree(seq)}}',
      'ENGINE = ReplacingMergeTree(seq)',
      "ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', seq)",
    ],
    [
      'ENGINE = {{engine:MergeTree}}',
      'ENGINE = MergeTree',
      "ENGINE = ReplicatedMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}')",
    ],
    ['ENGINE = {{engine:Null}}', 'ENGINE = Null', 'ENGINE = Null'],
    ['TTL at + INTERVAL {{ttl:traces}} SECOND', 'TTL at + INTERVAL 129600 SECOND', 'TTL at + INTERVAL 129600 SECOND'],
    [
      'CREATE VIEW v {{on_cluster}} {{sql_security}} AS SELECT 1',
      'CREATE VIEW v AS SELECT 1',
      "CREATE VIEW v ON CLUSTER 'main' DEFINER = CURRENT_USER SQL SECURITY DEFINER AS SELECT 1",
    ],
  ])('%s', (template, forEmbedded, forCluster) => {
    expect(renderStatement(template, embedded)).toBe(forEmbedded);
    expect(renderStatement(template, cluster)).toBe(forCluster);
  });

  it.each(['{{ttl:forever}}', '{{nothing}}'])('refuses the placeholder %s', (template) => {
    expect(() => renderStatement(template, embedded)).toThrow('is no placeholder of the DDL');
  });

  it('refuses a cluster name that would be SQL', () => {
    expect(() => renderStatement('SELECT 1', { ...cluster, cluster: "a' OR" })).toThrow('store.cluster may hold');
  });
});

describe('the files', () => {
  const directory = mkdtempSync(join(tmpdir(), 'gatelens-ddl-'));
  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  it('are counted without gaps', () => {
    writeFileSync(join(directory, '0001_a.sql'), 'SELECT 1;');
    writeFileSync(join(directory, 'README.md'), 'no DDL');
    expect(readMigrationFiles(directory)).toMatchObject([{ version: 1, name: '0001_a.sql', statements: ['SELECT 1'] }]);
    writeFileSync(join(directory, '0003_c.sql'), 'SELECT 3;');
    expect(() => readMigrationFiles(directory)).toThrow('0003_c.sql should have number 2');
  });

  it('tell which tables have a TTL by the configuration, the last word counting', () => {
    const file = (statements: string[]) => ({ version: 1, name: 'x', checksum: '', statements });
    const create =
      'CREATE TABLE IF NOT EXISTS mcp.a {{on_cluster}}\n(x DateTime)\nENGINE = M\nTTL x + INTERVAL {{ttl:usage}} SECOND DELETE\nSETTINGS a = 1';
    const fixed = 'CREATE TABLE IF NOT EXISTS mcp.b (x DateTime) ENGINE = M\nTTL x + INTERVAL 30 DAY DELETE';
    const change = 'ALTER TABLE mcp.a MODIFY TTL y + INTERVAL {{ttl:traces}} SECOND';
    expect(tableTtls([file([create, fixed])])).toEqual([
      { table: 'mcp.a', retentionClass: 'usage', expression: 'x + INTERVAL {{ttl:usage}} SECOND DELETE' },
    ]);
    expect(tableTtls([file([create]), file([change])])).toMatchObject([{ retentionClass: 'traces' }]);
  });

  it('of this version give every table but the keys and names of people a retention', () => {
    const files = readMigrationFiles();
    expect(tableTtls(files).map((ttl) => `${ttl.table} ${ttl.retentionClass}`)).toEqual([
      'mcp.otel_traces traces',
      'mcp.calls metadata',
      'mcp.chain accessLog',
      'mcp.access_log accessLog',
      'mcp.health metadata',
      'mcp.checkpoints accessLog',
      'mcp_protected.payload_events payloads',
      'mcp.usage_hour usage',
      'mcp.usage_user_hour metadata',
      'mcp.tool_changes metadata',
      'mcp_protected.events_set_aside payloads',
      'mcp.records_set_aside metadata',
    ]);
  });
});
