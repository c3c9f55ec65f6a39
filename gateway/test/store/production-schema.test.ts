/**
 * The schema of a ClickHouse server and of a cluster. No server is run here: each statement is one that ClickHouse
 * parses, grants are held against what the embedded store allows, and the names of a sharded schema are tried on the real
 * engine with a view in the place of each Distributed table.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type StoreUser, permissionsOf } from '../../src/store/embedded/permissions.ts';
import type { SchemaTarget } from '../../src/store/migration-files.ts';
import { wholeSchema } from '../../src/store/migrations.ts';
import { SERVER_USERS, identifiedBy } from '../../src/store/store-users.ts';
import { EMBEDDED, type TestStore, startTestStore } from './test-store.ts';

const PASSWORD = 'a-password-of-the-test';
const users = Object.fromEntries(SERVER_USERS.map((user) => [user, `${PASSWORD}-${user}`])) as Record<
  (typeof SERVER_USERS)[number],
  string
>;
const SERVER: SchemaTarget = { ...EMBEDDED, embedded: false };
const SHARDED: SchemaTarget = { ...SERVER, cluster: 'main', sharded: true, storagePolicy: 'hot_cold' };

let test: TestStore;
let embeddedTables: string[];
beforeAll(async () => {
  test = await startTestStore({ migrated: true });
  const rows = await test.rows<{ name: string }>(
    `SELECT concat(database, '.', name) AS name FROM system.tables WHERE database LIKE 'mcp%'`
  );
  embeddedTables = rows.map((row) => row.name);
});
afterAll(() => test.stop());

async function formatted(statement: string): Promise<string> {
  const result = await test.client('gatelens_admin').query({
    query: 'SELECT formatQuerySingleLine({statement:String}) AS formatted',
    query_params: { statement },
    use_multipart_params: true,
    format: 'JSONEachRow',
  });
  return (await result.json<{ formatted: string }>())[0]?.formatted ?? '';
}

const statementsOf = (target: SchemaTarget): string[] =>
  wholeSchema({ target, users }).flatMap((step) => step.statements);

describe('every statement is one that ClickHouse parses', () => {
  it.each([
    ['a server', SERVER],
    ['a replicated cluster', { ...SERVER, cluster: 'main' }],
    ['a sharded cluster with a storage policy', SHARDED],
  ] as const)('for %s', async (_name, target) => {
    const statements = statementsOf(target);
    expect(statements.length).toBeGreaterThan(55);
    for (const statement of statements) {
      const text = await formatted(statement);
      expect(text).not.toContain('{{');
      if (target.cluster !== undefined) expect(text).toMatch(/ ON CLUSTER main\b/);
      // may run again
      expect(text).toMatch(
        /^(CREATE [A-Z ]+ (IF NOT EXISTS|OR REPLACE) |CREATE (SETTINGS PROFILE|QUOTA) OR REPLACE |CREATE OR REPLACE VIEW |ALTER (TABLE|USER) |GRANT )/
      );
    }
  });

  it('also with the hash of a password, which shows no password', async () => {
    const identified = identifiedBy(users)('grafana_reader');
    expect(identified).not.toContain(PASSWORD);
    expect(await formatted(`ALTER USER grafana_reader ${identified}`)).toMatch(
      /ALTER USER grafana_reader IDENTIFIED WITH sha256_hash/
    );
    expect(identifiedBy(users)('grafana_reader')).not.toBe(identified);
    expect(statementsOf(SERVER).join()).not.toContain(PASSWORD);
  });
});

describe('the users of a server', () => {
  /** `INSERT mcp.otel_traces`, … of each grant */
  function granted(user: string): (right: string, table: string) => boolean {
    const grant = statementsOf(SERVER).find((one) => one.startsWith('GRANT') && one.includes(` TO ${user} `)) ?? '';
    const [, body = ''] = /^GRANT ([\s\S]*?) TO /.exec(grant) ?? [];
    const rights = [...body.matchAll(/([A-Z][A-Z ,]*) ON ([\w.*]+)/g)].flatMap(([, names = '', table = '']) =>
      names.split(',').map((name) => `${name.trim()} ${table}`)
    );
    return (right, table) =>
      rights.includes(`${right} ${table}`) || rights.includes(`${right} ${table.split('.')[0] ?? ''}.*`);
  }

  it.each(SERVER_USERS)('may read, write and erase what the embedded store lets them: %s', (user) => {
    const may = permissionsOf(user satisfies StoreUser);
    const has = granted(user);
    const differing = embeddedTables.filter(
      (table) =>
        has('SELECT', table) !== may.mayRead(table) ||
        has('INSERT', table) !== may.mayInsert(table) ||
        has('ALTER DELETE', table) !== may.mayErase(table)
    );
    expect(embeddedTables.length).toBeGreaterThan(30);
    expect(differing).toEqual([]);
  });

  it('bound what a Viewer of Grafana can cost', () => {
    const profile = statementsOf(SERVER).find((one) => one.includes('PROFILE OR REPLACE grafana_reader')) ?? '';
    for (const limit of [
      'readonly = 1',
      'max_execution_time',
      'max_result_rows',
      'max_rows_to_read',
      'max_memory_usage',
    ])
      expect(profile).toContain(limit);
    expect(statementsOf(SERVER).join()).toContain('CREATE QUOTA OR REPLACE grafana_reader');
  });
});

