import {
  ROOT_CONTEXT,
  SeverityNumber,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type TraceState,
} from '@opentelemetry/api';
import { ProtobufLogsSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { LoggerProvider, type ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { AlwaysOnSampler, TracerProvider, type ReadableSpan } from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import { AttributeNames, AttributeRow, type AttributeValue } from './attribute-row.ts';
import { OtlpEncoder } from './otlp-encoder.ts';

const resource = resourceFromAttributes({ 'service.name': 'gatelens', 'service.version': '0.1.0' });
const spans: ReadableSpan[] = [];
const logs: ReadableLogRecord[] = [];
const quiet = { forceFlush: () => Promise.resolve(), shutdown: () => Promise.resolve() };
const tracer = new TracerProvider({
  resource,
  sampler: new AlwaysOnSampler(),
  spanProcessors: [{ ...quiet, onStart: () => undefined, onEnd: (span) => spans.push(span) }],
}).getTracer('gatelens', '0.1.0');
const logger = new LoggerProvider({
  resource,
  processors: [{ ...quiet, onEmit: (record) => logs.push(record) }],
}).getLogger('gatelens');

const KINDS = [SpanKind.INTERNAL, SpanKind.SERVER, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER];

const traceState: TraceState = {
  serialize: () => 'v=1',
  get: () => undefined,
  set: () => traceState,
  unset: () => traceState,
};

interface Made {
  readonly name?: string;
  readonly kind?: SpanKind;
  readonly attributes?: Attributes;
  readonly parent?: { readonly isRemote: boolean; readonly traceFlags: number };
  readonly linked?: boolean;
  readonly error?: string;
  readonly start?: [number, number];
}

function made({
  name = 'tools/call',
  kind = SpanKind.SERVER,
  attributes = {},
  parent,
  linked,
  error,
  start,
}: Made): ReadableSpan {
  const spanContext = { traceId: 'a0'.repeat(16), spanId: '0f'.repeat(8), traceState };
  const context =
    parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, { ...spanContext, ...parent });
  const links =
    linked === true
      ? [{ context: { traceId: 'ff'.repeat(16), spanId: '01'.repeat(8), traceFlags: 1, isRemote: true } }]
      : [];
  const startTime = start ?? [1_795_521_600, 123_456_789];
  const span = tracer.startSpan(name, { kind, attributes, startTime, links }, context);
  if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
  span.end([startTime[0] + 1, 999_999_999]);
  const ended = spans.pop();
  if (ended === undefined) throw new Error('no span ended');
  return ended;
}

const library = (list: ReadableSpan[]): string => hex(ProtobufTraceSerializer.serializeRequest(list));
const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');

const texts = [
  '',
  'x',
  'é',
  '\u{1f600}'.repeat(20),
  'x'.repeat(63),
  'x'.repeat(64),
  'x'.repeat(65),
  `${'x'.repeat(63)}é`,
  'x'.repeat(20_000),
];
const numbers = [0, 1, 127, 128, 16_383, 16_384, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 5, Number.MAX_SAFE_INTEGER];

describe('OtlpEncoder gives the bytes of the official serializer', () => {
  const cases: readonly (readonly [what: string, spans: readonly Made[]])[] = [
    ['a bare span', [{}]],
    ['every kind', KINDS.map((kind) => ({ kind }))],
    ['texts', texts.map((text) => ({ name: text, attributes: { [`k${text.slice(0, 300)}`]: text } }))],
    ['numbers', [{ attributes: Object.fromEntries(numbers.map((number) => [`n${number}`, number])) }]],
    [
      'booleans and lists',
      [{ attributes: { yes: true, no: false, list: ['a', 'é', ''], none: [], mixed: ['a', 1, true] } }],
    ],
    [
      'parents',
      [true, false].flatMap((isRemote) => [0, 1].map((traceFlags) => ({ parent: { isRemote, traceFlags } }))),
    ],
    [
      'links and errors',
      [
        { linked: true, error: '' },
        { linked: true, error: 'text', parent: { isRemote: true, traceFlags: 1 } },
      ],
    ],
    [
      'times',
      [
        [0, 0],
        [1, 1],
        [4_294_967_295, 999_999_999],
        [1_795_521_600, 1],
      ].map((start) => ({ start: start as [number, number] })),
    ],
  ];
  it.each(cases)('%s', (_what, list) => {
    const encoder = new OtlpEncoder();
    const all = list.map(made);
    expect(hex(encoder.spans(all))).toBe(library(all));
    for (const one of all) expect(hex(encoder.spans([one]))).toBe(library([one]));
  });

  it('random spans, many of them with one encoder', () => {
    const encoder = new OtlpEncoder();
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed % below;
    };
    for (let i = 0; i < 300; i += 1) {
      const attributes: Attributes = {};
      for (let n = random(50); n > 0; n -= 1) {
        attributes[`attribute.${random(1000)}`] = [
          texts[random(8)],
          numbers[random(11)],
          random(2) === 1,
          [texts[random(4)]],
        ][random(4)];
      }
      const all = Array.from({ length: 1 + random(3) }, () =>
        made({ attributes, linked: random(2) === 1, kind: KINDS[random(5)] ?? SpanKind.SERVER })
      );
      expect(hex(encoder.spans(all))).toBe(library(all));
    }
  });

  it('log records', () => {
    const context = trace.setSpanContext(ROOT_CONTEXT, {
      traceId: 'ab'.repeat(16),
      spanId: 'cd'.repeat(8),
      traceFlags: 1,
    });
    const unsampled = trace.setSpanContext(ROOT_CONTEXT, {
      traceId: 'ab'.repeat(16),
      spanId: 'cd'.repeat(8),
      traceFlags: 0,
    });
    for (const size of [0, 1, 127, 128, 20_000, 300_000]) {
      logger.emit({
        eventName: 'gatelens.payload.request',
        body: Buffer.alloc(size, 0xff),
        attributes: { size },
        context,
      });
      logger.emit({
        attributes: { a: 'é', b: false },
        timestamp: [5, 6],
        observedTimestamp: [7, 8],
        context: unsampled,
      });
      logger.emit({ eventName: 'x', context: ROOT_CONTEXT });
    }
    const encoder = new OtlpEncoder();
    expect(hex(encoder.logs(logs))).toBe(hex(ProtobufLogsSerializer.serializeRequest(logs)));
    for (const one of logs.splice(0))
      expect(hex(encoder.logs([one]))).toBe(hex(ProtobufLogsSerializer.serializeRequest([one])));
  });
});

