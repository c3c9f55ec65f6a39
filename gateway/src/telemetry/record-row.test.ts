import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createRig, record, success, toolCall, type Rig } from '../../test/telemetry/fake-seams.ts';
import { CALL_FIELDS } from '../record/fields.ts';
import { recordRow } from './record-row.ts';

const SERVER = 2;

describe('the chain', () => {
  it('covers exactly what the store will see: a second implementation computes the same hashes', async () => {
    const rig = createRig();
    await record(rig, { rpcId: '"a"' });
    rig.clock.wall -= 7_200_000;
    await record(rig, {
      target: { type: 'tool', name: 'ümlaut "quoted" \u{1f600}' },
      session: { id: 'x', kind: 'connection' },
    });
    await record(
      rig,
      { kind: 'attempt' },
      { outcome: 'rpc_error', errorType: '-32700', rpcErrorCode: -32700, httpStatus: 400 }
    );
    let previous = '0'.repeat(64);
    let seq = 0;
    for (const span of rig.spool.spans().filter((one) => one.kind === SERVER)) {
      seq += 1;
      const hash = hashOfRow(previous, columnsOf(span));
      expect(span.attributes['gatelens.chain.seq']).toBe(seq);
      expect(span.attributes['gatelens.chain.hash']).toBe(hash);
      previous = hash;
    }
    expect(seq).toBe(3);
    expect(
      rig.spool
        .records()
        .map((frame) => frame.link?.hash)
        .at(-1)
    ).toBe(previous);
  });

  it('orders records when the clock is set back, and their durations do not suffer', async () => {
    const rig = createRig();
    const first = await record(rig);
    const call = rig.observer.begin(toolCall());
    rig.clock.wall -= 3_600_000;
    rig.clock.pass(5);
    await call.end(success);
    const later = await record(rig);
    const servers = rig.spool.spans().filter((span) => span.kind === SERVER);
    expect(servers.map((span) => span.attributes['gatelens.chain.seq'])).toEqual([1, 2, 3]);
    expect(servers[1] && servers[1].endNs - servers[1].startNs).toBe(5_000_000n);
    expect((servers[2]?.startNs ?? 0n) < (servers[0]?.startNs ?? 0n)).toBe(true);
    expect(later > first).toBe(true);
  });

  it('does not advance by what the disk did not take', async () => {
    const rig = createRig();
    await record(rig);
    rig.spool.fail();
    await expect(rig.observer.begin(toolCall()).end(success)).rejects.toThrow();
    rig.spool.failure = undefined;
    await record(rig);
    const servers = rig.spool.spans().filter((span) => span.kind === SERVER);
    expect(servers.map((span) => span.attributes['gatelens.chain.seq'])).toEqual([1, 2]);
  });
});

/** Column → text as ClickHouse would print it, written without a look at record-row.ts. */
function columnsOf(span: ReturnType<Rig['spool']['spans']>[number]): Map<string, string | string[]> {
  const columns = new Map<string, string | string[]>();
  for (const field of CALL_FIELDS) {
    if (!field.chained) continue;
    const attribute = span.attributes[field.source];
    const number = /^(u?int\d+|bool|datetime_ns)$/.test(field.type);
    const text = attribute === undefined ? (number ? '0' : '') : String(attribute);
    const special: Record<string, string> = {
      'span:start': span.startNs.toString(),
      'span:duration': (span.endNs - span.startNs).toString(),
      'span:trace_id': span.traceId,
      'span:span_id': span.spanId,
    };
    if (field.type === 'strings') columns.set(field.column, Array.isArray(attribute) ? attribute.map(String) : []);
    else columns.set(field.column, special[field.source] ?? (text === 'true' ? '1' : text));
  }
  return columns;
}

function hashOfRow(previous: string, columns: Map<string, string | string[]>): string {
  const prefixed = (text: string): string => `${new TextEncoder().encode(text).length}:${text}`;
  const form = [...columns.values()]
    .map((one) => prefixed(typeof one === 'string' ? one : one.map(prefixed).join('')))
    .join('');
  return createHash('sha256').update(`${previous}\n${form}`).digest('hex');
}

describe('recordRow', () => {
  it('names each chained column, typed as the store types it', () => {
    const row = recordRow({
      attributes: {
        'gatelens.kind': 'request',
        'gatelens.demo': true,
        'gatelens.user.teams': ['a'],
        'rpc.response.status_code': '-32601',
      },
      startTime: [1_795_521_600, 5],
      endTime: [1_795_521_601, 4],
      spanContext: () => ({ traceId: 't', spanId: 's' }),
    });
    expect(Object.keys(row)).toEqual(
      CALL_FIELDS.filter((field) => field.chained || field.column === 'record_hash').map((field) => field.column)
    );
    expect(row).toMatchObject({
      started_at: 1_795_521_600_000_000_005n,
      duration: 999_999_999n,
      demo: true,
      teams: ['a'],
      error_code: -32601,
      http_status: undefined,
    });
  });

  it.each([
    ['upstream_attempts', 'gatelens.upstream.attempts', 256, 0],
    ['http_status', 'http.response.status_code', 'abc', 0],
    ['error_code', 'rpc.response.status_code', '99999999999', 0],
    ['request_bytes', 'gatelens.request.bytes', -1, 0],
  ])('reads %s as OrZero does', (column, attribute, value, expected) => {
    const row = recordRow({
      attributes: { [attribute]: value },
      startTime: [1, 0],
      endTime: [1, 0],
      spanContext: () => ({ traceId: 't', spanId: 's' }),
    });
    expect(row[column]).toBe(expected);
  });
});
