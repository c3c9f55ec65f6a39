/**
 * The spool delivers at least once, in batches that may be formed anew. Whatever the way: the same rows in the log, the
 * same figures in Usage. Real engine, real receivers, the DDL as it is.
 */
import { SpanKind } from '@opentelemetry/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestLog, type TestSpan, logsBytes, merged, send, tracesBytes } from './otlp-bytes.ts';
import { type TestStore, startTestStore } from './test-store.ts';

let test: TestStore;
beforeAll(async () => {
  test = await startTestStore({ migrated: true });
});
afterAll(() => test.stop());

const MINUTE_NS = 60_000_000_000n;
/** some minutes of the last hour, so that the raw spans are within their three days */
const NOW_NS = BigInt(Date.now()) * 1_000_000n;
const OUTCOMES = ['success', 'success', 'success', 'tool_error', 'rpc_error', 'denied', 'timeout'];

let seq = 0;
const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');

/** One record as the gateway makes it, of scenario `server`. */
function call(server: string, n: number, more: TestSpan['attributes'] = {}): TestSpan {
  seq += 1;
  return {
    spanId: hex(seq, 16),
    traceId: hex(seq, 32),
    kind: SpanKind.SERVER,
    startNs: NOW_NS - BigInt(n % 50) * MINUTE_NS - BigInt(n),
    durationNs: BigInt(1 + (n % 400)) * 1_000_000n,
    attributes: {
      'gatelens.record.version': 1,
      'gatelens.kind': 'request',
      'gatelens.phase': 'closed',
      'gatelens.chain.id': `chain-${server}`,
      'gatelens.chain.seq': seq,
      'gatelens.chain.hash': hex(seq, 64),
      'gatelens.call.id': `${server}-${n}`,
      'gatelens.server.name': server,
      'mcp.method.name': 'tools/call',
      'gen_ai.tool.name': `tool-${n % 5}`,
      'user.hash': `user-${n % 7}`,
      'gatelens.outcome': OUTCOMES[n % OUTCOMES.length] ?? 'success',
      'gatelens.request.bytes': 100 + n,
      'gatelens.response.bytes': 1000 + n,
      'gatelens.response.tokens': n,
      ...more,
    },
  };
}

/** Calls, a stream opened and closed, a notification, an access record, a health report with a checkpoint. */
function scenario(server: string, calls = 200): TestSpan[] {
  const spans = Array.from({ length: calls }, (_, n) => call(server, n));
  const stream = { 'gatelens.kind': 'stream', 'gatelens.call.id': `${server}-stream` };
  const opened = call(server, 7, { ...stream, 'gatelens.phase': 'open', 'gatelens.outcome': '' });
  const closed = { ...call(server, 7, stream), durationNs: 9_000_000_000n };
  return [
    ...spans,
    opened,
    closed,
    call(server, 8, { 'gatelens.kind': 'notification', 'gatelens.call.id': `${server}-note` }),
    call(server, 9, {
      'gatelens.kind': 'access',
      'gatelens.call.id': `${server}-access`,
      'gatelens.access.action': 'payload.read',
    }),
    call(server, 10, {
      'gatelens.kind': 'health',
      'gatelens.health.component': server,
      'gatelens.checkpoint.signature': 'c2ln',
      'gatelens.checkpoint.key_id': 'k1',
    }),
    // a span of ours that is no record
    { name: 'POST', kind: SpanKind.CLIENT, spanId: hex((seq += 1), 16), traceId: hex(seq, 32), attributes: { server } },
  ];
}

function events(server: string): TestLog[] {
  const userKey = `user-${server}`;
  const payload = (n: number, direction: string): TestLog => ({
    eventName: `gatelens.payload.${direction}`,
    body: new Uint8Array([n, 1, 2, 255]),
    attributes: {
      'log.record.uid': `${server}-${n}/${direction}`,
      'gatelens.call.id': `${server}-${n}`,
      'gatelens.payload.direction': direction,
      'gatelens.call.started_at': String(NOW_NS - BigInt(n) * MINUTE_NS),
      'user.hash': userKey,
      'gatelens.server.name': server,
      'gatelens.envelope.v': 1,
      'gatelens.envelope.alg': 'A256GCM',
      'gatelens.envelope.key_id': `key-${server}`,
      'gatelens.envelope.nonce': 'AAAAAAAAAAAAAAAA',
      'gatelens.envelope.comp': 'none',
      'gatelens.payload.bytes': 4,
      'gatelens.payload.truncated': false,
    },
  });
  return [
    {
      eventName: 'gatelens.data_key',
      body: new Uint8Array([9, 9]),
      attributes: { 'gatelens.data_key.id': `key-${server}`, 'user.hash': userKey, 'gatelens.chain.id': 'c' },
    },
    { eventName: 'gatelens.principal', attributes: { 'user.hash': userKey, 'user.email': `${server}@example.com` } },
    ...Array.from({ length: 20 }, (_, n) => [payload(n, 'request'), payload(n, 'response')]).flat(),
  ];
}

