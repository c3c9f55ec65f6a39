/**
 * The ordinary ClickHouse client against the embedded engine: everything the gateway and the audit API rely on, and the
 * traps of the engine underneath (settings that leak, one query at a time, no cancel, results all in memory).
 */
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStoreClient, databaseErrorCode, storeError } from '../../src/store/client.ts';
import { type TestStore, startTestStore } from './test-store.ts';

let test: TestStore;
const NASTY = `'"\\\n\t\r\0\b\f;--/* */ {x:String} %s 😀 \u2028 ${'é'.repeat(300)} \\N \\' \`';DROP TABLE t`;

beforeAll(async () => {
  test = await startTestStore();
  const admin = test.client('gatelens_admin');
  await admin.command({ query: 'CREATE DATABASE mcp' });
  await admin.command({
    query: `CREATE TABLE mcp.t (id UInt64, text String DEFAULT 'none', tags Array(String), attributes Map(String, String))
      ENGINE = MergeTree ORDER BY id`,
  });
});
afterAll(() => test.stop());

const admin = () => test.client('gatelens_admin');
const HEAVY = 'SELECT count() FROM numbers(100000000000) WHERE sipHash64(number) = 1';

function running(): Promise<{ n: string }[]> {
  return test.rows<{ n: string }>(`SELECT count() AS n FROM system.processes WHERE query LIKE '%numbers(1000000000%'
    AND query NOT LIKE '%system.processes%'`);
}

async function until(condition: () => Promise<boolean>, what: string, timeoutMs = 10_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((wake) => setTimeout(wake, 50));
  }
}

describe('values', () => {
  it('answers ping with and without a query', async () => {
    expect(await admin().ping()).toEqual({ success: true });
    expect(await admin().ping({ select: true })).toEqual({ success: true });
  });

  it('inserts an array and reads every character back', async () => {
    const row = { id: 1, text: NASTY, tags: [NASTY, ''], attributes: { [NASTY]: NASTY, empty: '' } };
    await admin().insert({ table: 'mcp.t', format: 'JSONEachRow', values: [row] });
    expect(await test.rows('SELECT text, tags, attributes FROM mcp.t WHERE id = 1')).toEqual([
      { text: row.text, tags: row.tags, attributes: row.attributes },
    ]);
  });

  it.each([
    ['String', NASTY, '{p:String}'],
    ['empty String', '', '{p:String}'],
    ['UInt64 beyond 2^53', '18446744073709551615', 'toString({p:UInt64})'],
    ['Nullable', null, '{p:Nullable(String)}'],
    ['Array(String)', [NASTY, 'b', ''], '{p:Array(String)}'],
    ['Map', { [NASTY]: NASTY }, '{p:Map(String, String)}'],
    ['Bool', true, '{p:Bool}'],
  ])('binds a parameter of type %s', async (_name, value, expression) => {
    const result = await admin().query({
      query: `SELECT ${expression} AS v`,
      query_params: { p: value },
      format: 'JSONEachRow',
    });
    expect(await result.json()).toEqual([{ v: value }]);
  });

  it('binds a table by Identifier, and another one the next time', async () => {
    const query = 'SELECT count() > 0 AS some FROM {d:Identifier}.{t:Identifier}';
    const ask = async (t: string) =>
      (await admin().query({ query, query_params: { d: 'system', t }, format: 'JSONEachRow' })).json();
    expect(await ask('one')).toEqual([{ some: 1 }]);
    expect(await ask('databases')).toEqual([{ some: 1 }]);
  });

  it('takes parameters too long for a URL as a multipart form', async () => {
    const long = NASTY.repeat(500);
    expect(long.length).toBeGreaterThan(150_000);
    const result = await admin().query({
      query: 'SELECT length({p:String}) AS n, {p:String} = {q:String} AS same',
      query_params: { p: long, q: long },
      use_multipart_params: true,
      format: 'JSONEachRow',
    });
    expect(await result.json()).toEqual([{ n: String(Buffer.byteLength(long)), same: 1 }]);
  });

  it('misses a parameter instead of taking one of an earlier query', async () => {
    const query = 'SELECT {left_over:String} AS v';
    const asked = await admin().query({ query, query_params: { left_over: 'mine' }, format: 'JSONEachRow' });
    expect(await asked.json()).toEqual([{ v: 'mine' }]);
    await expect(admin().query({ query, format: 'JSONEachRow' })).rejects.toMatchObject({ code: '456' });
  });
});

