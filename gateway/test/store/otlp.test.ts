/**
 * OTLP into the landing tables: what the collector's clickhouse exporter would store for the same bytes, and what each
 * kind of bad request is answered.
 */
import { gzipSync } from 'node:zlib';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { START_NS, TRACE_ID, logsBytes, merged, send, tracesBytes } from './otlp-bytes.ts';
import { type TestStore, startTestStore } from './test-store.ts';

let test: TestStore;
beforeAll(async () => {
  test = await startTestStore({ migrated: true });
  // the landing table of protected events keeps nothing; a twin of it does
  const admin = test.client('gatelens_admin');
  await admin.command({
    query: `CREATE TABLE mcp_protected.seen AS mcp_protected.otel_logs ENGINE = MergeTree ORDER BY Timestamp`,
  });
  await admin.command({
    query: `CREATE MATERIALIZED VIEW mcp_protected.seen_from_logs TO mcp_protected.seen AS SELECT * FROM mcp_protected.otel_logs`,
  });
});
afterAll(() => test.stop());

const metadata = () => test.store.otlp.metadata;
const payloads = () => test.store.otlp.payloads;

describe('a span', () => {
  it('is stored with every field and every type of attribute', async () => {
    const attributes = {
      text: 'é😀 "quoted" \\ \n\t\0 <&>',
      empty: '',
      int: 42,
      zero: 0,
      negative: -7,
      large: Number.MAX_SAFE_INTEGER,
      double: 1.5,
      whole: 3,
      yes: true,
      no: false,
      strings: ['a', 'b"c', ''],
      numbers: [1, 2.5],
      none: [],
      __proto__x: 'p',
    };
    const answer = await send(
      metadata(),
      'traces',
      tracesBytes([
        {
          spanId: '00f067aa0ba902b7',
          parentSpanId: 'b7ad6b7169203331',
          name: 'attributes of every type',
          kind: SpanKind.CLIENT,
          durationNs: 1_234_567_891n,
          status: { code: SpanStatusCode.ERROR, message: '-32603' },
          attributes,
          events: [{ name: 'e', time: [1_795_000_000, 5], attributes: { a: 1 }, droppedAttributesCount: 0 }],
          links: [
            { context: { traceId: TRACE_ID, spanId: 'b7ad6b7169203331', traceFlags: 1 }, attributes: { l: 'x' } },
          ],
        },
      ])
    );
    expect(answer).toEqual({ status: 200, body: Buffer.alloc(0) });
    const [row] = await test.rows<Record<string, unknown>>(
      `SELECT *, toUnixTimestamp64Nano(Timestamp) AS ns, toUnixTimestamp64Nano(Events.Timestamp[1]) AS event_ns
       FROM mcp.otel_traces WHERE SpanName = 'attributes of every type'`
    );
    expect(row).toMatchObject({
      ns: String(START_NS),
      TraceId: TRACE_ID,
      SpanId: '00f067aa0ba902b7',
      ParentSpanId: 'b7ad6b7169203331',
      TraceState: '',
      SpanKind: 'Client',
      ServiceName: 'gatelens',
      ResourceAttributes: { 'service.name': 'gatelens', 'service.version': '1.2.3' },
      ScopeName: 'gatelens',
      ScopeVersion: '0.1.0',
      Duration: '1234567891',
      StatusCode: 'Error',
      StatusMessage: '-32603',
      'Events.Name': ['e'],
      'Events.Attributes': [{ a: '1' }],
      event_ns: '1795000000000000005',
      'Links.TraceId': [TRACE_ID],
      'Links.SpanId': ['b7ad6b7169203331'],
      'Links.Attributes': [{ l: 'x' }],
    });
    expect(row?.SpanAttributes).toEqual({
      text: attributes.text,
      empty: '',
      int: '42',
      zero: '0',
      negative: '-7',
      large: '9007199254740991',
      double: '1.5',
      whole: '3',
      yes: 'true',
      no: 'false',
      strings: '["a","b\\"c",""]',
      numbers: '[1,2.5]',
      none: '[]',
      __proto__x: 'p',
    });
  });

  it.each([
    [SpanKind.SERVER, 'Server'],
    [SpanKind.INTERNAL, 'Internal'],
    [SpanKind.PRODUCER, 'Producer'],
    [SpanKind.CONSUMER, 'Consumer'],
  ])('of kind %d is %s', async (kind, name) => {
    await send(
      metadata(),
      'traces',
      tracesBytes([{ name: `kind ${name}`, kind, status: { code: SpanStatusCode.OK } }])
    );
    expect(await test.rows(`SELECT SpanKind, StatusCode FROM mcp.otel_traces WHERE SpanName = 'kind ${name}'`)).toEqual(
      [{ SpanKind: name, StatusCode: 'Ok' }]
    );
  });

  it('with a time at 1970, after 2090 or ending before it began does not stop its batch', async () => {
    const answer = await send(
      metadata(),
      'traces',
      tracesBytes([
        { name: 'odd', spanId: '0000000000000001', startNs: 1n },
        { name: 'odd', spanId: '0000000000000002', startNs: 9_300_000_000_000_000_000n },
        { name: 'odd', spanId: '0000000000000003', durationNs: -5n },
      ])
    );
    expect(answer.status).toBe(200);
    const rows = await test.rows(
      `SELECT SpanId, Duration, toYear(Timestamp) AS year FROM mcp.otel_traces WHERE SpanName = 'odd'`
    );
    expect(rows).toContainEqual(expect.objectContaining({ SpanId: '0000000000000003', Duration: '0' }));
    // later, and its time to live would overflow: it would be gone at once
    expect(rows).toContainEqual({ SpanId: '0000000000000002', Duration: '5000000', year: 2090 });
  });

  it('batch may span more days than the engine takes by default', async () => {
    const spans = Array.from({ length: 150 }, (_, day) => ({
      name: 'many days',
      spanId: (day + 1).toString(16).padStart(16, '0'),
      startNs: START_NS - BigInt(day) * 86_400_000_000_000n,
      attributes: { 'gatelens.kind': 'health', 'gatelens.health.component': 'many days' },
    }));
    expect((await send(metadata(), 'traces', tracesBytes(spans))).status).toBe(200);
    // the raw spans are past their three days already, what was made of them is not
    expect(await test.rows(`SELECT count() AS n FROM mcp.health WHERE component = 'many days'`)).toEqual([
      { n: '150' },
    ]);
  });
});

