/**
 * Exports on the real engine: what is filtered is what is in the file, in each form; one-time addresses; the access
 * record before the first byte; files that break off; Parquet read by a reader that is not ours.
 */
import { createHash, createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXPORT_COLUMNS } from '../../src/exports/columns.ts';
import { startAuditApiServer } from '../../src/audit-api/server.ts';
import type { ExportRun } from '../../src/audit-api/contract.ts';
import { isSignedBy, parseManifest } from '../../src/exports/manifest.ts';
import type { StoreStreams } from '../../src/store/queries/row-stream.ts';
import type { TestApi, TestCall, TestStore } from './api-under-test.ts';
import {
  NS,
  callIdAt,
  insertCalls,
  insertPayload,
  insertPrincipals,
  signingKeyPem,
  startTestApi,
  startTestStore,
  userKey,
} from './api-under-test.ts';

const HOUR_MS = 3_600_000;
const START_MS = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 6 * HOUR_MS;
const RANGE = `from=${new Date(START_MS).toISOString()}&to=${new Date(START_MS + 3 * HOUR_MS).toISOString()}`;
const COUNT = 300;

function callAt(index: number): TestCall {
  const ms = START_MS + index * 30_000;
  return {
    call_id: callIdAt(ms),
    startedNs: BigInt(ms) * NS + BigInt(index),
    email: index % 2 === 0 ? 'ana@example.com' : 'bob@example.com',
    server: index % 3 === 0 ? 'hr' : 'github',
    outcome: index % 5 === 0 ? 'tool_error' : 'success',
    client_name: index === 7 ? '=HYPERLINK("http://x")' : 'cli',
    teams: ['a', 'b"c'],
    attributes: { 'mcp.x': 'y' },
  };
}
const CALLS = Array.from({ length: COUNT }, (_, index) => callAt(index));

let store: TestStore;
let testApi: TestApi;

beforeAll(async () => {
  store = await startTestStore();
  testApi = startTestApi(store.reader);
  await insertPrincipals(store, { 'ana@example.com': 'ana', 'bob@example.com': 'bob' });
  await insertCalls(store, CALLS);
  // delivered twice, and a stream that was open and ended
  await insertCalls(store, CALLS.slice(10, 20));
  const stream = { ...callAt(500), startedNs: BigInt(START_MS) * NS + 5n, kind: 'stream', call_id: callIdAt(START_MS) };
  await insertCalls(store, [{ ...stream, phase: 'open', outcome: '' }]);
  await insertCalls(store, [{ ...stream, phase: 'closed', outcome: 'success' }]);
});
afterAll(() => store.close());

const stream = (query: string, role = 'admin'): Promise<Response> =>
  testApi.get(`/api/v1/exports/stream?${RANGE}${query}`, role);
async function bytesOf(query: string): Promise<Buffer> {
  const answer = await stream(query);
  expect(answer.status).toBe(200);
  return Buffer.from(await answer.arrayBuffer());
}
type Row = Record<string, unknown>;
const rowsOf = (text: string): Row[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);

