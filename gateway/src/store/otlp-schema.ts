/**
 * The part of OTLP 1.x (opentelemetry-proto: collector/trace/v1, collector/logs/v1) that the writer stores, as a
 * descriptor for protobufjs and as types. Unknown fields are skipped, as protobuf wants it. Decodes only.
 */
import protobuf from 'protobufjs/light.js';

/** 64-bit numbers as protobufjs gives them: they do not fit a JavaScript number. */
export interface Long64 {
  readonly low: number;
  readonly high: number;
  readonly unsigned: boolean;
}

export interface AnyValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: Long64;
  readonly doubleValue?: number;
  readonly arrayValue?: { readonly values?: readonly AnyValue[] };
  readonly kvlistValue?: { readonly values?: readonly KeyValue[] };
  readonly bytesValue?: Uint8Array;
}

export interface KeyValue {
  readonly key?: string;
  /** null when absent, as protobufjs has it for messages */
  readonly value?: AnyValue | null;
}

export interface Resource {
  readonly attributes?: readonly KeyValue[];
}

export interface Scope {
  readonly name?: string;
  readonly version?: string;
  readonly attributes?: readonly KeyValue[];
}

export interface SpanEvent {
  readonly timeUnixNano?: Long64;
  readonly name?: string;
  readonly attributes?: readonly KeyValue[];
}

export interface SpanLink {
  readonly traceId?: Uint8Array;
  readonly spanId?: Uint8Array;
  readonly traceState?: string;
  readonly attributes?: readonly KeyValue[];
}

export interface Span {
  readonly traceId?: Uint8Array;
  readonly spanId?: Uint8Array;
  readonly traceState?: string;
  readonly parentSpanId?: Uint8Array;
  readonly name?: string;
  readonly kind?: number;
  readonly startTimeUnixNano?: Long64;
  readonly endTimeUnixNano?: Long64;
  readonly attributes?: readonly KeyValue[];
  readonly events?: readonly SpanEvent[];
  readonly links?: readonly SpanLink[];
  readonly status?: { readonly message?: string; readonly code?: number } | null;
}

export interface TracesRequest {
  readonly resourceSpans?: readonly {
    readonly resource?: Resource | null;
    readonly scopeSpans?: readonly { readonly scope?: Scope | null; readonly spans?: readonly Span[] }[];
  }[];
}

export interface LogRecord {
  readonly timeUnixNano?: Long64;
  readonly observedTimeUnixNano?: Long64;
  readonly severityNumber?: number;
  readonly severityText?: string;
  readonly body?: AnyValue | null;
  readonly attributes?: readonly KeyValue[];
  readonly flags?: number;
  readonly traceId?: Uint8Array;
  readonly spanId?: Uint8Array;
  readonly eventName?: string;
}

export interface LogsRequest {
  readonly resourceLogs?: readonly {
    readonly resource?: Resource | null;
    readonly schemaUrl?: string;
    readonly scopeLogs?: readonly {
      readonly scope?: Scope | null;
      readonly schemaUrl?: string;
      readonly logRecords?: readonly LogRecord[];
    }[];
  }[];
}

interface FieldDescriptor {
  readonly id: number;
  readonly type: string;
  readonly rule?: 'repeated';
}

const one = (id: number, type: string): FieldDescriptor => ({ id, type });
const many = (id: number, type: string): FieldDescriptor => ({ id, type, rule: 'repeated' });

interface MessageDescriptor {
  readonly fields: Readonly<Record<string, FieldDescriptor>>;
  readonly oneofs?: Readonly<Record<string, { readonly oneof: readonly string[] }>>;
}