describe('a protected event', () => {
  it.each([
    ['bytes', new Uint8Array([0, 255, 1, 10]), 'AP8BCg=='],
    ['no bytes', new Uint8Array(0), ''],
    ['text', 'é😀', 'é😀'],
    ['nothing', undefined, ''],
    ['an object', { b: [1, 'x'], a: null }, '{"a":null,"b":[1,"x"]}'],
    ['a number', 12, '12'],
  ])('with a body of %s', async (name, body, stored) => {
    const attributes = { 'gatelens.call.id': name, n: 7 };
    const log = { eventName: 'gatelens.test', attributes, ...(body === undefined ? {} : { body }) };
    expect((await send(payloads(), 'logs', logsBytes([log]))).status).toBe(200);
    const rows = await test.rows(
      `SELECT Body, EventName, TraceId, SpanId, TraceFlags, SeverityText, SeverityNumber, ServiceName, LogAttributes,
         ScopeName, toUnixTimestamp64Nano(Timestamp) AS ns
       FROM mcp_protected.seen WHERE LogAttributes['gatelens.call.id'] = '${name}'`
    );
    expect(rows).toEqual([
      {
        Body: stored,
        EventName: 'gatelens.test',
        TraceId: TRACE_ID,
        SpanId: 'b7ad6b7169203331',
        TraceFlags: 1,
        SeverityText: 'INFO',
        SeverityNumber: 9,
        ServiceName: 'gatelens',
        LogAttributes: { 'gatelens.call.id': name, n: '7' },
        ScopeName: 'gatelens',
        ns: String(START_NS),
      },
    ]);
  });

  it('of 256 KiB comes back byte for byte, so many in one request that they take two inserts', async () => {
    const bodies = Array.from({ length: 70 }, (_, n) => {
      const body = Buffer.alloc(256 * 1024);
      for (let at = 0; at < body.length; at += 1) body[at] = (at * 31 + n * 7 + (at >> 8)) & 0xff;
      return body;
    });
    const logs = bodies.map((body, n) => ({
      eventName: 'gatelens.payload.request',
      body: new Uint8Array(body),
      attributes: {
        'gatelens.call.id': `large-${n}`,
        'gatelens.payload.direction': 'request',
        'gatelens.call.started_at': String(START_NS + BigInt(n)),
        'gatelens.envelope.v': 1,
      },
    }));
    expect((await send(payloads(), 'logs', logsBytes(logs))).status).toBe(200);
    const rows = await test.rows<{ call_id: string; body: string }>(
      `SELECT call_id, base64Encode(ciphertext) AS body FROM mcp_protected.payload_events WHERE call_id LIKE 'large-%'`,
      'gatelens_api'
    );
    expect(rows).toHaveLength(70);
    for (const row of rows) {
      expect(Buffer.from(row.body, 'base64').equals(bodies[Number(row.call_id.slice(6))] ?? Buffer.alloc(0))).toBe(
        true
      );
    }
  });
});