const post = (path: string, body: object, role = 'admin'): Promise<Response> =>
  Promise.resolve(
    testApi.api.request(`/api/v1/exports/${path}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${role}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    })
  );

async function listed(filters: string): Promise<string[]> {
  const answer = await testApi.get(`/api/v1/calls?${RANGE}&limit=1000${filters}`, 'admin');
  const { items } = (await answer.json()) as { items: { id: string }[] };
  return items.map(({ id }) => id).reverse();
}

describe('a file', () => {
  test.each([
    '',
    '&server=hr',
    '&notServer=hr&outcome=tool_error',
    '&user=ana@example.com',
    '&notUser=ana',
    '&q=hyperlink',
    '&q=bob',
    '&outcome=open',
    '&kind=stream',
    '&minDurationMs=6',
    '&server=nothing',
  ])('has the calls that the list has, oldest first (%s)', async (filters) => {
    const rows = rowsOf((await bytesOf(filters)).toString());
    expect(rows.map((row) => row.call_id)).toEqual(await listed(filters));
  });

  test('has the columns of the record under their own names, and who it was', async () => {
    const [row] = rowsOf((await bytesOf('&server=hr')).toString());
    const call = CALLS[0];
    expect(row).toMatchObject({
      call_id: call?.call_id,
      started_at: `${new Date(START_MS).toISOString().slice(0, 19)}.000000000Z`,
      duration: 5_000_000,
      user_key: userKey('ana@example.com'),
      user_email: 'ana@example.com',
      user_login: 'ana',
      teams: ['a', 'b"c'],
      attributes: { 'mcp.x': 'y' },
      demo: false,
    });
    const chosen = rowsOf((await bytesOf('&columns=server,%20started_at&server=hr')).toString());
    expect(Object.keys(chosen[0] ?? {})).toEqual(['started_at', 'server']);
  });

  test('of JSONL has each value as the store itself writes it, byte for byte', async () => {
    const startMs = START_MS - 2 * HOUR_MS;
    const texts = [
      '"quoted" \\ back/slash',
      'tab\there\nline\r\n',
      '\u0000\u0007\u001b\u007f',
      '\u2028 \u{1f600} é',
      "it's",
      '',
    ];
    await insertCalls(
      store,
      texts.map((text, index) => ({
        ...callAt(index),
        call_id: callIdAt(startMs + index),
        startedNs: BigInt(startMs + index) * NS + 1n,
        tool: text,
        client_name: text,
        resource_uri: text,
        rpc_id: text,
        teams: [text, text],
        attributes: { [text]: text },
        seq: '18446744073709551615',
        error_code: -32_603,
        demo: false,
      }))
    );
    const columns = EXPORT_COLUMNS.map(({ name }) => name).filter((name) => !/^user_(email|login|name)$/.test(name));
    const [from, to] = [startMs, startMs + HOUR_MS].map((ms) => new Date(ms).toISOString());
    const file = await testApi.get(
      `/api/v1/exports/stream?from=${from}&to=${to}&columns=${columns.join(',')}`,
      'admin'
    );
    const written: Buffer[] = [];
    const sql = `SELECT ${columns.join(', ')} FROM mcp.calls WHERE started_at >= fromUnixTimestamp64Milli({ms:Int64}) AND started_at < fromUnixTimestamp64Milli({ms:Int64}) + INTERVAL 1 HOUR
ORDER BY started_at, call_id SETTINGS date_time_output_format = 'iso', output_format_json_quote_64bit_integers = 0`;
    for await (const bytes of store.reader.stream(sql, { ms: startMs }, 'JSONEachRow')) written.push(bytes);
    expect((await file.text()).split('\n')).toEqual(Buffer.concat(written).toString().split('\n'));
    expect(written.length).toBeGreaterThan(0);
  });

  test('is the same compressed', async () => {
    const plain = await bytesOf('&columns=call_id,server');
    expect(gunzipSync(await bytesOf('&columns=call_id,server&compression=gzip'))).toEqual(plain);
    expect(zstdDecompressSync(await bytesOf('&columns=call_id,server&compression=zstd'))).toEqual(plain);
  });

  test('of CSV runs nothing in a spreadsheet', async () => {
    const csv = (await bytesOf('&format=csv&columns=started_at,client_name,teams,duration')).toString();
    const lines = csv.split('\r\n');
    expect(lines[0]).toBe('started_at,duration,teams,client_name');
    expect(lines).toHaveLength(COUNT + 3);
    expect(csv).toContain(`"'=HYPERLINK(""http://x"")"`);
    expect(csv).toContain('"[""a"",""b\\""c""]"');
    expect(csv).not.toMatch(/,"=/);
  });

  test('of Parquet is read by another reader', async () => {
    const bytes = await bytesOf('&format=parquet&columns=started_at,call_id,server,duration,user_email');
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
    const rows = (await parquetReadObjects({ file, compressors })) as Row[];
    expect(rows).toHaveLength(COUNT + 1);
    expect(rows.map((row) => row.call_id)).toEqual(await listed(''));
    expect(rows[0]).toMatchObject({ server: 'hr', user_email: 'ana@example.com', duration: 5_000_000n });
    expect(new Date(String(rows[0]?.started_at)).getTime()).toBe(START_MS);
  });

  test.each([
    '',
    '&compression=gzip',
    '&compression=zstd',
    '&format=csv',
    '&format=csv&compression=gzip',
    '&format=parquet',
  ])('goes on where it broke off, and the manifest is of all of it (%s)', async (shape) => {
    const world = startTestApi(store.reader);
    const get = (more = ''): Promise<Response> => world.get(`/api/v1/exports/stream?${RANGE}${shape}${more}`, 'admin');
    const whole = Buffer.from(await (await get()).arrayBuffer());
    const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
    for (const bytes of [1, Math.floor(whole.length / 3), whole.length]) {
      const head = whole.subarray(0, bytes);
      const answer = await get(`&have=${bytes}~${digest(head)}`);
      expect(answer.status).toBe(200);
      const rest = Buffer.from(await answer.arrayBuffer());
      expect(Buffer.concat([head, rest]).equals(whole)).toBe(true);
      const run = answer.headers.get('x-gatelens-export') ?? '';
      const text = await (await world.get(`/api/v1/exports/runs/${run}/manifest`, 'admin')).text();
      expect(parseManifest(text)).toMatchObject({
        rows: COUNT + 1,
        bytes: whole.length,
        parts: [{ sha256: digest(whole), bytes: whole.length }],
      });
    }
    for (const wrong of [`9~${digest(whole)}`, `${whole.length + 1}~${digest(whole)}`]) {
      const answer = await get(`&have=${wrong}`);
      expect([answer.status, await answer.text()]).toEqual([409, expect.stringContaining('Begin anew')]);
    }
    expect(world.recorded.filter(({ detail }) => detail?.phase === 'failed')).toHaveLength(2);
  });

  test('goes on after the last whole row', async () => {
    const all = (await bytesOf('')).toString();
    const half = all.slice(0, all.indexOf('\n', all.length / 2) + 1);
    const last = rowsOf(half).at(-1);
    const rest = (await bytesOf(`&after=${String(last?.started_at)}~${String(last?.call_id)}`)).toString();
    expect(half + rest).toBe(all);
  });

  test('with payloads has them opened, as JSON and as CSV', async () => {
    const call = { ...callAt(900), startedNs: BigInt(START_MS + 4 * HOUR_MS) * NS };
    const sealed = await insertPayload(store, call, { request: '{"a":"=1+1"}', response: '=cmd|calc' });
    await insertCalls(store, [{ ...call, ...sealed }]);
    const from = `from=${new Date(START_MS + 4 * HOUR_MS).toISOString()}&payloads=true`;
    const json = await (await testApi.get(`/api/v1/exports/stream?${from}`, 'auditor')).text();
    expect(rowsOf(json)).toMatchObject([
      { request: { state: 'opened', bodyText: '{"a":"=1+1"}' }, response: { bodyText: '=cmd|calc' } },
    ]);
    const csv = await (await testApi.get(`/api/v1/exports/stream?${from}&format=csv&columns=server`, 'auditor')).text();
    expect(csv).toContain(`"{""a"":""=1+1""}"`);
    expect(csv).toContain(`"'=cmd|calc"`);
    const parquet = await testApi.get(`/api/v1/exports/stream?${from}&format=parquet`, 'auditor');
    expect([parquet.status, await parquet.text()]).toEqual([400, expect.stringContaining('use jsonl or csv')]);
  });

  test('with payloads opens those of calls whose ids no address has room for, whatever is in them', async () => {
    const startMs = START_MS - 4 * HOUR_MS;
    const calls: TestCall[] = [];
    for (let index = 0; index < 20; index++) {
      const id = `${index} '"\\ %\t\n\0\r) OR 1 = 1 -- é ${'x'.repeat(500)}`;
      const call = { ...callAt(index), call_id: id, startedNs: BigInt(startMs + index) * NS };
      calls.push({ ...call, ...(await insertPayload(store, call, { request: `{"n":${index}}`, response: '{}' })) });
    }
    await insertCalls(store, calls);
    const [from, to] = [startMs, startMs + HOUR_MS].map((ms) => new Date(ms).toISOString());
    const path = `/api/v1/exports/stream?from=${from}&to=${to}&payloads=true&columns=call_id,seq`;
    const rows = rowsOf(await (await testApi.get(path, 'auditor')).text());
    expect(rows.map((row) => [row.call_id, (row.request as Row).bodyText])).toEqual(
      calls.map(({ call_id }, index) => [call_id, `{"n":${index}}`])
    );
  });
});