describe('a sharded cluster', () => {
  const statements = statementsOf(SHARDED);

  it('has a local table under each distributed one, replicated and on the policy', () => {
    const created = statements.flatMap((one) => /^CREATE TABLE IF NOT EXISTS (\S+)/.exec(one)?.[1] ?? []);
    const distributed = created.filter((name) => !name.endsWith('_local'));
    expect(created.filter((name) => name.endsWith('_local'))).toEqual(distributed.map((name) => `${name}_local`));
    const replicated = statements.filter((one) => /ENGINE = Replicated\w*MergeTree\(/.test(one));
    // the two landing tables that keep nothing
    expect(replicated.length).toBe(distributed.length - 2);
    expect(replicated.every((one) => one.includes(`storage_policy = 'hot_cold'`))).toBe(true);
  });

  it('computes on the shard that has the call', () => {
    const views = statements.filter((one) =>
      /^(CREATE MATERIALIZED VIEW|ALTER TABLE \S+ ON CLUSTER 'main' MODIFY QUERY)/.test(one)
    );
    expect(views.length).toBeGreaterThan(10);
    for (const view of views) {
      const tables = [...view.matchAll(/(?:FROM|TO|JOIN) (mcp\w*\.\w+)/g)].map((one) => one[1]);
      expect(tables.filter((table) => table?.endsWith('_local') !== true)).toEqual([]);
    }
  });

  it('replaces a view over the shards and the one on each', () => {
    const replaced = statements.flatMap((one) => /^CREATE OR REPLACE VIEW (\S+)/.exec(one)?.[1] ?? []);
    expect(replaced).toEqual(expect.arrayContaining(['mcp.requests', 'mcp.requests_local']));
  });

  it('gives every page and dashboard its rows under the names that they ask for', async () => {
    const store = await startTestStore();
    const admin = store.client('gatelens_admin');
    try {
      // a view stands for a Distributed table, and has no columns to change
      const notHere =
        /^(GRANT|ALTER USER|CREATE (USER|QUOTA|SETTINGS)|ALTER TABLE \S+(?<!_local) .*(MODIFY|ADD) COLUMN)/;
      const standIns = new Map<string, string>();
      for (const statement of statements) {
        const [, grown = ''] = /^ALTER TABLE (\S+(?<!_local)) .*ADD COLUMN/.exec(statement) ?? [];
        if (grown !== '') {
          // it has the columns that the table had when it was made
          await admin.command({ query: `DROP VIEW ${grown}` });
          await admin.command({ query: standIns.get(grown) ?? '' });
        } else if (!notHere.test(statement)) {
          const query = onOneShard(statement);
          const [, table] = /^CREATE TABLE IF NOT EXISTS (\S+(?<!_local)) /.exec(statement) ?? [];
          if (table !== undefined) standIns.set(table, query);
          await admin.command({ query });
        }
      }
      const span = {
        'gatelens.kind': 'request',
        'gatelens.phase': 'closed',
        'gatelens.call.id': 'c1',
        'gatelens.outcome': 'timeout',
        'gatelens.server.name': 'docs',
        'gatelens.chain.id': 'gw',
        'gatelens.chain.seq': '1',
      };
      await admin.insert({
        table: 'mcp.otel_traces_local',
        format: 'JSONEachRow',
        values: [{ Timestamp: new Date().toISOString().replace('Z', ''), SpanName: 'x', SpanAttributes: span }],
      });
      await admin.command({ query: 'SYSTEM REFRESH VIEW mcp.usage_minute_refresh' });
      await admin.command({ query: 'SYSTEM WAIT VIEW mcp.usage_minute_refresh' });
      expect(await store.rows('SELECT call_id, is_error FROM mcp.requests')).toEqual([{ call_id: 'c1', is_error: 1 }]);
      expect(await store.rows('SELECT server, is_error, calls FROM mcp.grafana_usage')).toEqual([
        { server: 'docs', is_error: 1, calls: '1' },
      ]);
      expect(await store.rows('SELECT count() AS n FROM mcp.chain')).toEqual([{ n: '1' }]);
    } finally {
      await store.stop();
    }
  });
});

/** A view reads like a Distributed table over one shard, but for FINAL, which it has inside. */
function onOneShard(statement: string): string {
  const plain = statement
    .replaceAll(/ ON CLUSTER 'main'/g, '')
    .replaceAll(/ DEFINER = CURRENT_USER SQL SECURITY DEFINER/g, '')
    .replaceAll(/Replicated(\w*MergeTree)\('[^']*', '[^']*'(?:, )?/g, '$1(')
    .replaceAll(/(?:,|\nSETTINGS) storage_policy = 'hot_cold'/g, '')
    .replaceAll(/(mcp\w*\.\w+) FINAL/g, (whole, name: string) => (name.endsWith('_local') ? whole : name));
  const distributed = /^CREATE TABLE IF NOT EXISTS (\S+) AS (\S+)\nENGINE = Distributed/.exec(plain);
  if (distributed === null) return plain;
  const [, name = '', local = ''] = distributed;
  return `CREATE VIEW IF NOT EXISTS ${name} AS SELECT * FROM ${local}${/otel_(logs|metrics)/.test(local) ? '' : ' FINAL'}`;
}
