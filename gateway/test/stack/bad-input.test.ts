/**
 * What must not get in or must not stop the rest: wrong and swapped tokens, requests that are too large, records and
 * events of a newer version, broken bodies, a schema one version behind, a store that is away while the collector
 * starts. And the mirror: what leaves through it holds no payload and no person.
 */
import { SpanStatusCode } from '@opentelemetry/api';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/logger.ts';
import { createStoreReader } from '../../src/store/queries/clickhouse-reader.ts';
import { createSetAsideWatch } from '../../src/store/set-aside-watch.ts';
import { Markers } from '../e2e/marker.ts';
import { bearer, send as call, toolCall } from '../e2e/mcp-clients.ts';
import { type OtlpCollector, startOtlpCollector } from '../e2e/otlp-collector.ts';
import { People } from '../e2e/people.ts';
import { until } from '../e2e/until.ts';
import { startWebServer } from '../e2e/upstream-process.ts';
import { START_NS, logsBytes, send, tracesBytes } from '../store/otlp-bytes.ts';
import { isCollectorBuilt } from './collector-binary.ts';
import { eventShapes } from './record-shapes.ts';
import { type Stack, createStack } from './stack-under-test.ts';

let stack: Stack;
let backend: OtlpCollector;

const record = (id: string, more: Record<string, string | number> = {}) =>
  tracesBytes([{ attributes: { 'gatelens.kind': 'request', 'gatelens.call.id': id, ...more } }]);
const stored = (id: string, table = 'mcp.calls', column = 'call_id'): Promise<Record<string, unknown>> =>
  until(
    async () => (await stack.test.rows<Record<string, unknown>>(`SELECT * FROM ${table} WHERE ${column} = '${id}'`))[0],
    `${id} is in ${table}`,
    60_000
  );

