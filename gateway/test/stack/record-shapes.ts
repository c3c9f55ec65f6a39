/**
 * Records of every shape, generated from record v1 (record/fields.ts): each table's attributes with usual, empty,
 * extreme and hostile values, and spans and events with each type that OTLP has. The same bytes go through the collector
 * and through the embedded writer; what the store then holds must not differ.
 */
import { SpanKind, SpanStatusCode, type AnyValue, type Attributes } from '@opentelemetry/api';
import {
  ACCESS_FIELDS,
  CALL_FIELDS,
  HEALTH_FIELDS,
  TOOL_CHANGE_FIELDS,
  type Field,
  type FieldType,
} from '../../src/record/fields.ts';
import {
  DATA_KEY_ATTRIBUTES,
  EVENT_DATA_KEY,
  EVENT_PAYLOAD_REQUEST,
  EVENT_PAYLOAD_RESPONSE,
  EVENT_PRINCIPAL,
  PAYLOAD_ATTRIBUTES,
  PRINCIPAL_ATTRIBUTES,
} from '../../src/record/payload-events.ts';
import { OUTCOMES, RECORD_KINDS, type RecordKind } from '../../src/record/vocabulary.ts';
import { TRACE_ID, type TestLog, type TestSpan } from '../store/otlp-bytes.ts';

/** End of 2089: a recorded request must not expire while it is tested, and no later time is taken as it is. */
const AT_NS = 3_786_825_600_123_456_789n;
const UNICODE = 'é 中 😀 "quoted" \\ \n\t\u0000\u0007\u2028 <&>';
const HOSTILE = `'); DROP TABLE mcp.calls; -- \${x} {y:String} \\' \``;

type Values = Readonly<Record<Exclude<FieldType, 'map' | 'datetime_ns' | 'datetime_ms'>, AnyValue>>;

const plain = (text: string, number: number, flag: boolean, list: string[]): Values => ({
  string: text,
  lowcard: text,
  uint8: number % 256,
  uint16: number % 65_536,
  uint32: number % 4_294_967_296,
  uint64: number,
  int32: -(number % 2_147_483_648),
  bool: flag,
  strings: list,
});

const VALUES: Readonly<Record<string, Values>> = {
  usual: plain('usual', 42, true, ['a', 'b']),
  empty: plain('', 0, false, []),
  unicode: plain(UNICODE, 255, false, [UNICODE, '']),
  extreme: plain(
    'x'.repeat(4000),
    Number.MAX_SAFE_INTEGER,
    true,
    Array.from({ length: 200 }, (_, n) => `t${n}`)
  ),
  hostile: plain(HOSTILE, 1, true, [HOSTILE, 'a,b', '"]']),
};

const TABLES: readonly (readonly [fields: readonly Field[], kind: RecordKind])[] = [
  [CALL_FIELDS, 'request'],
  [ACCESS_FIELDS, 'access'],
  [TOOL_CHANGE_FIELDS, 'catalog'],
  [HEALTH_FIELDS, 'health'],
];

function attributesOf(fields: readonly Field[], values: Values): Attributes {
  const attributes: Attributes = {};
  for (const { source, type } of fields) {
    if (source.includes(':')) continue;
    if (type !== 'map' && type !== 'datetime_ns' && type !== 'datetime_ms') attributes[source] = values[type];
  }
  return attributes;
}

function identity(id: string, kind: RecordKind, seq: number): Attributes {
  return {
    'gatelens.record.version': 1,
    'gatelens.kind': kind,
    'gatelens.chain.id': 'shapes',
    'gatelens.chain.seq': seq,
    'gatelens.chain.hash': seq.toString(16).padStart(64, '0'),
    'gatelens.call.id': id,
    // distinct, so that no row of health replaces another
    'gatelens.health.component': id,
  };
}

const context = (spanId: string) => ({ traceId: TRACE_ID, spanId, traceFlags: 1 });

