/**
 * Who may do what in the embedded store: each user against statements of each kind, and the ways around an allow-list
 * that readers of SQL dialects try. Real engine; nothing may reach a file or another table even when it is refused late.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { STORE_USERS, type StoreUser } from '../../src/store/embedded/permissions.ts';
import { type TestStore, startTestStore } from './test-store.ts';

let test: TestStore;
const outside = mkdtempSync(join(tmpdir(), 'gatelens-outside-'));
const secretFile = join(outside, 'secret.txt');
const writtenFile = join(outside, 'written.csv');
const SECRET = 'the-secret-of-the-file';

beforeAll(async () => {
  writeFileSync(secretFile, `${SECRET}\n`);
  test = await startTestStore({ migrated: true });
  const values = [
    { user_key: 'u1', email: 'ana@example.com', login: 'ana', name: 'Ana', seen_at: '2026-11-01 00:00:00.000' },
  ];
  await test.client('gatelens_admin').insert({ table: 'mcp_protected.principals', format: 'JSONEachRow', values });
});
afterAll(async () => {
  await test.stop();
  rmSync(outside, { recursive: true });
});

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** By plain HTTP, so that no client tidies the statement up. */
async function run(user: StoreUser, sql: string, query = ''): Promise<Answer> {
  const { username, password } = test.store.credentials[user];
  const response = await fetch(`${test.store.url}/${query}`, {
    method: 'POST',
    body: sql,
    headers: { 'x-clickhouse-user': username, 'x-clickhouse-key': password },
  });
  return { status: response.status, text: await response.text() };
}

const INGEST: readonly StoreUser[] = ['gatelens_ingest'];
const PAYLOAD: readonly StoreUser[] = ['gatelens_payload_ingest'];
const API: readonly StoreUser[] = ['gatelens_api'];
const GRAFANA: readonly StoreUser[] = ['grafana_reader'];
const ADMIN: readonly StoreUser[] = ['gatelens_admin'];
const READERS = [...API, ...ADMIN, ...GRAFANA];
const NOBODY: readonly StoreUser[] = [];

const SPAN = `{"Timestamp":"1763971200.000000000","SpanName":"x","SpanAttributes":{"gatelens.kind":"health"}}`;
const LOG = `{"Timestamp":"1763971200.000000000","EventName":"x"}`;
const KEY = `{"key_id":"k","subject":"s","destroyed_at":"2026-11-01 00:00:00.000","version":1}`;