describe('a request', () => {
  it('may be several joined, compressed, or empty', async () => {
    const one = tracesBytes([{ name: 'joined', spanId: '0000000000000011' }]);
    const two = tracesBytes([{ name: 'joined', spanId: '0000000000000012' }]);
    expect((await send(metadata(), 'traces', gzipSync(merged(one, two)), { 'content-encoding': 'gzip' })).status).toBe(
      200
    );
    expect(await test.rows(`SELECT count() AS n FROM mcp.otel_traces WHERE SpanName = 'joined'`)).toEqual([{ n: '2' }]);
    expect((await send(metadata(), 'traces', Buffer.alloc(0))).status).toBe(200);
  });

  it('is answered only once its rows can be read', async () => {
    for (let n = 0; n < 20; n += 1) {
      await send(metadata(), 'traces', tracesBytes([{ name: `read after write ${n}` }]));
      expect(
        await test.rows(`SELECT count() AS n FROM mcp.otel_traces WHERE SpanName = 'read after write ${n}'`)
      ).toEqual([{ n: '1' }]);
    }
  });

  it('is one of a few at a time; the others wait', async () => {
    const requests = Array.from({ length: 25 }, (_, n) =>
      tracesBytes([{ name: 'parallel', spanId: n.toString(16).padStart(16, '0') }])
    );
    const answers = await Promise.all(requests.map((body) => send(metadata(), 'traces', body)));
    expect(answers.map((answer) => answer.status)).toEqual(Array.from({ length: 25 }, () => 200));
    expect(await test.rows(`SELECT uniqExact(SpanId) AS n FROM mcp.otel_traces WHERE SpanName = 'parallel'`)).toEqual([
      { n: '25' },
    ]);
  });

  const body = tracesBytes([{ name: 'refused' }]);
  it.each<[string, number, () => Promise<{ status: number; body: Buffer }>]>([
    ['without a token', 401, () => send({ ...metadata(), token: '' }, 'traces', body)],
    [
      'with the token of the other receiver',
      401,
      () => send({ ...metadata(), token: payloads().token }, 'traces', body),
    ],
    ['for the other signal', 404, () => send(metadata(), 'logs', body)],
    ['at the other receiver', 404, () => send(payloads(), 'traces', body)],
    ['of another type', 415, () => send(metadata(), 'traces', body, { 'content-type': 'application/json' })],
    ['in an unknown encoding', 415, () => send(metadata(), 'traces', body, { 'content-encoding': 'lzma' })],
    ['that claims to be gzip', 400, () => send(metadata(), 'traces', body, { 'content-encoding': 'gzip' })],
    ['of garbage', 400, () => send(metadata(), 'traces', Buffer.from('{"resourceSpans":[]}'))],
    ['cut short', 400, () => send(metadata(), 'traces', body.subarray(0, body.length - 3))],
    ['of another message', 400, () => send(payloads(), 'logs', Buffer.from([0x0a, 0x02, 0x0a, 0x7f]))],
    [
      'that is too large',
      413,
      () => send(metadata(), 'traces', gzipSync(Buffer.alloc(65 * 1024 * 1024)), { 'content-encoding': 'gzip' }),
    ],
  ])('%s is refused with %d', async (_name, status, request) => {
    const answer = await request();
    expect(answer.status).toBe(status);
    // google.rpc.Status, message only
    expect(answer.body[0]).toBe(0x12);
    expect(await test.rows(`SELECT count() AS n FROM mcp.otel_traces WHERE SpanName = 'refused'`)).toEqual([
      { n: '0' },
    ]);
  });

  it('nested to make the decoder overflow is refused, and the process lives on', async () => {
    // AnyValue { array_value { values { array_value … } } }, 5000 deep
    let value: Buffer = Buffer.from([0x0a, 0x01, 0x78]);
    const wrap = (field: number, inner: Buffer): Buffer => {
      const length: number[] = [];
      for (let rest = inner.length; ; rest >>= 7) {
        length.push(rest > 127 ? (rest & 0x7f) | 0x80 : rest);
        if (rest <= 127) break;
      }
      return Buffer.concat([Buffer.from([(field << 3) | 2, ...length]), inner]);
    };
    for (let depth = 0; depth < 5_000; depth += 1) value = wrap(5, wrap(1, value));
    const log = wrap(1, wrap(2, wrap(2, wrap(5, value))));
    expect((await send(payloads(), 'logs', log)).status).toBe(400);
    expect(await test.client('gatelens_admin').ping()).toEqual({ success: true });
  });
});

describe('trouble of the database', () => {
  it('is 503, so that it is sent again, and nothing of the batch is kept twice', async () => {
    const admin = test.client('gatelens_admin');
    await admin.command({ query: 'RENAME TABLE mcp.otel_traces TO mcp.otel_traces_away' });
    const batch = tracesBytes([{ name: 'while away' }]);
    expect((await send(metadata(), 'traces', batch)).status).toBe(503);
    await admin.command({ query: 'RENAME TABLE mcp.otel_traces_away TO mcp.otel_traces' });
    expect((await send(metadata(), 'traces', batch)).status).toBe(200);
    expect(await test.rows(`SELECT count() AS n FROM mcp.otel_traces WHERE SpanName = 'while away'`)).toEqual([
      { n: '1' },
    ]);
  });
});
