/**
 * The collector's `clickhouse` exporter against the embedded store, from its recorded requests (test/stack records them
 * with the real one and compares): each is answered as its driver needs it, what it inserts is what the embedded writer
 * stores for the same OTLP bytes, and its users may do that and nothing else.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ExporterRequest, readRecording } from '../stack/exporter-requests.ts';
import { storedTables } from '../stack/record-shapes.ts';
import { send } from './otlp-bytes.ts';
import { type TestStore, startTestStore } from './test-store.ts';

const recording = readRecording();
let byExporter: TestStore;
let byWriter: TestStore;
beforeAll(async () => {
  [byExporter, byWriter] = await Promise.all([startTestStore({ migrated: true }), startTestStore({ migrated: true })]);
});
afterAll(() => Promise.all([byExporter.stop(), byWriter.stop()]));

async function replay(request: ExporterRequest, change: { user?: ExporterRequest['user']; url?: string } = {}) {
  const { username, password } = byExporter.store.credentials[change.user ?? request.user];
  const response = await fetch(`${byExporter.store.url}${change.url ?? request.url}`, {
    method: 'POST',
    body: Buffer.from(request.bodyBase64, 'base64'),
    headers: {
      authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
      ...(request.contentType === undefined ? {} : { 'content-type': request.contentType }),
      ...(request.contentEncoding === undefined ? {} : { 'content-encoding': request.contentEncoding }),
      ...(request.acceptEncoding === undefined ? {} : { 'accept-encoding': request.acceptEncoding }),
    },
  });
  return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) };
}

const isInsert = (request: ExporterRequest): boolean => request.url.includes('INSERT');
const statement = (request: ExporterRequest): string => Buffer.from(request.bodyBase64, 'base64').toString();
const inserts = recording.requests.none.filter(isInsert);

/** A Native block of revision 54460 with texts and UInt32, as clickhouse-go reads it. */
function decodeBlock(bytes: Buffer): Record<string, (string | number)[]> {
  expect(bytes.subarray(0, 8).toString('hex')).toBe('010002ffffffff00');
  let at = 8;
  const varint = (): number => {
    let [value, shift] = [0, 0];
    for (;;) {
      const byte = bytes.readUInt8(at++);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
      shift += 7;
    }
  };
  const text = (): string => {
    const length = varint();
    at += length;
    return bytes.toString('utf8', at - length, at);
  };
  const [columns, rows] = [varint(), varint()];
  const block: Record<string, (string | number)[]> = {};
  for (let column = 0; column < columns; column += 1) {
    const [name, type] = [text(), text()];
    expect(bytes.readUInt8(at++)).toBe(0);
    block[name] = Array.from({ length: rows }, () => {
      if (type === 'String') return text();
      expect(type).toBe('UInt32');
      at += 4;
      return bytes.readUInt32LE(at - 4);
    });
  }
  expect(at).toBe(bytes.length);
  return block;
}