const MESSAGES: Readonly<Record<string, MessageDescriptor>> = {
  AnyValue: {
    // without it protobufjs would leave out `false`, `0` and `''`
    oneofs: {
      value: {
        oneof: ['stringValue', 'boolValue', 'intValue', 'doubleValue', 'arrayValue', 'kvlistValue', 'bytesValue'],
      },
    },
    fields: {
      stringValue: one(1, 'string'),
      boolValue: one(2, 'bool'),
      intValue: one(3, 'int64'),
      doubleValue: one(4, 'double'),
      arrayValue: one(5, 'ArrayValue'),
      kvlistValue: one(6, 'KeyValueList'),
      bytesValue: one(7, 'bytes'),
    },
  },
  ArrayValue: { fields: { values: many(1, 'AnyValue') } },
  KeyValueList: { fields: { values: many(1, 'KeyValue') } },
  KeyValue: { fields: { key: one(1, 'string'), value: one(2, 'AnyValue') } },
  Resource: { fields: { attributes: many(1, 'KeyValue') } },
  Scope: { fields: { name: one(1, 'string'), version: one(2, 'string'), attributes: many(3, 'KeyValue') } },
  SpanEvent: {
    fields: { timeUnixNano: one(1, 'fixed64'), name: one(2, 'string'), attributes: many(3, 'KeyValue') },
  },
  SpanLink: {
    fields: {
      traceId: one(1, 'bytes'),
      spanId: one(2, 'bytes'),
      traceState: one(3, 'string'),
      attributes: many(4, 'KeyValue'),
    },
  },
  Status: { fields: { message: one(2, 'string'), code: one(3, 'int32') } },
  Span: {
    fields: {
      traceId: one(1, 'bytes'),
      spanId: one(2, 'bytes'),
      traceState: one(3, 'string'),
      parentSpanId: one(4, 'bytes'),
      name: one(5, 'string'),
      kind: one(6, 'int32'),
      startTimeUnixNano: one(7, 'fixed64'),
      endTimeUnixNano: one(8, 'fixed64'),
      attributes: many(9, 'KeyValue'),
      events: many(11, 'SpanEvent'),
      links: many(13, 'SpanLink'),
      status: one(15, 'Status'),
    },
  },
  ScopeSpans: { fields: { scope: one(1, 'Scope'), spans: many(2, 'Span') } },
  ResourceSpans: { fields: { resource: one(1, 'Resource'), scopeSpans: many(2, 'ScopeSpans') } },
  TracesRequest: { fields: { resourceSpans: many(1, 'ResourceSpans') } },
  LogRecord: {
    fields: {
      timeUnixNano: one(1, 'fixed64'),
      severityNumber: one(2, 'int32'),
      severityText: one(3, 'string'),
      body: one(5, 'AnyValue'),
      attributes: many(6, 'KeyValue'),
      flags: one(8, 'fixed32'),
      traceId: one(9, 'bytes'),
      spanId: one(10, 'bytes'),
      observedTimeUnixNano: one(11, 'fixed64'),
      eventName: one(12, 'string'),
    },
  },
  ScopeLogs: { fields: { scope: one(1, 'Scope'), logRecords: many(2, 'LogRecord'), schemaUrl: one(3, 'string') } },
  ResourceLogs: {
    fields: { resource: one(1, 'Resource'), scopeLogs: many(2, 'ScopeLogs'), schemaUrl: one(3, 'string') },
  },
  LogsRequest: { fields: { resourceLogs: many(1, 'ResourceLogs') } },
};

export interface OtlpDecoder {
  /** @throws RangeError or Error on anything that is no such message */
  traces(bytes: Uint8Array): TracesRequest;
  logs(bytes: Uint8Array): LogsRequest;
}

export function createOtlpDecoder(): OtlpDecoder {
  const root = protobuf.Root.fromJSON({ nested: MESSAGES as protobuf.INamespace['nested'] & object });
  const traces = root.lookupType('TracesRequest');
  const logs = root.lookupType('LogsRequest');
  // protobufjs types decoded messages as bare Message; the descriptor above is what they are
  return {
    traces: (bytes) => traces.decode(bytes) as unknown as TracesRequest,
    logs: (bytes) => logs.decode(bytes) as unknown as LogsRequest,
  };
}