describe('OtlpEncoder', () => {
  it.each([
    ['a double', { a: 1.5 }],
    ['a negative number', { a: -1 }],
    ['bytes', { a: new Uint8Array(1) }],
    ['a map', { a: { b: 1 } }],
    ['null', { a: null }],
  ])('leaves %s to the library', (_what, attributes) => {
    expect(new OtlpEncoder().spans([made({ attributes })])).toBeUndefined();
  });

  it('leaves events, severities and texts as bodies to the library', () => {
    const span = tracer.startSpan('x', {}, ROOT_CONTEXT);
    span.addEvent('e');
    span.end();
    expect(new OtlpEncoder().spans(spans.splice(0))).toBeUndefined();
    logger.emit({ body: 'text' });
    logger.emit({ severityNumber: SeverityNumber.INFO });
    const encoder = new OtlpEncoder();
    for (const log of logs.splice(0)) expect(encoder.logs([log])).toBeUndefined();
  });

  it('hands out bytes that later requests do not touch', () => {
    const encoder = new OtlpEncoder();
    const first = encoder.spans([made({ name: 'first' })]);
    const before = hex(first);
    for (let i = 0; i < 500; i += 1) encoder.spans([made({ name: `later ${i}`, attributes: { a: 'x'.repeat(500) } })]);
    expect(hex(first)).toBe(before);
  });
});

describe('OtlpEncoder of rows', () => {
  const names = ['k', 'gatelens.call.id', 'a'.repeat(60), 'a'.repeat(127)];
  const fixed = new AttributeNames(names, names.slice(0, 3));
  const row = (values: readonly (AttributeValue | undefined)[]): AttributeRow => new AttributeRow(fixed, [...values]);
  const withRow = (attributes: AttributeRow): ReadableSpan =>
    Object.create(made({}), { attributes: { value: attributes } }) as ReadableSpan;
  const values: readonly (AttributeValue | undefined)[] = [
    undefined,
    ...texts,
    ...numbers,
    ...[59, 60, 61, 62, 105, 106, 107, 108, 121, 122, 123, 124].map((length) => 'y'.repeat(length)),
    'é'.repeat(30),
    `${'x'.repeat(50)}é`,
    true,
    false,
    ['a', 'é'],
  ];

  it('gives the bytes that the same attributes by name have, new or repeated', () => {
    const encoder = new OtlpEncoder();
    for (const value of [...values, ...values.flatMap((one) => [one, one])]) {
      for (let at = 0; at < names.length; at += 1) {
        const attributes = row(names.map((_, index) => (index === at ? value : values[(index * 7) % 5])));
        const plain = made({ attributes: attributes.toObject() });
        const same = Object.create(plain, { attributes: { value: attributes } }) as ReadableSpan;
        expect(hex(encoder.spans([same]))).toBe(library([plain]));
      }
    }
  });

  it.each([-1, 1.5])('leaves %d to the library', (value) => {
    expect(new OtlpEncoder().spans([withRow(row([value]))])).toBeUndefined();
  });

  it('knows no name that is not in the list', () => {
    expect(() => new AttributeNames(['a'], ['b'])).toThrow(TypeError);
    expect(() => fixed.position('b')).toThrow(TypeError);
  });
});