describe('the recorded exporter', () => {
  it('is the one that collector/builder.yaml builds', () => {
    expect(recording.client).toMatch(/^otelcol\/0\.161\.0 clickhouse-go\/2\.47\.0 /);
  });

  it('gets its greeting and the columns as blocks of its revision', async () => {
    const asked = recording.requests.none.filter((one) => !isInsert(one));
    expect([...new Set(asked.map(statement))].sort()).toEqual([
      'DESC TABLE "mcp_protected"."otel_logs"',
      'DESCRIBE TABLE "mcp"."otel_traces"',
      'DESCRIBE TABLE `mcp_protected`.`otel_logs`',
      'SELECT displayName(), version(), revision(), timezone()',
    ]);
    for (const request of asked) {
      const { status, bytes } = await replay(request);
      expect(status).toBe(200);
      const block = decodeBlock(bytes);
      if (statement(request).startsWith('SELECT')) {
        expect(block).toMatchObject({ 'version()': [byExporter.store.version], 'timezone()': ['UTC'] });
        expect(block['revision()']?.[0]).toBeGreaterThan(54_454);
      } else {
        expect(Object.keys(block)).toHaveLength(7);
        expect(block.name).toContain('ScopeName');
        expect(block.type).toContain('Map(LowCardinality(String), String)');
      }
    }
  });

  it.each(['none', 'gzip'] as const)(
    'inserts what the embedded writer stores, compressed by %s',
    async (compression) => {
      for (const request of recording.requests[compression].filter(isInsert)) {
        expect(request.contentEncoding).toBe(compression === 'none' ? undefined : compression);
        expect(await replay(request)).toMatchObject({ status: 200 });
      }
      const { tracesBase64, logsBase64 } = recording.otlp;
      const { metadata, payloads } = byWriter.store.otlp;
      expect(await send(metadata, 'traces', Buffer.from(tracesBase64, 'base64'))).toMatchObject({ status: 200 });
      expect(await send(payloads, 'logs', Buffer.from(logsBase64, 'base64'))).toMatchObject({ status: 200 });
      const stored = await storedTables((query) => byExporter.rows(query));
      expect(stored).toEqual(await storedTables((query) => byWriter.rows(query)));
      expect(stored['mcp.otel_traces']?.length).toBeGreaterThanOrEqual(50);
      for (const rows of Object.values(stored)) expect(rows.length).toBeGreaterThan(0);
    }
  );

  it('is told by name that lz4 is not served, and loses nothing by it', async () => {
    const [insert] = inserts;
    if (insert === undefined) throw new TypeError('nothing recorded');
    const { status, bytes } = await replay(insert, { url: `${insert.url}&compress=1&decompress=1` });
    expect(status).toBe(501);
    expect(bytes.toString()).toContain('The embedded store has no compress');
  });

  it('is told when a block breaks off, and stores nothing of it', async () => {
    const [insert] = inserts;
    if (insert === undefined) throw new TypeError('nothing recorded');
    const before = await byExporter.rows('SELECT count() FROM mcp.otel_traces');
    const half = Buffer.from(insert.bodyBase64, 'base64').subarray(0, -200).toString('base64');
    expect((await replay({ ...insert, bodyBase64: half })).status).toBeGreaterThanOrEqual(400);
    expect(await byExporter.rows('SELECT count() FROM mcp.otel_traces')).toEqual(before);
  });
});

describe('the users of the exporter', () => {
  it('may neither insert into nor look at the table of the other', async () => {
    const both = ['gatelens_ingest', 'gatelens_payload_ingest'] as const;
    for (const request of recording.requests.none) {
      if (!isInsert(request) && !statement(request).startsWith('DESC')) continue;
      const other = both.find((user) => user !== request.user);
      const answer = await replay(request, other === undefined ? {} : { user: other });
      expect(answer.status).toBe(403);
      expect((await replay(request, { user: 'grafana_reader' })).status).toBeGreaterThanOrEqual(400);
    }
  });

  it.each([
    'DESCRIBE TABLE mcp.calls',
    'DESCRIBE TABLE (SELECT * FROM mcp.otel_traces)',
    "DESCRIBE TABLE file('/etc/passwd')",
    'DESCRIBE TABLE system.users',
    'SELECT * FROM mcp.otel_traces',
    'SHOW CREATE TABLE mcp.otel_traces',
  ])('may not ask for %s', async (sql) => {
    const [first] = recording.requests.none.filter((one) => one.user === 'gatelens_ingest');
    if (first === undefined) throw new TypeError('nothing recorded');
    const answer = await replay({ ...first, bodyBase64: Buffer.from(sql).toString('base64') });
    expect(answer.status).toBe(403);
  });
});

describe('Native of a revision', () => {
  it('refuses types by name that it cannot send, instead of sending what would be misread', async () => {
    const { username, password } = byExporter.store.credentials.gatelens_api;
    const ask = (sql: string) =>
      fetch(`${byExporter.store.url}/?client_protocol_version=54460&default_format=Native`, {
        method: 'POST',
        body: sql,
        headers: { 'x-clickhouse-user': username, 'x-clickhouse-key': password },
      });
    const refused = await ask('SELECT number / 2 AS half FROM numbers(3)');
    expect(refused.status).toBe(501);
    expect(await refused.text()).toContain('cannot send Float64 as Native');
    // several blocks, each with a head of its own
    const many = await ask('SELECT number, toString(number) AS text FROM numbers(200000)');
    const bytes = Buffer.from(await many.arrayBuffer());
    expect(bytes.toString('latin1').split('\x01\x00\x02\xff\xff\xff\xff\x00').length).toBeGreaterThan(3);
    expect((await (await ask('SELECT 1 WHERE 0')).arrayBuffer()).byteLength).toBe(0);
  });
});
