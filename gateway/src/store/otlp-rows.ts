/**
 * Rows of the landing tables (provisioning/clickhouse/0001) from decoded OTLP requests: what the collector's clickhouse
 * exporter inserts for the same bytes. Pure; the insert is otlp-writer.ts.
 */
import type { LogsRequest, Scope, Span, TracesRequest } from './otlp-schema.ts';
import { attributeMap, toBigInt, toHex, toTimestamp, valueText } from './otlp-values.ts';

export type Row = Readonly<Record<string, unknown>>;

const SPAN_KINDS = ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'];
const STATUS_CODES = ['Unset', 'Ok', 'Error'];

function serviceName(attributes: Record<string, string>): string {
  return attributes['service.name'] ?? '';
}

/** A clock set back between start and end gives 0, not eighteen quintillion. */
function durationNs(span: Span): string {
  const ns = toBigInt(span.endTimeUnixNano) - toBigInt(span.startTimeUnixNano);
  return String(ns > 0n ? ns : 0n);
}

function spanRow(span: Span, resource: Record<string, string>, scope: Scope | null | undefined): Row {
  const events = span.events ?? [];
  const links = span.links ?? [];
  return {
    Timestamp: toTimestamp(span.startTimeUnixNano),
    TraceId: toHex(span.traceId),
    SpanId: toHex(span.spanId),
    ParentSpanId: toHex(span.parentSpanId),
    TraceState: span.traceState ?? '',
    SpanName: span.name ?? '',
    SpanKind: SPAN_KINDS[span.kind ?? 0] ?? '',
    ServiceName: serviceName(resource),
    ResourceAttributes: resource,
    ScopeName: scope?.name ?? '',
    ScopeVersion: scope?.version ?? '',
    SpanAttributes: attributeMap(span.attributes),
    Duration: durationNs(span),
    StatusCode: STATUS_CODES[span.status?.code ?? 0] ?? '',
    StatusMessage: span.status?.message ?? '',
    'Events.Timestamp': events.map((event) => toTimestamp(event.timeUnixNano)),
    'Events.Name': events.map((event) => event.name ?? ''),
    'Events.Attributes': events.map((event) => attributeMap(event.attributes)),
    'Links.TraceId': links.map((link) => toHex(link.traceId)),
    'Links.SpanId': links.map((link) => toHex(link.spanId)),
    'Links.TraceState': links.map((link) => link.traceState ?? ''),
    'Links.Attributes': links.map((link) => attributeMap(link.attributes)),
  };
}

export function traceRows(request: TracesRequest): Row[] {
  const rows: Row[] = [];
  for (const { resource, scopeSpans } of request.resourceSpans ?? []) {
    const attributes = attributeMap(resource?.attributes);
    for (const { scope, spans } of scopeSpans ?? []) {
      for (const span of spans ?? []) rows.push(spanRow(span, attributes, scope));
    }
  }
  return rows;
}

export function logRows(request: LogsRequest): Row[] {
  const rows: Row[] = [];
  for (const { resource, schemaUrl, scopeLogs } of request.resourceLogs ?? []) {
    const attributes = attributeMap(resource?.attributes);
    for (const { scope, schemaUrl: scopeSchemaUrl, logRecords } of scopeLogs ?? []) {
      const scopeAttributes = attributeMap(scope?.attributes);
      for (const record of logRecords ?? []) {
        const time = toBigInt(record.timeUnixNano) === 0n ? record.observedTimeUnixNano : record.timeUnixNano;
        rows.push({
          Timestamp: toTimestamp(time),
          TraceId: toHex(record.traceId),
          SpanId: toHex(record.spanId),
          TraceFlags: (record.flags ?? 0) & 0xff,
          SeverityText: record.severityText ?? '',
          SeverityNumber: (record.severityNumber ?? 0) & 0xff,
          ServiceName: serviceName(attributes),
          Body: valueText(record.body),
          ResourceSchemaUrl: schemaUrl ?? '',
          ResourceAttributes: attributes,
          ScopeSchemaUrl: scopeSchemaUrl ?? '',
          ScopeName: scope?.name ?? '',
          ScopeVersion: scope?.version ?? '',
          ScopeAttributes: scopeAttributes,
          LogAttributes: attributeMap(record.attributes),
          EventName: record.eventName ?? '',
        });
      }
    }
  }
  return rows;
}