/** Shapes of the span itself, on top of an ordinary call. */
const SPANS: Readonly<Record<string, TestSpan>> = {
  'no attribute besides': {},
  'text attributes': { attributes: { a: 'x', empty: '', long: 'é'.repeat(300) } },
  'integer attributes': { attributes: { zero: 0, negative: -7, large: Number.MAX_SAFE_INTEGER } },
  'double attributes': { attributes: { a: 1.5, tiny: 5e-324, small: 1e-7, huge: 1e21, max: Number.MAX_VALUE } },
  'doubles that are none': { attributes: { nan: Number.NaN, up: Infinity, down: -Infinity, nested: [Number.NaN] } },
  'boolean attributes': { attributes: { yes: true, no: false } },
  'array attributes': {
    attributes: { strings: ['a', 'b"c', '', UNICODE], numbers: [1, 2.5, -0], flags: [true], none: [] },
  },
  'map attributes': { attributes: { deep: { b: 1, a: { z: [1, 'two', { three: 3 }] }, é: null }, none: {} } },
  'byte attributes': { attributes: { bytes: Uint8Array.of(0, 1, 254, 255), none: new Uint8Array() } },
  'an attribute without a value': { attributes: { nothing: null } },
  'attributes with strange names': {
    attributes: { '': 'no name', __proto__x: 'p', 'a.b[c]="d"': 'e', [UNICODE]: 'u' },
  },
  'an attribute of a newer version': { attributes: { 'gatelens.record.version': 2, 'gatelens.future.thing': 'kept' } },
  'a hundred attributes': {
    attributes: Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`attribute.${n}`, `value ${n}`])),
  },
  'one link': { links: [{ context: context('00f067aa0ba902b7'), attributes: { l: 'x', n: 1 } }] },
  'links with and without attributes': {
    links: [
      { context: context('00f067aa0ba902b7') },
      { context: { ...context('00f067aa0ba902b8'), traceId: 'f'.repeat(32) }, attributes: { [UNICODE]: UNICODE } },
    ],
  },
  events: {
    events: [
      { name: 'first', time: [3_786_825_600, 1], attributes: { a: 1, b: [true] }, droppedAttributesCount: 0 },
      { name: '', time: [0, 0], droppedAttributesCount: 0 },
    ],
  },
  'a parent and another kind': { parentSpanId: 'b7ad6b7169203331', kind: SpanKind.CLIENT },
  'an error status': { status: { code: SpanStatusCode.ERROR, message: '-32603' } },
  'an ok status': { status: { code: SpanStatusCode.OK }, kind: SpanKind.INTERNAL },
  'no time at all': { durationNs: 0n },
  'a day': { durationNs: 86_400_000_000_001n },
  'a name of many words': { name: UNICODE },
};

const LARGE: Readonly<Record<string, TestSpan>> = {
  'an attribute of 256 KB': { attributes: { large: 'é😀x'.repeat(37_450) } },
};

/** @param large with those of 256 KB */
export function spanShapes(large: boolean): ReadonlyMap<string, TestSpan> {
  const shapes = new Map<string, TestSpan>();
  const add = (name: string, kind: RecordKind, span: TestSpan): void => {
    const seq = shapes.size + 1;
    const attributes = { ...identity(`call-${seq}`, kind, seq), ...span.attributes };
    shapes.set(name, {
      startNs: AT_NS + BigInt(seq),
      spanId: seq.toString(16).padStart(16, '0'),
      ...span,
      attributes,
    });
  };
  for (const [fields, kind] of TABLES) {
    for (const [name, values] of Object.entries(VALUES)) {
      const own = attributesOf(fields, values);
      // these say which record it is; add() has given them
      for (const key of Object.keys(identity('', kind, 0))) Reflect.deleteProperty(own, key);
      add(`${kind} with ${name} values`, kind, { attributes: own });
    }
  }
  for (const kind of RECORD_KINDS) add(`kind ${kind}`, kind, { attributes: {} });
  for (const outcome of OUTCOMES) {
    add(`outcome ${outcome}`, 'request', { attributes: { 'gatelens.outcome': outcome, 'gatelens.phase': 'closed' } });
  }
  for (const [name, span] of Object.entries({ ...SPANS, ...(large ? LARGE : {}) })) add(name, 'request', span);
  return shapes;
}