describe('inserts', () => {
  it('takes a stream', async () => {
    await admin().command({ query: 'CREATE TABLE mcp.streamed (id UInt64) ENGINE = MergeTree ORDER BY id' });
    const values = Readable.from(
      Array.from({ length: 5000 }, (_, id) => ({ id })),
      { objectMode: true }
    );
    await admin().insert({ table: 'mcp.streamed', format: 'JSONEachRow', values });
    expect(await test.rows('SELECT count() AS n, sum(id) AS s FROM mcp.streamed')).toEqual([
      { n: '5000', s: '12497500' },
    ]);
  });

  it('takes gzip bodies and gives gzip answers', async () => {
    const client = createStoreClient({
      url: test.store.url,
      ...test.store.credentials.gatelens_admin,
      compression: true,
    });
    await client.insert({ table: 'mcp.t', format: 'JSONEachRow', values: [{ id: 7, text: NASTY }] });
    const result = await client.query({ query: 'SELECT text FROM mcp.t WHERE id = 7', format: 'JSONEachRow' });
    expect(result.response_headers['content-encoding']).toBe('gzip');
    expect(await result.json()).toEqual([{ text: NASTY }]);
    await client.close();
  });

  it('takes binary formats byte for byte', async () => {
    await admin().command({ query: 'CREATE TABLE mcp.bytes (b String) ENGINE = MergeTree ORDER BY b' });
    const bytes = Buffer.from([0, 255, 10, 59, 39, 92, 13, 128]);
    const body = Buffer.concat([Buffer.from([bytes.length]), bytes]);
    const answer = await post(`?query=${encodeURIComponent('INSERT INTO mcp.bytes FORMAT RowBinary')}`, body);
    expect(answer.status).toBe(200);
    expect(await test.rows('SELECT hex(b) AS h FROM mcp.bytes')).toEqual([{ h: bytes.toString('hex').toUpperCase() }]);
  });

  it('takes an INSERT with its data all in the body, and a comment before it', async () => {
    const body = `-- a note; with a semicolon\nINSERT INTO mcp.t (id, text) FORMAT JSONEachRow\n{"id": 20, "text": "; DROP TABLE mcp.t"}`;
    expect((await post('', Buffer.from(body))).status).toBe(200);
    await admin().command({ query: `INSERT INTO mcp.t (id, text) VALUES (21, 'a;b'), (22, 'c')` });
    expect(await test.rows('SELECT text FROM mcp.t WHERE id BETWEEN 20 AND 22 ORDER BY id')).toEqual([
      { text: '; DROP TABLE mcp.t' },
      { text: 'a;b' },
      { text: 'c' },
    ]);
  });

  it('rejects a whole insert when one row of it is wrong, and says how many rows went in otherwise', async () => {
    const values = [{ id: 30 }, { id: 'not a number' }];
    const wrong = admin().insert({ table: 'mcp.t', format: 'JSONEachRow', values });
    await expect(wrong).rejects.toMatchObject({ type: expect.stringMatching(/^CANNOT_PARSE/) as string });
    expect(await test.rows('SELECT count() AS n FROM mcp.t WHERE id = 30')).toEqual([{ n: '0' }]);
    const right = await admin().insert({ table: 'mcp.t', format: 'JSONEachRow', values: [{ id: 31 }, { id: 32 }] });
    expect(right.summary?.written_rows).toBe('2');
  });

  it('refuses a body that unpacks to more than the limit', async () => {
    const { gzipSync } = await import('node:zlib');
    const body = gzipSync(Buffer.alloc(70 * 1024 * 1024, 32));
    const query = encodeURIComponent('INSERT INTO mcp.t FORMAT JSONEachRow');
    const answer = await post(`?query=${query}`, body, { 'content-encoding': 'gzip' });
    expect([answer.status, answer.headers.get('x-clickhouse-exception-code')]).toEqual([413, '307']);
  });
});

async function post(query: string, body: Buffer, headers: Record<string, string> = {}): Promise<Response> {
  const { username, password } = test.store.credentials.gatelens_admin;
  return fetch(`${test.store.url}/${query}`, {
    method: 'POST',
    body: new Uint8Array(body),
    headers: { 'x-clickhouse-user': username, 'x-clickhouse-key': password, ...headers },
  });
}

describe('errors', () => {
  it.each([
    ['selec 1', 62, 'SYNTAX_ERROR'],
    ['SELECT * FROM mcp.none', 60, 'UNKNOWN_TABLE'],
    ['SELECT 1 SETTINGS no_such_setting = 1', 115, 'UNKNOWN_SETTING'],
    ['SELECT throwIf(1)', 395, 'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO'],
    ['SELECT 1; SELECT 2', 62, 'SYNTAX_ERROR'],
    ['', 62, 'SYNTAX_ERROR'],
  ])('%s', async (query, code, type) => {
    const error: unknown = await admin()
      .command({ query })
      .catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: String(code), type });
    expect(databaseErrorCode(error)).toBe(code);
  });

  it('tells a wrong password and an unknown user in the same words', async () => {
    const answers = [];
    for (const username of ['gatelens_api', 'default', '']) {
      const client = createStoreClient({ url: test.store.url, username, password: 'wrong' });
      const error: unknown = await client.query({ query: 'SELECT 1' }).catch((cause: unknown) => cause);
      answers.push((error as Error).message, (error as { code?: string }).code);
      await client.close();
    }
    expect(new Set(answers)).toEqual(new Set([answers[0], '516']));
  });

  it('becomes an error of ours that quotes nothing of the statement', async () => {
    const query = "SELECT 'secret' FROM mcp.none";
    const cause: unknown = await admin()
      .query({ query })
      .catch((error: unknown) => error);
    const error = storeError(cause);
    expect(error).toMatchObject({ code: 'store_unavailable' });
    expect(error.message).toBe('The store refused a statement (UNKNOWN_TABLE). Run `gatelens migrate`.');
  });
});

