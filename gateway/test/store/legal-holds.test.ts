/**
 * Legal holds on the real engine: what retention would remove stays while one is in force, through restarts, changes of
 * retention and new tables, and goes after the last one is released.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/logger.ts';
import { readHolds, writeHold, holdsOn, type LegalHold } from '../../src/store/legal-holds.ts';
import { type SchemaTarget, readMigrationFiles } from '../../src/store/migration-files.ts';
import { applyRetention, migrate, planMigrations } from '../../src/store/migrations.ts';
import { createStoreReader } from '../../src/store/queries/clickhouse-reader.ts';
import { EMBEDDED, type TestStore, startTestStore } from './test-store.ts';

const DAY_MS = 86_400_000;
let test: TestStore;
beforeAll(async () => {
  test = await startTestStore({ migrated: true });
});
afterAll(() => test.stop());

const options = (target: SchemaTarget = EMBEDDED) => ({
  client: test.client('gatelens_admin'),
  target,
  logger: silentLogger,
});
const hold = (id: string, over: Partial<LegalHold> = {}): LegalHold => ({
  id,
  reason: 'case 1',
  setBy: 'legal',
  setAtMs: Date.now(),
  userKey: '',
  server: '',
  fromMs: 0,
  toMs: 0,
  releasedAtMs: 0,
  releasedBy: '',
  ...over,
});
const write = (one: LegalHold): Promise<void> => writeHold(test.client('gatelens_admin'), one, false);

/** In every table that holds protect, a row that retention would remove, and in two that they do not. */
const daysAgo = (days: number): string => new Date(Date.now() - days * DAY_MS).toISOString().replace('Z', '');
const EXPIRED: readonly (readonly [table: string, row: object])[] = [
  ['mcp.calls', { call_id: 'old', started_at: daysAgo(500) }],
  ['mcp.chain', { chain_id: 'c', started_at: daysAgo(2600) }],
  ['mcp.access_log', { access_id: 'old', started_at: daysAgo(2600) }],
  ['mcp.health', { component: 'gateway', at: daysAgo(500) }],
  ['mcp.checkpoints', { chain_id: 'c', signed_at: daysAgo(2600) }],
  ['mcp.tool_changes', { server: 'hr', started_at: daysAgo(500) }],
  ['mcp.records_set_aside', { kind: 'x', at: daysAgo(500) }],
  ['mcp.usage_user_hour', { server: 'hr', hour: daysAgo(500) }],
  ['mcp_protected.payload_events', { call_id: 'old', started_at: daysAgo(100) }],
  ['mcp_protected.events_set_aside', { event: 'x', at: daysAgo(100) }],
];
const NOT_HELD: readonly (readonly [table: string, row: object])[] = [
  ['mcp.otel_traces', { TraceId: 't', Timestamp: daysAgo(10) }],
  ['mcp.usage_hour', { server: 'hr', hour: daysAgo(1200) }],
];

async function insertExpired(rows: typeof EXPIRED): Promise<void> {
  for (const [table, row] of rows) {
    await test.client('gatelens_admin').insert({ table, format: 'JSONEachRow', values: [row] });
  }
}
/** Tables in which something is left after a merge, which applies what retention there is. */
async function tablesWithRows(rows: typeof EXPIRED): Promise<string[]> {
  const left: string[] = [];
  for (const [table] of rows) {
    await test.client('gatelens_admin').command({ query: `OPTIMIZE TABLE ${table} FINAL` });
    const [row] = await test.rows<{ n: string }>(`SELECT count() AS n FROM ${table}`);
    if (row?.n !== '0') left.push(table);
  }
  return left;
}
const heldTables = EXPIRED.map(([table]) => table);

describe('while a hold is in force', () => {
  it('nothing is removed by retention that is a record, a payload or an access record', async () => {
    await write(hold('hold-1', { userKey: 'ana' }));
    const [plan] = await planMigrations(options());
    expect(plan?.statements).toHaveLength(heldTables.length);
    expect(plan?.statements).toEqual(
      expect.arrayContaining(heldTables.map((name) => `ALTER TABLE ${name} REMOVE TTL`))
    );
    expect(await applyRetention(options())).toBe(true);
    await insertExpired(EXPIRED);
    expect(await tablesWithRows(EXPIRED)).toEqual(heldTables);
  });

  it('raw spans and figures without people go as ever', async () => {
    await insertExpired(NOT_HELD);
    expect(await tablesWithRows(NOT_HELD)).toEqual([]);
  });

  it('neither a restart nor a shorter retention brings a TTL back', async () => {
    const shorter: SchemaTarget = {
      ...EMBEDDED,
      retentionMs: { ...EMBEDDED.retentionMs, metadata: DAY_MS, payloads: DAY_MS, accessLog: DAY_MS },
    };
    expect(await migrate(options())).toEqual([]);
    expect(await migrate(options(shorter))).toEqual([]);
    expect(await tablesWithRows(EXPIRED)).toEqual(heldTables);
  });

  it('a table that a newer version brings keeps its rows, too', async () => {
    const files = readMigrationFiles();
    const next = {
      version: files.length + 1,
      name: 'next.sql',
      checksum: 'x',
      statements: [
        'CREATE TABLE IF NOT EXISTS mcp.next (at DateTime) ENGINE = {{engine:MergeTree}} ORDER BY at\nTTL at + INTERVAL {{ttl:metadata}} SECOND DELETE',
      ],
    };
    expect(await migrate({ ...options(), files: [...files, next] })).toEqual(['next.sql', 'retention']);
    const [row] = await test.rows<{ engine_full: string }>(`SELECT engine_full FROM system.tables WHERE name = 'next'`);
    expect(row?.engine_full).not.toContain('TTL');
    await test.client('gatelens_admin').command({ query: 'DROP TABLE mcp.next SYNC' });
    await test.client('gatelens_admin').command({ query: `DELETE FROM mcp.schema_migrations WHERE name = 'next.sql'` });
  });

  it('the audit API can read holds, and neither it nor anybody but the administrator can change them', async () => {
    expect(await readHolds(createStoreReader(test.client('gatelens_api')))).toMatchObject([{ id: 'hold-1' }]);
    for (const user of ['gatelens_api', 'gatelens_ingest', 'gatelens_payload_ingest', 'grafana_reader'] as const) {
      await expect(writeHold(test.client(user), hold('hold-x'), false)).rejects.toMatchObject({
        code: 'store_unavailable',
        message: expect.stringContaining('ACCESS_DENIED') as string,
      });
    }
    await expect(
      test.client('gatelens_api').command({ query: `ALTER TABLE mcp.calls MODIFY TTL toDateTime(started_at)` })
    ).rejects.toThrow(/Not enough privileges/);
  });
});