describe('an estimate', () => {
  test('counts what the file will have', async () => {
    const body = { from: new Date(START_MS).toISOString(), to: new Date(START_MS + 3 * HOUR_MS).toISOString() };
    const estimate = (await (await post('estimate', { ...body, filters: { server: 'hr' } })).json()) as {
      rows: number;
      bytes: number;
    };
    const file = await bytesOf('&server=hr');
    expect(estimate.rows).toBe(rowsOf(file.toString()).length);
    expect(estimate.bytes / file.length).toBeGreaterThan(0.5);
    expect(estimate.bytes / file.length).toBeLessThan(2);
    const empty = (await (await post('estimate', { ...body, filters: { server: ['none'] } })).json()) as object;
    expect(empty).toMatchObject({ rows: 0, warnings: [expect.stringContaining('Nothing fits')] });
  });
});

describe('a one-time address', () => {
  const body = { from: new Date(START_MS).toISOString(), to: new Date(START_MS + HOUR_MS).toISOString() };

  test('works once, for who made it, for a minute', async () => {
    const clock = { ms: 0 };
    const world = startTestApi(store.reader, { monotonicMs: () => clock.ms });
    const make = async (): Promise<string> => {
      const answer = await world.api.request('/api/v1/exports/downloads', {
        method: 'POST',
        headers: { Authorization: 'Bearer admin', 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      });
      expect(answer.status).toBe(201);
      return ((await answer.json()) as { url: string }).url;
    };
    const url = await make();
    expect((await world.get(url, 'auditor')).status).toBe(404);
    expect((await world.get(url)).status).toBe(401);
    const file = await world.get(url, 'admin');
    expect(file.headers.get('content-disposition')).toMatch(/^attachment; filename="gatelens-calls-\d{8}T\d{6}Z-/);
    expect(rowsOf(await file.text())).toHaveLength(121);
    expect((await world.get(url, 'admin')).status).toBe(404);
    const late = await make();
    clock.ms = 60_001;
    expect((await world.get(late, 'admin')).status).toBe(404);
  });

  test('leaves a run with a signed manifest', async () => {
    const { url, runId } = (await (await post('downloads', { ...body, compression: 'gzip' })).json()) as {
      url: string;
      runId: string;
    };
    const before = (await (await testApi.get(`/api/v1/exports/runs/${runId}`, 'auditor')).json()) as object;
    expect(before).toMatchObject({ state: 'pending', by: { name: 'boss', user: { email: 'ana@example.com' } } });
    const file = Buffer.from(await (await testApi.get(url, 'admin')).arrayBuffer());
    const run = (await (await testApi.get(`/api/v1/exports/runs/${runId}`, 'admin')).json()) as { state: string };
    expect(run).toMatchObject({ state: 'done', rows: 121, bytes: file.length });
    const text = await (await testApi.get(`/api/v1/exports/runs/${runId}/manifest`, 'admin')).text();
    const manifest = parseManifest(text);
    const sha256 = createHash('sha256').update(file).digest('hex');
    expect(manifest).toMatchObject({
      rows: 121,
      parts: [{ sha256 }],
      chains: [{ chainId: 'gw', rows: 121 }],
      compression: 'gzip',
    });
    if (manifest === undefined) return;
    expect(isSignedBy(manifest, createPublicKey(signingKeyPem))).toBe(true);
    expect(isSignedBy({ ...manifest, rows: 120 }, createPublicKey(signingKeyPem))).toBe(false);
  });
});

describe('what is recorded', () => {
  test('comes before the first byte, and again at the end with how much it was', async () => {
    const world = startTestApi(store.reader);
    const answer = await world.get(`/api/v1/exports/stream?${RANGE}&user=bob@example.com&q=cli`, 'admin');
    expect(world.recorded).toMatchObject([{ action: 'export.metadata', decision: 'allowed', actorName: 'boss' }]);
    await answer.text();
    expect(world.recorded[1]).toMatchObject({ action: 'export.metadata', rows: 149, detail: { phase: 'done' } });
    const text = JSON.stringify(world.recorded);
    expect(text).toContain(userKey('bob@example.com'));
    expect(text).not.toMatch(/@|"cli"|=cli/);
  });

  test('refuses when it cannot be kept: not a byte goes out', async () => {
    const world = startTestApi(store.reader, { record: () => Promise.reject(new Error('full')) });
    const answer = await world.get(`/api/v1/exports/stream?${RANGE}`, 'admin');
    expect([answer.status, await answer.text()]).toEqual([503, expect.stringContaining('not_recorded')]);
  });

  test('holds refusals: who asked for what they may not have', async () => {
    const world = startTestApi(store.reader);
    expect((await world.get('/api/v1/exports/stream?payloads=true', 'admin')).status).toBe(403);
    expect((await world.get('/api/v1/exports/stream', 'viewer')).status).toBe(403);
    expect(world.recorded).toMatchObject([
      { action: 'export.payloads', decision: 'refused', reason: 'not_auditor' },
      { action: 'export.metadata', decision: 'refused', reason: 'not_admin' },
    ]);
  });
});

describe('a file that breaks off', () => {
  const runsOf = async (world: TestApi): Promise<ExportRun[]> =>
    ((await (await world.get('/api/v1/exports/runs', 'admin')).json()) as { items: ExportRun[] }).items;

  test('because the store does is an error to the reader, and the run says so', async () => {
    const broken: StoreStreams = {
      async *stream(...args) {
        for await (const chunk of store.reader.stream(...args)) {
          yield chunk.subarray(0, 100_000);
          throw new Error('gone');
        }
      },
    };
    const world = startTestApi({ ...store.reader, ...broken });
    const answer = await world.get(`/api/v1/exports/stream?${RANGE}`, 'admin').catch(() => undefined);
    if (answer?.status === 200) await expect(answer.text()).rejects.toThrow();
    else expect(answer?.status).toBe(500);
    expect(await runsOf(world)).toMatchObject([{ state: 'failed' }]);
  });

  /** Rows without end, as fast as they are taken. */
  function endless(): { readonly streams: StoreStreams; readonly ended: () => number } {
    let ended = 0;
    const streams: StoreStreams = {
      async *stream(_sql, _params, _format, options) {
        try {
          for (;;) {
            options?.signal?.throwIfAborted();
            yield Buffer.from(`${JSON.stringify({ call_id: 'x'.repeat(1000) })}\n`.repeat(200));
            await new Promise((wake) => setTimeout(wake, 1));
          }
        } finally {
          ended += 1;
        }
      },
    };
    return { streams, ended: () => ended };
  }
  const cancel = (world: TestApi, id: string): Promise<Response> =>
    Promise.resolve(
      world.api.request(`/api/v1/exports/runs/${id}/cancel`, {
        method: 'POST',
        headers: { Authorization: 'Bearer auditor' },
      })
    );

  test('because the reader leaves, or somebody cancels it, ends the query, frees its place, and says how far it came', async () => {
    const { streams, ended } = endless();
    const world = startTestApi({ ...store.reader, ...streams });
    for (const leave of ['reader', 'somebody', 'somebody, while nothing is taken'] as const) {
      const answer = await world.get(`/api/v1/exports/stream?${RANGE}`, 'admin');
      const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
      await reader.read();
      if (leave === 'reader') await reader.cancel();
      else {
        expect((await cancel(world, answer.headers.get('x-gatelens-export') ?? '')).status).toBe(200);
        if (leave === 'somebody') {
          await expect(
            (async () => {
              while (!(await reader.read()).done);
            })()
          ).rejects.toThrow();
        }
      }
    }
    await expect.poll(ended).toBeGreaterThanOrEqual(3);
    await expect
      .poll(async () => (await runsOf(world)).map(({ state, problem }) => [state, problem]))
      .toEqual([
        ['cancelled', 'Somebody cancelled it.'],
        ['cancelled', 'Somebody cancelled it.'],
        ['cancelled', 'The reader left before the end.'],
      ]);
    for (const run of await runsOf(world)) {
      expect(run.rows).toBeGreaterThan(0);
      expect(run.bytes).toBeGreaterThan(run.rows * 1000);
      expect(run.endedAt).not.toBeNull();
    }
    const ends = world.recorded.filter(({ detail }) => detail?.phase === 'cancelled');
    expect(ends.map(({ rows }) => (rows ?? 0) > 0)).toEqual([true, true, true]);
    // their places are free again
    const again = await Promise.all([1, 2].map(() => world.get(`/api/v1/exports/stream?${RANGE}`, 'admin')));
    expect(again.map(({ status }) => status)).toEqual([200, 200]);
    for (const { body } of again) await body?.cancel();
  });

  test('because somebody cancels it while its reader, over HTTP, takes nothing', async () => {
    const { streams, ended } = endless();
    const world = startTestApi({ ...store.reader, ...streams });
    const listening = await startAuditApiServer(world.api, { host: '127.0.0.1', port: 0 });
    const { hostname, port } = new URL(listening.url);
    const reader = connect(Number(port), hostname).pause();
    try {
      const closed = once(reader, 'close');
      reader.on('error', () => undefined);
      reader.write(`GET /api/v1/exports/stream?${RANGE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\n\r\n`);
      // until the connection takes no more
      let bytes = -1;
      await expect
        .poll(
          async () => {
            const before = bytes;
            bytes = (await runsOf(world))[0]?.bytes ?? 0;
            return bytes > 0 && bytes === before;
          },
          { timeout: 30_000, interval: 200 }
        )
        .toBe(true);
      const [run] = await runsOf(world);
      expect(run?.state).toBe('running');
      expect((await cancel(world, run?.id ?? '')).status).toBe(200);
      await expect.poll(async () => (await runsOf(world))[0]?.state).toBe('cancelled');
      await expect.poll(ended).toBeGreaterThan(0);
      reader.resume();
      await closed;
    } finally {
      reader.destroy();
      await listening.close();
    }
  });

  test('because the audit API ends is failed, with how far it came', async () => {
    const world = startTestApi({ ...store.reader, ...endless().streams });
    const answer = await world.get(`/api/v1/exports/stream?${RANGE}`, 'admin');
    await (answer.body as ReadableStream<Uint8Array>).getReader().read();
    await world.exporting.close();
    const [run] = await runsOf(world);
    expect(run).toMatchObject({ state: 'failed', problem: 'The audit API ended in the middle. Export again.' });
    expect(run?.bytes).toBeGreaterThan(0);
  });

  test('before it began is over too: nobody fetched it, no place was free, it was cancelled, it could not be recorded', async () => {
    const clock = { ms: 0 };
    let isFull = false;
    const { streams } = endless();
    const world = startTestApi(
      { ...store.reader, ...streams },
      {
        monotonicMs: () => clock.ms,
        record: ({ detail }) =>
          isFull && detail?.phase === 'started' ? Promise.reject(new Error('full')) : Promise.resolve(),
      }
    );
    const body = JSON.stringify({
      from: new Date(START_MS).toISOString(),
      to: new Date(START_MS + HOUR_MS).toISOString(),
    });
    const headers = { Authorization: 'Bearer admin', 'Content-Type': 'application/json' };
    const make = async (): Promise<{ url: string; runId: string }> =>
      (await (await world.api.request('/api/v1/exports/downloads', { method: 'POST', headers, body })).json()) as {
        url: string;
        runId: string;
      };
    const runOf = async (id: string): Promise<ExportRun> =>
      (await (await world.get(`/api/v1/exports/runs/${id}`, 'admin')).json()) as ExportRun;

    const forgotten = await make();
    expect(await runOf(forgotten.runId)).toMatchObject({ state: 'pending' });
    clock.ms += 60_001;
    const nothing = { rows: 0, bytes: 0, manifestName: null };
    expect(await runOf(forgotten.runId)).toMatchObject({
      ...nothing,
      state: 'failed',
      problem: 'No browser fetched it within a minute, so nothing went out. Export again.',
      endedAt: expect.any(String),
    });

    const cancelled = await make();
    expect(await (await cancel(world, cancelled.runId)).json()).toMatchObject({ state: 'cancelled' });
    expect((await world.get(cancelled.url, 'admin')).status).toBe(409);
    expect(await runOf(cancelled.runId)).toMatchObject({ ...nothing, state: 'cancelled' });

    isFull = true;
    const unrecorded = await make();
    expect((await world.get(unrecorded.url, 'admin')).status).toBe(503);
    expect(await runOf(unrecorded.runId)).toMatchObject({
      ...nothing,
      state: 'failed',
      problem: expect.stringContaining('It could not be recorded, so nothing went out.'),
    });
    isFull = false;

    const open = await Promise.all([1, 2].map(() => world.get(`/api/v1/exports/stream?${RANGE}`, 'admin')));
    const crowded = await make();
    expect((await world.get(crowded.url, 'admin')).status).toBe(429);
    expect(await runOf(crowded.runId)).toMatchObject({
      ...nothing,
      state: 'failed',
      problem: expect.stringContaining('2 exports run already'),
    });
    for (const { body } of open) await body?.cancel();
  });

  test('asked for by HEAD runs nothing and uses up no address', async () => {
    const world = startTestApi({ ...store.reader, ...endless().streams });
    const headers = { Authorization: 'Bearer admin' };
    for (let count = 0; count < 3; count++) {
      const answer = await world.api.request(`/api/v1/exports/stream?${RANGE}`, { method: 'HEAD', headers });
      expect(answer.status).toBe(400);
    }
    expect(await runsOf(world)).toEqual([]);
  });

  test('three at once are too many', async () => {
    const world = startTestApi(store.reader);
    const open = await Promise.all([1, 2].map(() => world.get(`/api/v1/exports/stream?${RANGE}`, 'admin')));
    const third = await world.get(`/api/v1/exports/stream?${RANGE}`, 'admin');
    expect(third.status).toBe(429);
    for (const one of open) await one.text();
    expect((await world.get(`/api/v1/exports/stream?${RANGE}&columns=server`, 'admin')).status).toBe(200);
  });
});
