/**
 * The record in the real engine: what the gateway hashed is what ClickHouse derives from the stored spans, column by
 * column, and the hash can be recomputed in SQL from `mcp.calls` alone.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CallEnd, CallStart } from '../../src/mcp/observer.ts';
import { ACCESS_FIELDS, CALL_FIELDS, type Field } from '../../src/record/fields.ts';
import { createAccessRecorder } from '../../src/telemetry/access-recorder.ts';
import { recordInterrupted } from '../../src/telemetry/recovery.ts';
import { send } from '../store/otlp-bytes.ts';
import { startTestStore, type TestStore } from '../store/test-store.ts';
import { createRig, record, toolCall, type Rig } from './fake-seams.ts';

let store: TestStore;
beforeAll(async () => {
  store = await startTestStore({ migrated: true });
});
afterAll(() => store.stop());

/** A column as canonical form v1 has it, in SQL. */
function textInSql(field: Field): string {
  switch (field.type) {
    case 'strings':
      return `arrayStringConcat(arrayMap(x -> concat(toString(length(x)), ':', x), ${field.column}))`;
    case 'datetime_ns':
      return `toString(toUnixTimestamp64Nano(${field.column}))`;
    case 'bool':
      return `toString(toUInt8(${field.column}))`;
    default:
      return `toString(${field.column})`;
  }
}

function recomputed(table: string, fields: readonly Field[]): string {
  const form = fields
    .filter((field) => field.chained)
    .map((field) => `concat(toString(length(${textInSql(field)})), ':', ${textInSql(field)})`)
    .join(', ');
  return `SELECT toUInt32(seq) AS seq, record_hash,
      lower(hex(SHA256(concat(lagInFrame(record_hash, 1, repeat('0', 64)) OVER (ORDER BY seq), '\n', ${form})))) AS recomputed
    FROM ${table} FINAL ORDER BY seq`;
}

async function ship(rig: Rig): Promise<void> {
  const frames = rig.spool.frames();
  for (const frame of frames) {
    if (frame.type !== 'record') continue;
    const target = frame.stream === 'metadata' ? store.store.otlp.metadata : store.store.otlp.payloads;
    const answer = await send(target, frame.stream === 'metadata' ? 'traces' : 'logs', Buffer.from(frame.bytes));
    expect(answer.status).toBe(200);
  }
}

const variants: readonly (readonly [start: Partial<CallStart>, end: Partial<CallEnd>])[] = [
  [{}, {}],
  [{ target: { type: 'tool', name: 'ümlaut "quoted" \\ <&> \u{1f600}\n' } }, {}],
  [
    { kind: 'attempt', serverKnown: false, method: '' },
    { outcome: 'denied', deniedBy: 'policy', policyRule: "it's" },
  ],
  [{ rpcId: '-9007199254740993' }, { outcome: 'rpc_error', errorType: '-32601', rpcErrorCode: -32601 }],
  [{ method: 'resources/read', target: { type: 'resource', name: 'file:///a%20b?x' } }, { ttfbMs: 0.000001 }],
  [{ kind: 'notification', method: 'notifications/progress', requestBody: Buffer.alloc(0), requestHeaders: [] }, {}],
  [{ caller: { userKey: '', keyName: '', teams: [], authMethod: 'none' } }, { httpStatus: 401, outcome: 'denied' }],
  [
    { caller: { userKey: 'k', keyName: 'k', teams: ['a,b', '"', '', '<>&', 'é'], authMethod: 'jwt' } },
    { upstreamMs: 3e9 },
  ],
  [{ clientAddress: '2001:db8::1', protocolVersion: '2026-07-28', parentCallId: 'p' }, { outcome: 'timeout' }],
  [{ requestBytes: 5_000_000_000 }, { response: { chunks: [], bytes: 80_000_000_000, format: 'sse' } }],
];

describe('the hash of a record', () => {
  it('is what ClickHouse computes from mcp.calls, for every kind of value', async () => {
    const rig = createRig();
    for (const [start, end] of variants) await record(rig, start, end);
    const cut = rig.observer.begin(toolCall());
    await recordInterrupted(
      rig.telemetry,
      rig.spool.intents().filter((intent) => intent.callId === cut.callId),
      rig.logger
    );
    await ship(rig);
    const rows = await store.rows<{ seq: number; record_hash: string; recomputed: string }>(
      recomputed('mcp.calls', CALL_FIELDS)
    );
    expect(rows.map((row) => row.seq)).toEqual(Array.from({ length: variants.length + 1 }, (_, i) => i + 1));
    expect(rows.filter((row) => row.record_hash !== row.recomputed)).toEqual([]);
    expect(rows.at(-1)?.record_hash).toBe(rig.spool.chain.head().hash);
  });

  it('is what ClickHouse computes from mcp.access_log', async () => {
    const rig = createRig();
    const recorder = createAccessRecorder({ telemetry: rig.telemetry, logger: rig.logger, clock: rig.clock });
    await recorder.record({
      action: 'payload.read',
      decision: 'allowed',
      actorKey: 'k',
      actorKind: 'grafana',
      roles: ['viewer', 'auditor'],
      rows: 1,
      bytes: 9e12,
      detail: { q: 'é"<' },
    });
    await recorder.record({
      action: 'authenticate',
      decision: 'refused',
      reason: 'unknown_token',
      actorKey: '',
      actorKind: 'none',
    });
    await ship(rig);
    const rows = await store.rows<{ record_hash: string; recomputed: string }>(
      recomputed('mcp.access_log', ACCESS_FIELDS)
    );
    expect(rows).toHaveLength(2);
    expect(rows.filter((row) => row.record_hash !== row.recomputed)).toEqual([]);
  });

  it('leads from the row to its sealed payload by the same start and id', async () => {
    const joined = await store.rows<{ direction: string; sealed: string; shown: string }>(
      `SELECT p.direction AS direction, p.sha256 AS sealed,
         if(p.direction = 'request', c.request_sha256, c.response_sha256) AS shown
       FROM mcp_protected.payload_events AS p INNER JOIN mcp.calls AS c USING (call_id, started_at)
       WHERE c.kind = 'request' AND p.sha256 != '' ORDER BY c.seq, direction`
    );
    expect(joined.length).toBeGreaterThan(10);
    expect(joined.filter((row) => row.sealed !== row.shown)).toEqual([]);
  });
});
