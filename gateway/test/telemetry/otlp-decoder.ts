/**
 * Decodes OTLP export requests for assertions: a hand-written schema of the parts of opentelemetry-proto 1.x that the
 * record uses, so that a mistake of the serializer would show as a difference and not decode itself away.
 */
import protobuf from 'protobufjs';

const { root } = protobuf.parse(`
syntax = "proto3";
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4;
  ArrayValue array_value = 5; bytes bytes_value = 7; } }
message ArrayValue { repeated AnyValue values = 1; }
message KeyValue { string key = 1; AnyValue value = 2; }
message Resource { repeated KeyValue attributes = 1; }
message Scope { string name = 1; string version = 2; }
message Link { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; repeated KeyValue attributes = 4; fixed32 flags = 6; }
message Status { string message = 2; uint32 code = 3; }
message Span { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5; uint32 kind = 6;
  fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9; repeated Link links = 13;
  Status status = 15; fixed32 flags = 16; }
message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message TraceRequest { repeated ResourceSpans resource_spans = 1; }
message LogRecord { fixed64 time_unix_nano = 1; AnyValue body = 5; repeated KeyValue attributes = 6; fixed32 flags = 8;
  bytes trace_id = 9; bytes span_id = 10; string event_name = 12; }
message ScopeLogs { Scope scope = 1; repeated LogRecord log_records = 2; }
message ResourceLogs { Resource resource = 1; repeated ScopeLogs scope_logs = 2; }
message LogsRequest { repeated ResourceLogs resource_logs = 1; }
`);

interface RawAny {
  stringValue?: string;
  boolValue?: boolean;
  intValue?: string;
  doubleValue?: number;
  arrayValue?: { values?: RawAny[] };
  bytesValue?: Uint8Array;
}
interface RawKeyValue {
  key: string;
  value?: RawAny;
}

export type Decoded = string | number | boolean | Uint8Array | Decoded[] | undefined;

export interface DecodedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly name: string;
  /** 1 internal, 2 server, 3 client */
  readonly kind: number;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: Record<string, Decoded>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly statusCode: number;
  readonly statusMessage: string;
  readonly sampled: boolean;
  readonly resource: Record<string, Decoded>;
}

export interface DecodedLog {
  readonly eventName: string;
  readonly timeNs: bigint;
  readonly body: Decoded;
  readonly attributes: Record<string, Decoded>;
  readonly traceId: string;
  readonly spanId: string;
}

function decode(type: string, bytes: Uint8Array): Record<string, unknown> {
  const message = root.lookupType(type);
  return message.toObject(message.decode(bytes), { longs: String, defaults: false });
}

function any(value: RawAny | undefined): Decoded {
  if (value === undefined) return undefined;
  if (value.intValue !== undefined) return Number(value.intValue);
  if (value.arrayValue !== undefined) return (value.arrayValue.values ?? []).map(any);
  return value.stringValue ?? value.boolValue ?? value.doubleValue ?? value.bytesValue;
}

function attributes(list: RawKeyValue[] | undefined): Record<string, Decoded> {
  return Object.fromEntries((list ?? []).map(({ key, value }) => [key, any(value)]));
}

function hex(bytes: unknown): string {
  return bytes instanceof Uint8Array ? Buffer.from(bytes).toString('hex') : '';
}

interface RawSpan {
  traceId: Uint8Array;
  spanId: Uint8Array;
  parentSpanId?: Uint8Array;
  traceState?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes?: RawKeyValue[];
  links?: { traceId: Uint8Array; spanId: Uint8Array }[];
  status?: { code?: number; message?: string };
  flags?: number;
}

export function decodeSpans(bytes: Uint8Array): DecodedSpan[] {
  const request = decode('TraceRequest', bytes) as {
    resourceSpans?: { resource?: { attributes?: RawKeyValue[] }; scopeSpans?: { spans?: RawSpan[] }[] }[];
  };
  return (request.resourceSpans ?? []).flatMap((resource) =>
    (resource.scopeSpans ?? []).flatMap((scope) =>
      (scope.spans ?? []).map((span) => ({
        traceId: hex(span.traceId),
        spanId: hex(span.spanId),
        parentSpanId: hex(span.parentSpanId),
        traceState: span.traceState ?? '',
        name: span.name,
        kind: span.kind,
        startNs: BigInt(span.startTimeUnixNano),
        endNs: BigInt(span.endTimeUnixNano),
        attributes: attributes(span.attributes),
        links: (span.links ?? []).map((link) => ({ traceId: hex(link.traceId), spanId: hex(link.spanId) })),
        statusCode: span.status?.code ?? 0,
        statusMessage: span.status?.message ?? '',
        sampled: ((span.flags ?? 0) & 1) === 1,
        resource: attributes(resource.resource?.attributes),
      }))
    )
  );
}

interface RawLog {
  timeUnixNano: string;
  body?: RawAny;
  attributes?: RawKeyValue[];
  traceId?: Uint8Array;
  spanId?: Uint8Array;
  eventName?: string;
}

export function decodeLogs(bytes: Uint8Array): DecodedLog[] {
  const request = decode('LogsRequest', bytes) as {
    resourceLogs?: { scopeLogs?: { logRecords?: RawLog[] }[] }[];
  };
  return (request.resourceLogs ?? []).flatMap((resource) =>
    (resource.scopeLogs ?? []).flatMap((scope) =>
      (scope.logRecords ?? []).map((log) => ({
        eventName: log.eventName ?? '',
        timeNs: BigInt(log.timeUnixNano),
        body: any(log.body),
        attributes: attributes(log.attributes),
        traceId: hex(log.traceId),
        spanId: hex(log.spanId),
      }))
    )
  );
}