const traces = async (...requests: Buffer[]) => {
  for (const body of requests) expect((await send(test.store.otlp.metadata, 'traces', body)).status).toBe(200);
};
const logs = async (...requests: Buffer[]) => {
  for (const body of requests) expect((await send(test.store.otlp.payloads, 'logs', body)).status).toBe(200);
};

async function refreshUsage(): Promise<void> {
  for (const view of ['usage_minute_refresh', 'usage_hour_refresh', 'usage_user_hour_refresh']) {
    await test.client('gatelens_admin').command({ query: `SYSTEM REFRESH VIEW mcp.${view}` });
    await test.client('gatelens_admin').command({ query: `SYSTEM WAIT VIEW mcp.${view}` });
  }
}

type Figures = Record<string, unknown>;

/** Everything of a scenario that a page, an export or a verification counts. */
async function figures(server: string): Promise<Figures> {
  const one = async (name: string, sql: string): Promise<Figures> => ({ [name]: await test.rows(sql) });
  const sums = `sum(calls) AS calls, sum(duration_sum) AS duration, sum(request_bytes) AS bytes_in, sum(response_bytes) AS bytes_out,
    sum(tokens_estimated) AS tokens`;
  const fromCalls = `count() AS calls, sum(duration) AS duration, sum(request_bytes) AS bytes_in, sum(response_bytes) AS bytes_out,
    sum(tokens_estimated) AS tokens`;
  const parts = [
    one(
      'calls',
      `SELECT count() AS n, uniqExact(call_id) AS ids, sum(cityHash64(* EXCEPT ingested_at)) AS content
      FROM mcp.calls FINAL WHERE server = '${server}'`
    ),
    one(
      'kinds',
      `SELECT kind, phase, outcome, count() AS n FROM mcp.calls FINAL WHERE server = '${server}' GROUP BY ALL ORDER BY ALL`
    ),
    one('requests', `SELECT ${fromCalls} FROM mcp.requests WHERE server = '${server}'`),
    one(
      'by outcome',
      `SELECT outcome, tool, ${fromCalls} FROM mcp.requests WHERE server = '${server}' GROUP BY ALL ORDER BY ALL`
    ),
    one(
      'minute',
      `SELECT outcome, tool, ${sums} FROM mcp.usage_minute FINAL WHERE server = '${server}' GROUP BY ALL ORDER BY ALL`
    ),
    one(
      'hour',
      `SELECT outcome, tool, ${sums} FROM mcp.usage_hour FINAL WHERE server = '${server}' GROUP BY ALL ORDER BY ALL`
    ),
    one(
      'user hour',
      `SELECT outcome, tool, ${sums} FROM mcp.usage_user_hour FINAL WHERE server = '${server}' GROUP BY ALL ORDER BY ALL`
    ),
    one(
      'users',
      `SELECT user_key, sum(calls) AS n FROM mcp.usage_user_hour FINAL WHERE server = '${server}' GROUP BY ALL ORDER BY ALL`
    ),
    one(
      'latency',
      `SELECT latency_bucket, sum(calls) AS n FROM mcp.usage_minute FINAL WHERE server = '${server}' GROUP BY ALL ORDER BY ALL`
    ),
    one(
      'chain',
      `SELECT count() AS n, uniqExact(seq) AS seqs, min(seq) AS first, max(seq) AS last FROM mcp.chain FINAL
      WHERE chain_id = 'chain-${server}'`
    ),
    one('checkpoints', `SELECT count() AS n FROM mcp.checkpoints FINAL WHERE chain_id = 'chain-${server}'`),
    one('health', `SELECT count() AS n FROM mcp.health FINAL WHERE component = '${server}'`),
    one('access', `SELECT count() AS n FROM mcp.access_log FINAL WHERE access_id = '${server}-access'`),
    one(
      'payloads',
      `SELECT count() AS n, sum(cityHash64(* EXCEPT ingested_at)) AS content FROM mcp_protected.payload_events FINAL
      WHERE server = '${server}'`
    ),
    one(
      'keys',
      `SELECT count() AS n, any(hex(wrapped)) AS wrapped FROM mcp_protected.data_keys FINAL WHERE key_id = 'key-${server}'`
    ),
    one(
      'principals',
      `SELECT count() AS n, any(email) AS email FROM mcp_protected.principals FINAL WHERE user_key = 'user-${server}'`
    ),
  ];
  return Object.assign({}, ...(await Promise.all(parts))) as Figures;
}