/** statement, who may run it */
const TABLE: readonly (readonly [string, readonly StoreUser[]])[] = [
  // reading
  // as on a server, where no grant is needed for it: health checks ask so
  ['SELECT 1', STORE_USERS],
  ['SELECT count() FROM mcp.grafana_requests', READERS],
  ['SELECT server, count() FROM mcp.grafana_usage_minute AS u GROUP BY server ORDER BY server LIMIT 3', READERS],
  ['WITH recent AS (SELECT * FROM mcp.grafana_requests) SELECT count() FROM recent', READERS],
  ['SELECT count() FROM grafana_requests', [...API, ...GRAFANA]],
  ['SELECT number FROM numbers(3)', READERS],
  ['SELECT count() FROM mcp.calls', [...API, ...ADMIN]],
  ['SELECT count() FROM mcp.requests', [...API, ...ADMIN]],
  ['SELECT count() FROM calls', API],
  ['SELECT count() FROM mcp.access_log', [...API, ...ADMIN]],
  ['SELECT count() FROM mcp_protected.principals', [...API, ...ADMIN]],
  ['SELECT * FROM system.view_refreshes', [...API, ...ADMIN]],
  ['SELECT * FROM system.processes', ADMIN],
  ['SELECT * FROM system.query_log', NOBODY],
  ['SELECT * FROM information_schema.tables', ADMIN],
  ['SHOW TABLES FROM mcp', ADMIN],
  // who inserts may describe, as on a server
  ['DESCRIBE TABLE mcp_protected.principals', [...API, ...ADMIN]],
  ['DESCRIBE TABLE mcp.otel_traces', [...INGEST, ...ADMIN]],
  ['DESCRIBE TABLE mcp_protected.otel_logs', [...PAYLOAD, ...ADMIN]],
  ['EXPLAIN indexes = 1 SELECT count() FROM mcp.calls', ADMIN],
  // writing
  [`INSERT INTO mcp.otel_traces FORMAT JSONEachRow ${SPAN}`, [...INGEST, ...ADMIN]],
  [
    `INSERT INTO mcp.otel_traces (Timestamp, SpanName, SpanAttributes) SETTINGS async_insert = 0 FORMAT JSONEachRow\n${SPAN}`,
    ADMIN,
  ],
  [`INSERT INTO mcp_protected.otel_logs FORMAT JSONEachRow ${LOG}`, [...PAYLOAD, ...ADMIN]],
  [`INSERT INTO mcp_protected.data_keys FORMAT JSONEachRow ${KEY}`, [...API, ...ADMIN]],
  [`INSERT INTO mcp_protected.data_keys (key_id) VALUES ('k')`, ADMIN],
  [
    `INSERT INTO mcp_protected.data_keys (key_id, subject, version) SELECT key_id, subject, 1 FROM mcp_protected.data_keys`,
    [...API, ...ADMIN],
  ],
  [`INSERT INTO mcp.calls FORMAT JSONEachRow {"call_id":"forged"}`, ADMIN],
  [`INSERT INTO mcp.chain FORMAT JSONEachRow {"chain_id":"forged"}`, ADMIN],
  [`INSERT INTO mcp.otel_traces SELECT * FROM mcp.otel_traces`, ADMIN],
  // erasing
  [`ALTER TABLE mcp_protected.principals DELETE WHERE user_key = 'nobody'`, [...API, ...ADMIN]],
  [`DELETE FROM mcp_protected.principals WHERE user_key = 'nobody'`, [...API, ...ADMIN]],
  [`OPTIMIZE TABLE mcp_protected.data_keys FINAL`, [...API, ...ADMIN]],
  [`ALTER TABLE mcp.calls DELETE WHERE 1`, ADMIN],
  [`ALTER TABLE mcp.access_log DELETE WHERE 1`, ADMIN],
  [`DELETE FROM mcp.chain WHERE 1`, ADMIN],
  [`ALTER TABLE mcp_protected.principals DELETE WHERE user_key = 'nobody', UPDATE email = 'x' WHERE 1`, ADMIN],
  [`ALTER TABLE mcp_protected.principals UPDATE email = 'x' WHERE user_key = 'nobody'`, ADMIN],
  // defining
  ['CREATE TABLE mcp.scratch (a UInt8) ENGINE = Memory', ADMIN],
  ['CREATE OR REPLACE VIEW mcp.grafana_scratch AS SELECT 1 AS one', ADMIN],
  ['DROP TABLE mcp.scratch', ADMIN],
  ['DROP VIEW mcp.grafana_scratch', ADMIN],
  ['TRUNCATE TABLE mcp.calls', NOBODY],
  ['DETACH TABLE mcp.calls', NOBODY],
  ['CREATE FUNCTION f AS x -> x', NOBODY],
  ['CREATE USER eve', NOBODY],
  ['GRANT ALL ON *.* TO grafana_reader', NOBODY],
  ['SYSTEM SHUTDOWN', NOBODY],
  ['SYSTEM REFRESH VIEW mcp.usage_minute_refresh', ADMIN],
  ['KILL QUERY WHERE 1 = 0 ASYNC', ADMIN],
  ['SET max_threads = 1', NOBODY],
  ['USE mcp_protected', NOBODY],
  ['BEGIN TRANSACTION', NOBODY],
  [`BACKUP TABLE mcp.calls TO File('x')`, NOBODY],
];

describe.each(STORE_USERS)('%s', (user) => {
  it.each(TABLE.map(([sql, allowed]) => [allowed.includes(user) ? 'may' : 'may not', sql] as const))(
    '%s: %s',
    async (may, sql) => {
      const answer = await run(user, sql);
      if (may === 'may') expect(answer).toMatchObject({ status: 200 });
      else expect(answer.text).toMatch(/^Code: (497|62|60|47|81)\./);
    }
  );
});