describe('isolation of queries', () => {
  it('keeps the settings of a query to that query', async () => {
    const narrow = admin().query({
      query: 'SELECT count() FROM numbers(1000)',
      format: 'JSONEachRow',
      clickhouse_settings: { max_rows_to_read: '10' },
    });
    await expect(narrow).rejects.toMatchObject({ type: 'TOO_MANY_ROWS' });
    for (let round = 0; round < 20; round += 1) {
      expect(await test.rows('SELECT count() AS n FROM numbers(1000)')).toEqual([{ n: '1000' }]);
    }
  });

  it('answers 200 parallel queries each with its own parameter', async () => {
    const ask = async (n: number) => {
      const query = 'SELECT {n:UInt32} AS n, {s:String} AS s';
      const result = await admin().query({ query, query_params: { n, s: `#${n}` }, format: 'JSONEachRow' });
      expect(await result.json()).toEqual([{ n, s: `#${n}` }]);
    };
    await Promise.all(Array.from({ length: 200 }, (_, n) => ask(n)));
  });

  it('answers others while one user keeps it busy', async () => {
    const stop = new AbortController();
    let ended = 0;
    const ask = async () => {
      await admin()
        .query({ query: HEAVY, abort_signal: stop.signal })
        .catch(() => undefined);
      ended += 1;
    };
    const busy = Array.from({ length: 5 }, ask);
    for (let round = 0; round < 20; round += 1) {
      const started = performance.now();
      expect(await test.rows('SELECT 1 AS x', 'gatelens_api')).toEqual([{ x: 1 }]);
      expect(performance.now() - started).toBeLessThan(2_000);
    }
    expect(ended).toBe(0);
    stop.abort();
    await Promise.all(busy);
  });
});

describe('cancelling', () => {
  it('ends the query in the engine when the client goes away, and frees its place', async () => {
    for (let round = 0; round < 4; round += 1) {
      const stop = new AbortController();
      const query = admin().query({ query: HEAVY, abort_signal: stop.signal });
      const failed = expect(query).rejects.toThrow('aborted');
      await until(async () => (await running())[0]?.n === '1', 'the query runs');
      stop.abort();
      await failed;
      await until(async () => (await running())[0]?.n === '0', 'the query ended');
    }
    expect(await test.rows('SELECT 1 AS x')).toEqual([{ x: 1 }]);
  });

  it('ends a query at its time limit', async () => {
    const query = admin().query({ query: HEAVY, clickhouse_settings: { max_execution_time: 1 } });
    await expect(query).rejects.toMatchObject({ code: '159', type: 'TIMEOUT_EXCEEDED' });
  });

  it('ends a streamed query when the reader stops in the middle', async () => {
    const result = await admin().query({
      query: 'SELECT number, repeat(toString(number), 20) AS s FROM numbers(1000000000000)',
      format: 'JSONEachRow',
    });
    const stream = result.stream();
    for await (const rows of stream) {
      expect(rows.length).toBeGreaterThan(0);
      break;
    }
    result.close();
    await until(async () => (await running())[0]?.n === '0', 'the query ended');
  });
});