describe('releasing', () => {
  it('one of two changes nothing; the last one lets retention go on', async () => {
    await write(hold('hold-2', { server: 'hr' }));
    await write(hold('hold-1', { userKey: 'ana', releasedAtMs: Date.now(), releasedBy: 'legal' }));
    expect(await applyRetention(options())).toBe(false);
    expect(await tablesWithRows(EXPIRED)).toEqual(heldTables);

    await write(hold('hold-2', { server: 'hr', releasedAtMs: Date.now(), releasedBy: 'legal' }));
    expect(await applyRetention(options())).toBe(true);
    expect(await tablesWithRows(EXPIRED)).toEqual([]);
    expect(await planMigrations(options())).toEqual([]);
    expect(await readHolds(createStoreReader(test.client('gatelens_api')))).toMatchObject([
      { id: 'hold-1', releasedBy: 'legal' },
      { id: 'hold-2', releasedBy: 'legal' },
    ]);
  });
});

describe('a store that cannot say whether there are holds', () => {
  it('is not given a TTL', async () => {
    await write(hold('hold-3'));
    await applyRetention(options());
    const client = test.client('gatelens_admin');
    const blind: Pick<typeof client, 'query' | 'command'> = {
      query: (params: { query: string }) =>
        params.query.includes('legal_holds FINAL') ? Promise.reject(new Error('unreadable')) : client.query(params),
      command: client.command.bind(client),
    };
    await expect(applyRetention({ ...options(), client: blind as typeof client })).rejects.toMatchObject({
      code: 'store_unavailable',
    });
    const rows = await test.rows<{ name: string }>(
      `SELECT concat(database, '.', name) AS name FROM system.tables WHERE engine_full LIKE '% TTL %' AND database LIKE 'mcp%'`
    );
    expect(rows.map(({ name }) => name).sort()).toEqual(['mcp.otel_traces', 'mcp.usage_hour', 'mcp.usage_minute']);
  });
});

describe('on a cluster', () => {
  it.each([
    [{ cluster: 'main' }, `ALTER TABLE mcp.calls ON CLUSTER 'main' REMOVE TTL`],
    [{ cluster: 'main', sharded: true }, `ALTER TABLE mcp.calls_local ON CLUSTER 'main' REMOVE TTL`],
  ])('TTLs go from the tables that have the rows: %j', async (more, statement) => {
    // a store whose tables have those names and their TTL, for what asks it
    const client = test.client('gatelens_admin');
    const asked: Pick<typeof client, 'query'> = {
      query: ((params: { query: string }) =>
        params.query.includes('engine_full')
          ? client.query({
              query: `SELECT '${'sharded' in more ? 'mcp.calls_local' : 'mcp.calls'}' AS table, 'X TTL at + toIntervalSecond(34560000)' AS engine_full`,
              format: 'JSONEachRow',
            })
          : client.query(params)) as typeof client.query,
    };
    const steps = await planMigrations({
      ...options({ ...EMBEDDED, embedded: false, ...more }),
      client: asked as typeof client,
    });
    expect(steps).toMatchObject([{ name: 'retention', statements: [statement] }]);
    const [row] = await test.rows<{ text: string }>(
      `SELECT formatQuerySingleLine('${statement.replaceAll("'", "''")}') AS text`
    );
    expect(row?.text).toContain('REMOVE TTL');
  });
});

describe('who may be erased', () => {
  const holds = (...all: LegalHold[]): string[] => holdsOn(all, 'ana').map(({ id }) => id);
  it.each([
    ['on hold themselves', [hold('h', { userKey: 'ana' })], ['h']],
    ['somebody else is', [hold('h', { userKey: 'bob' })], []],
    ['everybody is', [hold('h')], ['h']],
    ['a server is: what has not arrived yet may be theirs', [hold('h', { server: 'hr' })], ['h']],
    ['a time is', [hold('h', { fromMs: 1, toMs: 2 })], ['h']],
    ['released', [hold('h', { userKey: 'ana', releasedAtMs: 1 })], []],
  ])('%s', (_name, all, ids) => {
    expect(holds(...all)).toEqual(ids);
  });
});