/** For everybody, the administrator too. */
const OUTSIDE: readonly string[] = [
  `SELECT * FROM file('${secretFile}', 'LineAsString')`,
  `SELECT * FROM FILE('${secretFile}', 'LineAsString')`,
  `SELECT * FROM \`file\`('${secretFile}', 'LineAsString')`,
  `SELECT file('${secretFile}')`,
  `SELECT * FROM '${secretFile}'`,
  `SELECT * FROM \`${secretFile}\``,
  `SELECT * FROM default.\`${secretFile}\``,
  `SELECT * FROM \`default\`.\`${secretFile}\` AS x`,
  `INSERT INTO default.\`${writtenFile}\` SELECT 1`,
  `INSERT INTO default.written_csv SELECT 1`,
  `SELECT 1 IN default.\`${secretFile}\``,
  `SELECT * APPLY(file) FROM (SELECT '${secretFile}' AS p)`,
  `SELECT * FROM (SELECT * FROM (SELECT * FROM file('${secretFile}', 'LineAsString')))`,
  `WITH x AS (SELECT * FROM file('${secretFile}', 'LineAsString')) SELECT * FROM x`,
  `SELECT 1 UNION ALL SELECT length(line) FROM file('${secretFile}', 'LineAsString')`,
  `SELECT 1 WHERE '${SECRET}' IN (SELECT line FROM file('${secretFile}', 'LineAsString'))`,
  `SELECT (SELECT any(line) FROM file('${secretFile}', 'LineAsString'))`,
  `/* x */ SELECT /* FROM */ * -- nothing\n FROM /**/ file(/**/ '${secretFile}', 'LineAsString')`,
  `EXPLAIN SELECT * FROM file('${secretFile}', 'LineAsString')`,
  `DESCRIBE TABLE file('${secretFile}')`,
  `CREATE TABLE mcp.stolen ENGINE = Memory AS SELECT * FROM file('${secretFile}', 'LineAsString')`,
  `CREATE TABLE mcp.stolen AS file('${secretFile}', 'LineAsString')`,
  `CREATE TABLE mcp.stolen (line String) ENGINE = File(LineAsString, '${secretFile}')`,
  `CREATE VIEW mcp.stolen AS SELECT file('${secretFile}') AS s`,
  `CREATE TABLE mcp.stolen (a UInt8, s String DEFAULT file('${secretFile}')) ENGINE = Memory`,
  `INSERT INTO mcp_protected.data_keys (key_id) VALUES (file('${secretFile}'))`,
  `INSERT INTO mcp_protected.data_keys (key_id) SELECT line FROM file('${secretFile}', 'LineAsString')`,
  `INSERT INTO mcp_protected.data_keys FROM INFILE '${secretFile}' FORMAT LineAsString`,
  `ALTER TABLE mcp_protected.principals DELETE WHERE user_key = file('${secretFile}')`,
  `SELECT 1 INTO OUTFILE '${writtenFile}' FORMAT CSV`,
  `SELECT 1 INTO/**/OUTFILE/**/'${writtenFile}' TRUNCATE FORMAT CSV`,
  `INSERT INTO FUNCTION file('${writtenFile}', 'CSV') SELECT 1`,
  `INSERT INTO TABLE FUNCTION file('${writtenFile}', 'CSV') SELECT email FROM mcp_protected.principals`,
  `SELECT 1 FORMAT Template SETTINGS format_template_resultset = '${secretFile}'`,
  `SELECT 1 FORMAT Protobuf SETTINGS format_schema = '${secretFile}:X'`,
  `INSERT INTO mcp_protected.data_keys FORMAT CapnProto x`,
  `SELECT * FROM url('http://127.0.0.1:9/x', 'CSV', 'a String')`,
  `SELECT * FROM s3('http://127.0.0.1:9/x', 'CSV', 'a String')`,
  `SELECT * FROM remote('127.0.0.1:9', mcp.calls)`,
  `SELECT * FROM mysql('127.0.0.1:9', 'a', 'b', 'c', 'd')`,
  `SELECT * FROM executable('cat', 'CSV', 'a String')`,
  `SELECT * FROM merge('mcp_protected', '.*')`,
  `SELECT * FROM view(SELECT * FROM mcp_protected.principals)`,
  `SELECT * FROM loop(mcp_protected.principals)`,
  `SELECT * FROM cluster('default', mcp_protected.principals)`,
  `SELECT * FROM mergeTreeIndex('mcp_protected', 'principals')`,
  `SELECT * FROM eval('SELECT 1')`,
  `SELECT * FROM dictionary('x')`,
  `SELECT dictGet('mcp.x', 'y', 1)`,
  `SELECT joinGet('mcp_protected.principals', 'email', 'u1')`,
  `SELECT sleep(3)`,
  `CREATE DICTIONARY mcp.d (a UInt64) PRIMARY KEY a SOURCE(HTTP(url 'http://127.0.0.1:9' format 'CSV')) LAYOUT(FLAT()) LIFETIME(1)`,
  `CREATE DATABASE other ENGINE = MySQL('127.0.0.1:9', 'a', 'b', 'c')`,
  `CREATE TABLE mcp.stolen (a UInt8) ENGINE = URL('http://127.0.0.1:9/x', CSV)`,
];

describe.each(STORE_USERS)('files, network and other engines are out of reach of %s', (user) => {
  it.each(OUTSIDE)('%s', async (sql) => {
    const answer = await run(user, sql);
    expect(answer.text).toMatch(/^Code: (497|62|60|47|27|344)\./);
    expect(answer.text).not.toContain(SECRET);
    expect(existsSync(writtenFile)).toBe(false);
  });
});