describe.skipIf(!isCollectorBuilt())('the collector', { timeout: 180_000 }, () => {
  beforeAll(async () => {
    backend = await startOtlpCollector();
    stack = await createStack({ mirrorUrl: backend.url });
    // starts while the store is away: its exporter learns nothing of the columns
    stack.tap.mode = 'down';
    await stack.collector.start();
    stack.tap.mode = 'pass';
  }, 120_000);
  afterAll(async () => {
    await stack.stop();
    await backend.close();
  });

  it('that started while the store was away still brings each event to its table', async () => {
    expect(stack.collector.output).toContain('schema detection failed');
    const events = eventShapes(false);
    const sent = [...events].filter(([name]) => name !== 'a principal').map(([, event]) => event);
    const seen = { 'user.hash': 'u1', 'gatelens.principal.seen_at': '1' };
    const principal = { eventName: 'gatelens.principal', attributes: seen };
    await send(stack.collector.target('payloads'), 'logs', logsBytes([...sent, principal]));
    await stored('u1', 'mcp_protected.principals', 'user_key');
    await stored('k1', 'mcp_protected.data_keys', 'key_id');
    await stored('call-1', 'mcp_protected.payload_events');
    expect(stack.tap.requests.some((one) => one.url.includes('EventName'))).toBe(false);
  });

  it('lets no record be lost by swapped tokens of a gateway: it keeps them, says so, and brings them once they are right', async () => {
    const people = new People();
    const key = people.addKey('swapped', { user: 'swapped@example.com' });
    const web = await startWebServer('swapped');
    const [metadata, payloads] = [stack.collector.target('metadata'), stack.collector.target('payloads')];
    const { username, password } = stack.test.store.credentials.gatelens_api;
    const config = {
      mcpServers: { swapped: { url: `${web.url}/fast` } },
      auth: { apiKeys: people.apiKeys },
      store: { url: stack.test.store.url, username, password },
    };
    const swapped = {
      metadata: { url: metadata.url, token: payloads.token },
      payloads: { url: payloads.url, token: metadata.token },
    };
    const gatelens = stack.gatelens({ mcpServers: config.mcpServers, auth: config.auth, otlp: swapped });
    try {
      await gatelens.start();
      const answer = await call(gatelens.mcp('swapped'), { headers: bearer(key), body: toolCall(1, 'echo', {}) });
      expect(answer.status).toBe(200);
      for (const stream of ['metadata', 'payload']) {
        await until(
          () => gatelens.log('spool.ship_failed').some((line) => line.stream === stream && line.status === 401),
          `the log tells of the refused token of ${stream}`
        );
      }
      await gatelens.kill('SIGTERM');
      expect(await stack.test.rows(`SELECT 1 FROM mcp.calls WHERE server = 'swapped'`)).toEqual([]);
      gatelens.configure({ ...config, otlp: { metadata, payloads } });
      await gatelens.start();
      expect(await stored('swapped', 'mcp.calls', 'server')).toMatchObject({ outcome: 'success', kind: 'request' });
      await stored('swapped', 'mcp_protected.payload_events', 'server');
    } finally {
      await gatelens.kill('SIGTERM');
      await web.stop();
    }
  });

  it.each([
    ['metadata', 'payloads'],
    ['metadata', 'mirror'],
    ['payloads', 'metadata'],
    ['payloads', 'mirror'],
    ['mirror', 'metadata'],
  ] as const)('refuses on the path of %s the token of %s', async (path, token) => {
    const to = { url: stack.collector.target(path).url, token: stack.collector.target(token).token };
    const [signal, body] =
      path === 'payloads' ? (['logs', logsBytes([])] as const) : (['traces', record('x')] as const);
    expect((await send(to, signal, body)).status).toBe(401);
    expect((await send({ ...to, token: '' }, signal, body)).status).toBe(401);
  });

  it('takes no payload on the path of metadata, and no metadata on that of payloads', async () => {
    expect((await send(stack.collector.target('metadata'), 'logs', logsBytes([]))).status).toBe(404);
    expect((await send(stack.collector.target('payloads'), 'traces', record('x'))).status).toBe(404);
  });

  it('refuses a request that is too large for good, and takes the next one', async () => {
    const to = stack.collector.target('metadata');
    const answer = await send(to, 'traces', record('large', { text: 'x'.repeat(17 * 1024 * 1024) }));
    expect(answer.status).toBe(400);
    expect((await send(to, 'traces', Buffer.from('no protobuf'))).status).toBe(400);
    expect((await send(to, 'traces', record('after-large'))).status).toBe(200);
    await stored('after-large');
  });

  it('brings what it does not know to where it is kept, and the rest behind it', async () => {
    const to = stack.collector.target('metadata');
    await send(to, 'traces', record('unknown-attribute', { 'gatelens.future': 'kept', 'gatelens.record.version': 2 }));
    await send(to, 'traces', tracesBytes([{ attributes: { 'gatelens.kind': 'future', 'gatelens.call.id': 'newer' } }]));
    await send(
      to,
      'traces',
      tracesBytes([
        { startNs: 2n ** 64n - 9n, attributes: { 'gatelens.kind': 'request', 'gatelens.call.id': 'clock' } },
      ])
    );
    await send(
      stack.collector.target('payloads'),
      'logs',
      logsBytes([
        {
          eventName: 'gatelens.payload.request',
          body: 'no base64!',
          attributes: { 'gatelens.payload.direction': 'request' },
        },
        { eventName: 'gatelens.future.event', body: 'x', attributes: { a: 1 } },
        {
          eventName: 'gatelens.payload.request',
          body: Uint8Array.of(1),
          attributes: {
            'gatelens.payload.direction': 'request',
            'gatelens.call.id': 'behind',
            'gatelens.call.started_at': String(START_NS),
          },
        },
      ])
    );
    expect(await stored('unknown-attribute')).toMatchObject({
      record_version: 2,
      attributes: { 'gatelens.future': 'kept' },
    });
    expect(await stored('newer', 'mcp.records_set_aside', 'record_id')).toMatchObject({ kind: 'future' });
    expect(await stored('clock')).toMatchObject({ started_at: '2090-01-01 00:00:00.000000000', duration: '5000000' });
    await stored('behind', 'mcp_protected.payload_events');
    const aside = await stack.test.rows<{ what: string; reason: string }>(
      'SELECT what, reason FROM mcp.grafana_set_aside ORDER BY what, reason',
      'grafana_reader'
    );
    expect(aside).toEqual([
      { what: 'event', reason: 'unknown event' },
      { what: 'event', reason: 'unreadable body' },
      { what: 'record', reason: 'unknown kind' },
    ]);
    const lines: object[] = [];
    const warn = (event: string, fields?: object): number => lines.push({ event, ...fields });
    const look = createSetAsideWatch(createStoreReader(stack.test.client('gatelens_api')), { ...silentLogger, warn });
    await look();
    // once, not every minute
    await look();
    const line = { event: 'store.set_aside', more: 1, total: 1 };
    expect(lines).toEqual(aside.map((one) => ({ ...line, ...one })));
  });

  it('keeps what a schema one version behind cannot take, says so, and goes on with the other path', async () => {
    const admin = stack.test.client('gatelens_admin');
    await admin.command({ query: 'ALTER TABLE mcp.otel_traces DROP COLUMN ScopeVersion' });
    expect((await send(stack.collector.target('metadata'), 'traces', record('behind-schema'))).status).toBe(200);
    await until(
      () => stack.collector.output.includes('column ScopeVersion is not present'),
      'the log names the column'
    );
    const key = {
      eventName: 'gatelens.data_key',
      body: Uint8Array.of(1),
      attributes: { 'gatelens.data_key.id': 'meanwhile' },
    };
    await send(stack.collector.target('payloads'), 'logs', logsBytes([key]));
    await stored('meanwhile', 'mcp_protected.data_keys', 'key_id');
    await admin.command({ query: 'ALTER TABLE mcp.otel_traces ADD COLUMN ScopeVersion String' });
    await stored('behind-schema');
  });

  describe('as the way to another backend', () => {
    const markers = new Markers();
    const people = new People();
    let stopServer: () => Promise<void>;
    beforeEach(async () => {
      const web = await startWebServer(markers.prefix);
      stopServer = () => web.stop();
      const key = people.addKey(markers.of('KeyName'), { user: `${markers.of('Person')}@example.com` });
      const mirror = stack.collector.target('mirror');
      const gatelens = stack.gatelens({
        mcpServers: { fast: { url: `${web.url}/fast` } },
        auth: { apiKeys: people.apiKeys },
        otlp: { mirrors: [{ url: mirror.url, token: mirror.token }] },
      });
      await gatelens.start();
      const headers = { ...bearer(key), 'user-agent': markers.of('Agent'), 'x-custom': markers.of('Header') };
      const body = toolCall(1, markers.of('Unlisted'), { text: markers.of('Argument') });
      expect((await call(gatelens.mcp('fast'), { headers, body })).status).toBe(200);
      await gatelens.kill('SIGTERM');
    }, 90_000);
    afterEach(() => stopServer());

    it('lets through what the list names, and no payload, no name and no status text', async () => {
      // even if a gateway sent all it has (but for attributes of links, which the collector cannot take away)
      const everything = {
        'gatelens.kind': 'request',
        'gatelens.outcome': 'rpc_error',
        'mcp.method.name': 'tools/call',
        'user.hash': markers.of('Hash'),
        'client.address': markers.of('Address'),
        'gatelens.session.key': markers.of('Session'),
        'gatelens.user.teams': markers.of('Team'),
        'gen_ai.tool.call.arguments': markers.of('Payload'),
        'mcp.resource.uri': markers.of('Uri'),
      };
      const links = [
        {
          context: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 },
          attributes: {},
        },
      ];
      const events = [
        {
          name: 'e',
          time: [1_795_000_000, 0] as [number, number],
          attributes: { x: markers.of('Event') },
          droppedAttributesCount: 0,
        },
      ];
      await send(
        stack.collector.target('mirror'),
        'traces',
        tracesBytes([
          {
            name: 'careless',
            attributes: everything,
            status: { code: SpanStatusCode.ERROR, message: markers.of('Status') },
            links,
            events,
          },
        ])
      );
      const bytes = () =>
        Buffer.concat(backend.received.map((one) => Buffer.concat([Buffer.from(one.head), one.body])));
      const { gunzipSync } = await import('node:zlib');
      const clear = () =>
        backend.received
          .map((one) => (one.head.includes('gzip') ? gunzipSync(one.body) : one.body).toString('latin1'))
          .join('\n');
      await until(() => clear().includes('careless') && clear().includes('execute_tool'), 'both have arrived', 30_000);
      expect(clear()).toContain('tools/call');
      expect(clear()).toContain('rpc_error');
      expect(markers.find(bytes(), 'the mirror')).toEqual([]);
      expect(clear()).not.toMatch(/example\.com|user\.hash/);
    });
  });
});