/** What must hold of any figures: nothing missing, nothing twice, the rollups say what the log says. */
function expectExact(found: Figures, calls = 200): void {
  expect(found.kinds).toHaveLength(5 + 2);
  expect(found.requests).toMatchObject([{ calls: String(calls) }]);
  expect(found.calls).toMatchObject([{ n: String(calls + 2), ids: String(calls + 2) }]);
  expect(found.minute).toEqual(found['by outcome']);
  expect(found.hour).toEqual(found['by outcome']);
  expect(found['user hour']).toEqual(found['by outcome']);
  expect(found.chain).toMatchObject([{ n: String(calls + 4), seqs: String(calls + 4) }]);
  expect([found.checkpoints, found.health, found.access]).toEqual([[{ n: '1' }], [{ n: '1' }], [{ n: '1' }]]);
  expect(found.payloads).toMatchObject([{ n: '40' }]);
  expect(found.keys).toEqual([{ n: '1', wrapped: '0909' }]);
  expect(found.principals).toMatchObject([{ n: '1' }]);
}

/** @param redeliver given the same records again, in whatever way */
async function unchangedBy(
  server: string,
  redeliver: (spans: TestSpan[], protectedEvents: TestLog[]) => Promise<void>
): Promise<void> {
  const spans = scenario(server);
  const protectedEvents = events(server);
  await traces(tracesBytes(spans));
  await logs(logsBytes(protectedEvents));
  await refreshUsage();
  const before = await figures(server);
  expectExact(before);
  await redeliver(spans, protectedEvents);
  await refreshUsage();
  expect(await figures(server)).toEqual(before);
  // and merges, which come sooner or later, change nothing either
  for (const table of ['mcp.calls', 'mcp.usage_minute', 'mcp.chain', 'mcp_protected.payload_events']) {
    await test.client('gatelens_admin').command({ query: `OPTIMIZE TABLE ${table} FINAL` });
  }
  expect(await figures(server)).toEqual(before);
}

describe('no row and no figure is changed by a batch that comes', () => {
  it('again as a whole, three times', () =>
    unchangedBy('whole', async (spans, protectedEvents) => {
      for (let round = 0; round < 3; round += 1) {
        await traces(tracesBytes(spans));
        await logs(logsBytes(protectedEvents));
      }
    }));

  it('again in pieces', () =>
    unchangedBy('split', async (spans, protectedEvents) => {
      for (let at = 0; at < spans.length; at += 37) await traces(tracesBytes(spans.slice(at, at + 37)));
      for (let at = 0; at < protectedEvents.length; at += 11) await logs(logsBytes(protectedEvents.slice(at, at + 11)));
    }));

  it('again together with others', () =>
    unchangedBy('merged', async (spans, protectedEvents) => {
      const others = scenario('merged-others', 30);
      await traces(merged(tracesBytes(others), tracesBytes(spans), tracesBytes(spans.slice(3, 90))));
      await logs(merged(logsBytes(protectedEvents), logsBytes(protectedEvents.slice(5))));
    }));

  it('again in another order, the closed stream before the open one', () =>
    unchangedBy('order', async (spans, protectedEvents) => {
      await traces(tracesBytes([...spans].reverse()));
      for (const span of [...spans].reverse().slice(0, 20)) await traces(tracesBytes([span]));
      await logs(logsBytes([...protectedEvents].reverse()));
    }));

  it('again after usage was computed several times', () =>
    unchangedBy('late', async (spans, protectedEvents) => {
      await refreshUsage();
      await refreshUsage();
      await traces(tracesBytes(spans));
      await refreshUsage();
      await traces(tracesBytes(spans.slice(50, 60)));
      await logs(logsBytes(protectedEvents));
    }));
});

describe('a record that comes for the first time', () => {
  it('long after its minute is counted, once', async () => {
    const spans = scenario('stragglers');
    await traces(tracesBytes(spans.slice(100)));
    await logs(logsBytes(events('stragglers')));
    await refreshUsage();
    await traces(tracesBytes(spans.slice(0, 130)));
    await refreshUsage();
    expectExact(await figures('stragglers'));
  });
});