describe.each(STORE_USERS)('settings in the URL do not help %s', (user) => {
  it.each(['dialect=kusto', 'format_schema=/etc/passwd:X', 'format_template_row=/etc/passwd', 'implicit_select=1'])(
    '%s',
    async (setting) => {
      expect((await run(user, 'SELECT 1', `?${setting}`)).text).toMatch(/^Code: 452\./);
    }
  );

  it('default_format=Template', async () => {
    expect((await run(user, 'SELECT 1', '?default_format=Template')).text).toMatch(/^Code: 497\./);
  });
});

describe('nothing of the files came in', () => {
  it('as a table or a row', async () => {
    expect(await test.rows(`SELECT name FROM system.tables WHERE name = 'stolen'`)).toEqual([]);
    const found = await test.rows(`SELECT key_id FROM mcp_protected.data_keys WHERE key_id LIKE '%secret%'`);
    expect(found).toEqual([]);
  });
});

/** The readers' own tables as a way to others: each would tell something about a person. */
const AROUND: readonly string[] = [
  `SELECT 1; SELECT email FROM mcp_protected.principals`,
  `SELECT 1 /* ; */; DROP TABLE mcp.calls`,
  `SELECT count() FROM mcp.grafana_requests, mcp_protected.principals`,
  `SELECT email FROM mcp.grafana_requests AS a LEFT JOIN mcp_protected.principals AS b ON 1 = 1`,
  `SELECT 'ana@example.com' IN (SELECT email FROM mcp_protected.principals)`,
  `SELECT ('u1', '', '', '', toDateTime64(0, 3)) IN mcp_protected.principals`,
  `SELECT ('u1', '', '', '', toDateTime64(0, 3)) IN (mcp_protected.principals)`,
  `SELECT 1 GLOBAL IN mcp.calls`,
  `SELECT 'x' IN calls`,
  `SELECT count() FROM mcp.grafana_requests UNION ALL SELECT count() FROM mcp.calls`,
  `SELECT 1 EXCEPT SELECT count() FROM mcp.calls`,
  `WITH grafana_requests AS (SELECT user_key FROM mcp.calls) SELECT * FROM grafana_requests`,
  `WITH calls AS (SELECT 1) SELECT * FROM (SELECT * FROM calls), mcp.calls`,
  `SELECT user_key FROM calls`,
  `SELECT (SELECT throwIf(count() > 0, 'told') FROM mcp_protected.principals)`,
  `SELECT exists(SELECT 1 FROM mcp_protected.principals WHERE email LIKE 'ana%')`,
  `SELECT * FROM mcp.\`calls\``,
  `SELECT * FROM "mcp"."calls"`,
  'SELECT * FROM `mcp.calls`',
  `SELECT 1 AS \`x\nTableIdentifier mcp.grafana_requests\` FROM mcp.calls`,
  `SELECT * FROM mcp.calls AS \`mcp.grafana_requests\``,
  `SELECT * FROM mcp.grafana_requests WHERE started_at > (SELECT max(started_at) FROM mcp.calls)`,
  `SELECT * FROM mcp.grafana_requests ORDER BY (SELECT count() FROM mcp.calls)`,
  `SELECT * FROM mcp.grafana_requests LIMIT (SELECT count() FROM mcp.calls)`,
  `SELECT arrayMap(x -> (SELECT count() FROM mcp.calls), [1])`,
  `SELECT count() FROM mcp.grafana_requests SETTINGS max_rows_to_read = 0`,
  `SELECT * FROM (SELECT 1 SETTINGS max_rows_to_read = 0)`,
  `SELECT * FROM mcp.grafana_requests SETTINGS additional_table_filters = {'mcp.calls': '1'}`,
  `SELECT * FROM system.tables`,
  `SELECT * FROM system.parts`,
  `SELECT * FROM INFORMATION_SCHEMA.COLUMNS`,
  `SHOW TABLES`,
  `SHOW CREATE TABLE mcp.calls`,
  `EXPLAIN SELECT * FROM mcp.calls`,
  `EXPLAIN AST SELECT 1`,
  `DESCRIBE (SELECT * FROM mcp.calls)`,
  `EXISTS TABLE mcp.calls`,
  `CHECK TABLE mcp.calls`,
  `FROM mcp.calls SELECT user_key`,
  `SELECT getServerSetting('path')`,
  `SELECT 1 FROM numbers(1) JOIN mcp.calls ON 1 = 1`,
];

