import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { ProtobufLogsSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { LoggerProvider, type ReadableLogRecord } from '@opentelemetry/sdk-logs';
import {
  AlwaysOnSampler,
  ParentBasedSampler,
  TracerProvider,
  createAlwaysRecordSampler,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import { caller, createRig, record } from '../../test/telemetry/fake-seams.ts';
import type { CallEnd, CallStart } from '../mcp/observer.ts';
import { attributeObject, AttributeNames } from './attribute-row.ts';

const quiet = { forceFlush: () => Promise.resolve(), shutdown: () => Promise.resolve() };
const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');

/** The spans as the SDK makes them when it is given the attributes in its own way. */
function madeBySdk(spans: readonly ReadableSpan[]): ReadableSpan[] {
  const made: ReadableSpan[] = [];
  let id = { traceId: '', spanId: '' };
  const [first] = spans;
  const tracer = new TracerProvider({
    ...(first === undefined ? {} : { resource: first.resource }),
    idGenerator: { generateTraceId: () => id.traceId, generateSpanId: () => id.spanId },
    sampler: createAlwaysRecordSampler(new ParentBasedSampler({ root: new AlwaysOnSampler() })),
    spanProcessors: [{ ...quiet, onStart: () => undefined, onEnd: (ended) => made.push(ended) }],
  }).getTracer('gatelens', '0.1.0');
  for (const span of spans) {
    id = span.spanContext();
    const parent = span.parentSpanContext;
    const own = tracer.startSpan(
      span.name,
      { kind: span.kind, startTime: span.startTime, links: span.links },
      parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent)
    );
    own.setAttributes(attributeObject(span.attributes));
    own.setStatus(span.status);
    own.end(span.endTime);
  }
  return made;
}

const traceparent = (flags: string) => ({ traceparent: `00-${'a'.repeat(32)}-${'1'.repeat(16)}-${flags}` });

const calls: readonly (readonly [what: string, start: Partial<CallStart>, end: Partial<CallEnd>])[] = [
  ['a call', {}, {}],
  ['a call in a trace', { metaTrace: traceparent('01') }, {}],
  ['a call in a trace that is not sampled', { metaTrace: traceparent('00') }, {}],
  ['a call in two traces', { metaTrace: traceparent('01'), httpTrace: { ...traceparent('01') } }, {}],
  ['an error', {}, { outcome: 'rpc_error', rpcErrorCode: -32603, errorType: '-32603' }],
  ['a refusal', { kind: 'attempt' }, { outcome: 'denied', deniedBy: 'policy', httpStatus: 403 }],
  ['an anonymous call', { caller: { ...caller, userKey: '', teams: [] } }, { response: undefined as never }],
  ['a notification', { kind: 'notification', method: 'notifications/initialized', target: undefined as never }, {}],
];

describe('spans that got their attributes by position', () => {
  it.each(calls)('are, as bytes, what SDK and official serializer make of %s', async (_what, start, end) => {
    const ended: ReadableSpan[] = [];
    const watch = { ...quiet, onStart: () => undefined, onEnd: (span: ReadableSpan) => ended.push(span) };
    const rig = createRig({ mirrors: { spanProcessors: [watch], stats: () => [], close: () => Promise.resolve() } });
    await record(rig, start, end);
    const [frame, ...more] = rig.spool.records();
    expect(more).toEqual([]);
    expect(ended.length).toBeGreaterThan(0);
    expect(hex(frame?.bytes)).toBe(hex(ProtobufTraceSerializer.serializeRequest(madeBySdk(ended))));
  });
});

describe('events that got their attributes by position', () => {
  it('are, as bytes, what SDK and official serializer make of them', () => {
    const rig = createRig();
    const names = new AttributeNames(['gatelens.a', 'gatelens.b', 'gatelens.c', 'gatelens.d'], ['gatelens.a']);
    const context = trace.setSpanContext(ROOT_CONTEXT, {
      traceId: 'ab'.repeat(16),
      spanId: 'cd'.repeat(8),
      traceFlags: 1,
    });
    const made: ReadableLogRecord[] = [];
    const resource = resourceFromAttributes({
      'service.name': 'gatelens',
      'service.instance.id': 'gw-test',
      'service.version': '0.1.0',
    });
    const own = new LoggerProvider({
      resource,
      processors: [{ ...quiet, onEmit: (one) => made.push(one) }],
    }).getLogger('gatelens', '0.1.0');
    const frames = rig.telemetry.collect({ startedAtNs: 1n, settles: false }, () => {
      for (const text of ['x', 'x', 'y'.repeat(500)]) {
        const row = names.row();
        row.values.splice(0, 4, text, 7, undefined, true);
        const event = { eventName: 'gatelens.payload.request', body: Buffer.from(text) };
        rig.telemetry.emit(event, row, [1_795_521_600, 5], context);
        const stamp = { timestamp: [1_795_521_600, 5], observedTimestamp: [1_795_521_600, 5] } as const;
        own.emit({ ...event, attributes: row.toObject(), context, ...(stamp as object) });
      }
    });
    expect(frames).toHaveLength(1);
    expect(hex(frames[0]?.bytes)).toBe(hex(ProtobufLogsSerializer.serializeRequest(made)));
  });
});