describe('a view that fails', () => {
  it('fails the delivery; when it is mended the same batch makes everything whole, and nothing twice', async () => {
    const spans = scenario('failed');
    const protectedEvents = events('failed');
    const admin = test.client('gatelens_admin');
    await traces(tracesBytes(spans.slice(0, 40)));
    await admin.command({ query: 'CREATE TABLE mcp.broken (x UInt8) ENGINE = Null' });
    await admin.command({ query: 'CREATE TABLE mcp_protected.broken (x UInt8) ENGINE = Null' });
    const throwing = (from: string) => `SELECT throwIf(1, 'broken view') AS x FROM ${from}`;
    await admin.command({
      query: `CREATE MATERIALIZED VIEW mcp.broken_from_traces TO mcp.broken AS ${throwing('mcp.otel_traces')}`,
    });
    await admin.command({
      query: `CREATE MATERIALIZED VIEW mcp_protected.broken_from_logs TO mcp_protected.broken AS ${throwing('mcp_protected.otel_logs')}`,
    });
    for (let round = 0; round < 3; round += 1) {
      expect((await send(test.store.otlp.metadata, 'traces', tracesBytes(spans))).status).toBe(503);
      expect((await send(test.store.otlp.payloads, 'logs', logsBytes(protectedEvents))).status).toBe(503);
    }
    await refreshUsage();
    await admin.command({ query: 'DROP VIEW mcp.broken_from_traces' });
    await admin.command({ query: 'DROP VIEW mcp_protected.broken_from_logs' });
    await traces(tracesBytes(spans));
    await logs(logsBytes(protectedEvents));
    await refreshUsage();
    expectExact(await figures('failed'));
  });

  it('because its table is away: likewise', async () => {
    const spans = scenario('away');
    const admin = test.client('gatelens_admin');
    await admin.command({ query: 'RENAME TABLE mcp.chain TO mcp.chain_away' });
    expect((await send(test.store.otlp.metadata, 'traces', tracesBytes(spans))).status).toBe(503);
    await admin.command({ query: 'RENAME TABLE mcp.chain_away TO mcp.chain' });
    await traces(tracesBytes(spans));
    await logs(logsBytes(events('away')));
    await refreshUsage();
    expectExact(await figures('away'));
  });
});

describe('kill -9 of the store', () => {
  it('while batches are delivered: each is sent until it is answered, and all is there once', async () => {
    const spans = scenario('killed');
    const pid = test.store.pid() ?? 0;
    setTimeout(() => process.kill(pid, 'SIGKILL'), 150);
    for (let at = 0; at < spans.length; at += 10) {
      const body = tracesBytes(spans.slice(at, at + 10));
      for (;;) {
        const status = await send(test.store.otlp.metadata, 'traces', body).then(
          (answer) => answer.status,
          () => 0
        );
        if (status === 200) break;
        expect([0, 503]).toContain(status);
        await new Promise((wake) => setTimeout(wake, 50));
      }
    }
    expect(test.store.pid()).not.toBe(pid);
    await logs(logsBytes(events('killed')));
    await refreshUsage();
    expectExact(await figures('killed'));
  });
});

describe('a destroyed data key', () => {
  it('does not come back with a late delivery', async () => {
    const api = test.client('gatelens_api');
    await logs(logsBytes(events('erased')));
    await api.insert({
      table: 'mcp_protected.data_keys',
      format: 'JSONEachRow',
      values: [
        {
          key_id: 'key-erased',
          subject: 'user-erased',
          wrapped: '',
          destroyed_at: '2026-11-01 00:00:00.000',
          version: 1,
        },
      ],
    });
    await logs(logsBytes(events('erased')));
    const key = `SELECT length(wrapped) AS bytes, toYear(destroyed_at) AS year FROM mcp_protected.data_keys FINAL WHERE key_id = 'key-erased'`;
    expect(await test.rows(key, 'gatelens_api')).toEqual([{ bytes: '0', year: 2026 }]);
    await api.command({ query: 'OPTIMIZE TABLE mcp_protected.data_keys FINAL' });
    const left = `SELECT count() AS n FROM mcp_protected.data_keys WHERE key_id = 'key-erased' AND wrapped != ''`;
    expect(await test.rows(left)).toEqual([{ n: '0' }]);
  });
});
