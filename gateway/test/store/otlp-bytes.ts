/**
 * OTLP requests as bytes, by OpenTelemetry's own serialisers: an independent view of what the writer decodes.
 */
import {
  type AnyValue,
  type Attributes,
  SeverityNumber,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
} from '@opentelemetry/api';
import { ProtobufLogsSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';

export const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const resource = resourceFromAttributes({ 'service.name': 'gatelens', 'service.version': '1.2.3' });
const instrumentationScope = { name: 'gatelens', version: '0.1.0' };

function hrTime(ns: bigint): [number, number] {
  return [Number(ns / 1_000_000_000n), Number(ns % 1_000_000_000n)];
}

export interface TestSpan {
  readonly spanId?: string;
  readonly traceId?: string;
  readonly parentSpanId?: string;
  readonly name?: string;
  readonly kind?: SpanKind;
  readonly startNs?: bigint;
  readonly durationNs?: bigint;
  readonly attributes?: Attributes;
  readonly status?: ReadableSpan['status'];
  readonly events?: ReadableSpan['events'];
  readonly links?: ReadableSpan['links'];
}

/** a minute ago, with nanoseconds: the landing table keeps three days only */
export const START_NS = BigInt(Date.now() - 60_000) * 1_000_000n + 456_789n;

function readableSpan(span: TestSpan): ReadableSpan {
  const startNs = span.startNs ?? START_NS;
  const durationNs = span.durationNs ?? 5_000_000n;
  const traceId = span.traceId ?? TRACE_ID;
  const context = (spanId: string) => ({ traceId, spanId, traceFlags: TraceFlags.SAMPLED });
  return {
    name: span.name ?? 'tools/call echo',
    kind: span.kind ?? SpanKind.SERVER,
    spanContext: () => context(span.spanId ?? 'b7ad6b7169203331'),
    ...(span.parentSpanId === undefined ? {} : { parentSpanContext: context(span.parentSpanId) }),
    startTime: hrTime(startNs),
    endTime: hrTime(startNs + durationNs),
    status: span.status ?? { code: SpanStatusCode.UNSET },
    attributes: span.attributes ?? {},
    links: span.links ?? [],
    events: span.events ?? [],
    duration: hrTime(durationNs),
    ended: true,
    resource,
    instrumentationScope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

export function tracesBytes(spans: readonly TestSpan[]): Buffer {
  return bytesOf(ProtobufTraceSerializer.serializeRequest(spans.map(readableSpan)));
}

export interface TestLog {
  readonly eventName: string;
  readonly body?: AnyValue;
  readonly attributes?: Attributes;
  readonly timeNs?: bigint;
}

export function logsBytes(logs: readonly TestLog[]): Buffer {
  const records = logs.map((log): ReadableLogRecord => ({
    hrTime: hrTime(log.timeNs ?? START_NS),
    hrTimeObserved: hrTime(START_NS + 1n),
    spanContext: { traceId: TRACE_ID, spanId: 'b7ad6b7169203331', traceFlags: TraceFlags.SAMPLED },
    severityText: 'INFO',
    severityNumber: SeverityNumber.INFO,
    eventName: log.eventName,
    ...(log.body === undefined ? {} : { body: log.body }),
    resource,
    instrumentationScope,
    attributes: log.attributes ?? {},
    droppedAttributesCount: 0,
  }));
  return bytesOf(ProtobufLogsSerializer.serializeRequest(records));
}

function bytesOf(bytes: Uint8Array | undefined): Buffer {
  if (bytes === undefined) throw new TypeError('not serialised');
  return Buffer.from(bytes);
}

/** As the shipper does: protobuf messages one after the other are one message. */
export function merged(...requests: readonly Buffer[]): Buffer {
  return Buffer.concat(requests);
}

export interface SendTo {
  readonly url: string;
  readonly token: string;
}

export async function send(
  to: SendTo,
  signal: 'traces' | 'logs',
  body: Buffer,
  headers: Record<string, string> = {}
): Promise<{ status: number; body: Buffer }> {
  const response = await fetch(`${to.url}/v1/${signal}`, {
    method: 'POST',
    body: new Uint8Array(body),
    headers: { authorization: `Bearer ${to.token}`, 'content-type': 'application/x-protobuf', ...headers },
  });
  return { status: response.status, body: Buffer.from(await response.arrayBuffer()) };
}