describe('grafana_reader cannot get around its views', () => {
  it.each(AROUND)('%s', async (sql) => {
    const answer = await run('grafana_reader', sql);
    expect(answer.text).toMatch(/^Code: (497|62)\./);
  });

  it.each([
    ['?database=mcp_protected', 'SELECT * FROM principals', /^Code: 497/],
    ['?database=system', 'SELECT * FROM tables', /^Code: 497/],
    ['?param_d=mcp_protected&param_t=principals', 'SELECT * FROM {d:Identifier}.{t:Identifier}', /^Code: 497/],
    ['?param_t=calls', 'SELECT * FROM {t:Identifier}', /^Code: 497/],
    ['?max_execution_time=0', 'SELECT 1', /^1\n$/],
    ['?readonly=0', 'INSERT INTO mcp.calls FORMAT JSONEachRow {}', /^Code: 497/],
    ['?additional_result_filter=1', 'SELECT 1', /^Code: 452/],
    ['?max_query_size=1', 'SELECT 1', /^Code: 452/],
    ['?query=SELECT%201%3B', 'SELECT email FROM mcp_protected.principals', /^Code: 62/],
  ])('by the URL: %s %s', async (query, sql, expected) => {
    expect((await run('grafana_reader', sql, query)).text).toMatch(expected);
  });

  it('cannot lift its limits', async () => {
    const started = performance.now();
    const long = await run('grafana_reader', 'SELECT count() FROM numbers(300000000)', '?max_rows_to_read=0');
    expect(long.text).toMatch(/^Code: 158/);
    const many = await run('grafana_reader', 'SELECT * FROM numbers(200000)', '?max_result_rows=1000000');
    expect(many.text.slice(-400)).toContain('Code: 396. DB::Exception');
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

describe('an INSERT is its data and nothing more', () => {
  it.each([
    ['gatelens_ingest', `INSERT INTO mcp.otel_traces FORMAT JSONEachRow ${SPAN}; DROP TABLE mcp.calls`],
    ['gatelens_ingest', `INSERT INTO mcp.otel_traces (SpanName) VALUES ('x'); DROP TABLE mcp.calls`],
    ['gatelens_admin', `INSERT INTO mcp.otel_traces (SpanName) VALUES ('x'); DROP TABLE mcp.calls`],
    ['gatelens_admin', `INSERT INTO mcp.otel_traces SELECT * FROM mcp.otel_traces; DROP TABLE mcp.calls`],
    [
      'gatelens_ingest',
      `INSERT INTO mcp.otel_traces (SpanName) FORMAT TSV\nx; DROP TABLE mcp.calls\n; DROP TABLE mcp.calls`,
    ],
  ] as const)('%s: %s', async (user, sql) => {
    await run(user, sql);
    expect(await test.rows(`SELECT count() AS n FROM system.tables WHERE database = 'mcp' AND name = 'calls'`)).toEqual(
      [{ n: '1' }]
    );
  });

  it('does not take a password of one user for another', async () => {
    const answer = await fetch(test.store.url, {
      method: 'POST',
      body: 'SELECT 1',
      headers: {
        'x-clickhouse-user': 'gatelens_admin',
        'x-clickhouse-key': test.store.credentials.grafana_reader.password,
      },
    });
    expect([answer.status, answer.headers.get('x-clickhouse-exception-code')]).toEqual([403, '516']);
  });

  it('writes nothing by GET', async () => {
    const { username, password } = test.store.credentials.gatelens_api;
    const query = encodeURIComponent(`ALTER TABLE mcp_protected.principals DELETE WHERE 1`);
    const answer = await fetch(`${test.store.url}/?query=${query}`, {
      headers: { 'x-clickhouse-user': username, 'x-clickhouse-key': password },
    });
    expect(await answer.text()).toMatch(/^Code: 164/);
  });
});

describe('the deny-list keeps up with the engine', () => {
  it('knows every function whose name speaks of files, network, dictionaries or models', async () => {
    const suspicious =
      '^(file|url|s3|dictGet|dictHas|joinGet|ai[A-Z]|catboost|remote|executable|hdfs|azure|mysql|odbc|jdbc)';
    const names = await test.rows<{ name: string }>(
      `SELECT name FROM system.functions WHERE match(name, '${suspicious}')`
    );
    for (const { name } of names) {
      if (name.startsWith('filesystem') || name.startsWith('file')) continue;
      const answer = await run('gatelens_api', `SELECT ${name}('a', 'b', 'c')`);
      expect([name, answer.text.slice(0, 9)]).toEqual([name, 'Code: 497']);
    }
    expect(names.length).toBeGreaterThan(10);
  });
});