describe('large results', () => {
  it('streams 400 MB with memory bounded by the blocks, not by the result', async () => {
    const rssBytes = () =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${test.store.pid() ?? 0}/status`, 'utf8'))?.[1]) * 1024;
    const before = rssBytes();
    let highest = before;
    const result = await admin().query({
      query: `SELECT number, repeat('x', 400) AS s FROM numbers(1000000)`,
      format: 'JSONEachRow',
      clickhouse_settings: { max_block_size: '8192' },
    });
    let rows = 0;
    for await (const chunk of result.stream()) {
      rows += chunk.length;
      if (rows % 100_000 < chunk.length) highest = Math.max(highest, rssBytes());
    }
    expect(rows).toBe(1_000_000);
    expect(highest - before).toBeLessThan(150 * 1024 * 1024);
  });

  it('tells an error in the middle of a stream as an error', async () => {
    const result = await admin().query({
      query: `SELECT throwIf(number = 900000, 'late') AS x, repeat('y', 50) AS y FROM numbers(1000000)`,
      format: 'JSONEachRow',
    });
    const read = async () => {
      let rows = 0;
      for await (const chunk of result.stream()) rows += chunk.length;
      return rows;
    };
    await expect(read()).rejects.toThrow('late');
  });

  it('gives formats with a head and a foot in one piece', async () => {
    const json = await admin().query({ query: 'SELECT number FROM numbers(200000)', format: 'JSON' });
    expect((await json.json<{ number: string }>()).data).toHaveLength(200_000);
    const csv = await admin().query({ query: 'SELECT number FROM numbers(200000)', format: 'CSVWithNames' });
    expect((await csv.text()).match(/"number"/g)).toHaveLength(1);
  });
});

describe('what the embedded store does not have', () => {
  it.each([
    ['?session_id=abc', 501],
    ['?compress=1', 501],
  ])('says so: %s', async (query, status) => {
    expect((await post(query, Buffer.from('SELECT 1'))).status).toBe(status);
  });

  it('listens on loopback only', () => {
    expect(new URL(test.store.url).hostname).toBe('127.0.0.1');
  });
});

describe('data with two line feeds in a row, which the engine would take for its end', () => {
  const post = async (query: string, body: string | Buffer<ArrayBuffer>): Promise<Response> => {
    const { username, password } = test.store.credentials.gatelens_admin;
    return fetch(`${test.store.url}/?query=${encodeURIComponent(query)}`, {
      method: 'POST',
      body,
      headers: { 'x-clickhouse-user': username, 'x-clickhouse-key': password },
    });
  };
  const VALUES = ['a\n\nb', "c'\\\0\x7f", 'é\n\n\n', ''];

  it('is stored whole from a Native block and from JSON lines, and refused where it cannot be', async () => {
    expect((await post('CREATE TABLE mcp.feeds (s String) ENGINE = MergeTree ORDER BY tuple()', '')).status).toBe(200);
    const text = (value: string): Buffer =>
      Buffer.concat([Buffer.from([Buffer.byteLength(value)]), Buffer.from(value)]);
    const head = Buffer.concat([Buffer.from([1, VALUES.length]), text('s'), text('String')]);
    const block = Buffer.concat([head, ...VALUES.map(text)]);
    const stored = async (): Promise<string[]> =>
      (await test.rows<{ s: string }>('SELECT s FROM mcp.feeds')).map(({ s }) => s).sort();
    expect(await (await post('INSERT INTO mcp.feeds (s) FORMAT Native', block)).text()).toBe('');
    expect(await stored()).toEqual([...VALUES].sort());
    const lines = VALUES.map((s) => JSON.stringify({ s })).join('\n\n\n');
    expect((await post('INSERT INTO mcp.feeds (s) FORMAT JSONEachRow', lines)).status).toBe(200);
    expect(await stored()).toEqual([...VALUES, ...VALUES].sort());
    const refused = await post('INSERT INTO mcp.feeds (s) FORMAT CSV', 'a\n\nb\n');
    expect(await refused.text()).toMatch(/NOT_IMPLEMENTED/);
    const broken = await post('INSERT INTO mcp.feeds (s) FORMAT Native', block.subarray(0, -3));
    expect(broken.status).toBeGreaterThanOrEqual(400);
    expect((await broken.text()).length).toBeLessThan(1000);
    expect(await stored()).toHaveLength(2 * VALUES.length);
    const values = "INSERT INTO mcp.feeds (s) VALUES ('x\n\ny'),\n\n('z')";
    expect((await post(values, '')).status).toBe(200);
    expect(await stored()).toEqual([...VALUES, ...VALUES, 'x\n\ny', 'z'].sort());
  });

  it('goes by the names of the columns, in whatever order a block has them, and is refused without names', async () => {
    const { status } = await post('CREATE TABLE mcp.pairs (a String, `n.b` String) ENGINE = MergeTree ORDER BY a', '');
    expect(status).toBe(200);
    const text = (value: string): Buffer =>
      Buffer.concat([Buffer.from([Buffer.byteLength(value)]), Buffer.from(value)]);
    const column = (name: string, value: string): Buffer => Buffer.concat([name, 'String', value].map(text));
    const block = Buffer.concat([Buffer.from([2, 1]), column('n.b', 'of b\n\n'), column('a', 'of a')]);
    expect(await (await post('INSERT INTO mcp.pairs (a, `n.b`) FORMAT Native', block)).text()).toBe('');
    expect(await test.rows('SELECT a, `n.b` AS b FROM mcp.pairs')).toEqual([{ a: 'of a', b: 'of b\n\n' }]);
    expect((await post('INSERT INTO mcp.pairs FORMAT Native', block)).status).toBe(501);
  });
});