/** Protected events of every kind. Bodies are bytes, as the gateway sends them. */
export function eventShapes(large: boolean): ReadonlyMap<string, TestLog> {
  const shapes = new Map<string, TestLog>();
  const add = (name: string, log: TestLog): void => void shapes.set(name, { timeNs: AT_NS, ...log });
  const payload = (
    id: string,
    direction: 'request' | 'response',
    body: Uint8Array,
    extra: Attributes = {}
  ): TestLog => ({
    eventName: direction === 'request' ? EVENT_PAYLOAD_REQUEST : EVENT_PAYLOAD_RESPONSE,
    body,
    attributes: {
      [PAYLOAD_ATTRIBUTES.uid]: `${id}/${direction}`,
      [PAYLOAD_ATTRIBUTES.callId]: id,
      [PAYLOAD_ATTRIBUTES.direction]: direction,
      [PAYLOAD_ATTRIBUTES.startedAt]: String(AT_NS),
      [PAYLOAD_ATTRIBUTES.envelopeVersion]: 1,
      [PAYLOAD_ATTRIBUTES.bytes]: body.length,
      [PAYLOAD_ATTRIBUTES.truncated]: false,
      ...extra,
    },
  });
  const everyByte = Uint8Array.from({ length: 256 }, (_, n) => n);
  add('a request payload', payload('call-1', 'request', everyByte, { [PAYLOAD_ATTRIBUTES.server]: 'docs' }));
  add('a response payload', payload('call-1', 'response', everyByte, { [PAYLOAD_ATTRIBUTES.truncated]: true }));
  add('an empty payload', payload('call-2', 'request', new Uint8Array()));
  add('a payload with unknown attributes', payload('call-3', 'request', Uint8Array.of(1), { future: [UNICODE, 1] }));
  add('a payload of the demo', payload('call-4', 'request', Uint8Array.of(2), { [PAYLOAD_ATTRIBUTES.demo]: true }));
  if (large) {
    add(
      'a payload of 256 KB',
      payload(
        'call-5',
        'response',
        new Uint8Array(262_144).map((_, n) => (n * 31 + 7) % 256)
      )
    );
  }
  add('a data key', {
    eventName: EVENT_DATA_KEY,
    body: everyByte,
    attributes: {
      [DATA_KEY_ATTRIBUTES.keyId]: 'k1',
      [DATA_KEY_ATTRIBUTES.subject]: 's',
      [DATA_KEY_ATTRIBUTES.epoch]: '2026-11',
    },
  });
  add('a principal', {
    eventName: EVENT_PRINCIPAL,
    attributes: {
      [PRINCIPAL_ATTRIBUTES.userKey]: 'u1',
      [PRINCIPAL_ATTRIBUTES.email]: 'ana@example.com',
      [PRINCIPAL_ATTRIBUTES.name]: UNICODE,
    },
  });
  return shapes;
}

/** Every table that records reach, with what orders its rows; the time of arrival differs and is left out. */
const STORED: Readonly<Record<string, string>> = {
  'mcp.otel_traces': 'SpanId, Timestamp',
  'mcp.calls': 'call_id',
  'mcp.access_log': 'access_id',
  'mcp.tool_changes': 'change_id',
  'mcp.health': 'component',
  'mcp.chain': 'seq, record_hash',
  'mcp.checkpoints': 'seq, record_hash',
  'mcp_protected.payload_events': 'call_id, direction',
  'mcp_protected.data_keys': 'key_id',
  'mcp_protected.principals': 'user_key',
};

export type StoredTables = Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;

/** @param rows runs a query; all columns of all tables, as the store answers them */
export async function storedTables(
  rows: (query: string) => Promise<Readonly<Record<string, unknown>>[]>
): Promise<StoredTables> {
  const tables: Record<string, Readonly<Record<string, unknown>>[]> = {};
  for (const [table, order] of Object.entries(STORED)) {
    const found = await rows(`SELECT * FROM ${table} FINAL ORDER BY ${order}`);
    tables[table] = found.map((row) =>
      Object.fromEntries(Object.entries(row).filter(([name]) => name !== 'ingested_at'))
    );
  }
  return tables;
}
