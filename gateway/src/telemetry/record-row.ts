/**
 * What the store will see of a record span: column → value, derived from the span exactly as the OTLP writer, the
 * collector's exporter and the SQL views derive it (attributes as text in a Map(String, String), then parsed). The hash
 * of a record is taken over this row, so that the store alone can recompute it. Pure; knows no chain and no spool.
 */
import type { HrTime } from '@opentelemetry/api';
import { canonicalForm, type FieldValue } from '../record/canonical.ts';
import { ACCESS_FIELDS, CALL_FIELDS, TOOL_CHANGE_FIELDS, type Field, type FieldType } from '../record/fields.ts';
import { epochNanos } from './clock.ts';
import { CALL_ATTR } from './record-attributes.ts';

/** The part of an ended span that a row is made of. */
export interface RecordSpan {
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  spanContext(): { readonly traceId: string; readonly spanId: string };
}

export type RecordRow = Readonly<Record<string, FieldValue>>;

/** The chained columns (and `record_hash`) of `mcp.calls`, or of `mcp.access_log` or `mcp.tool_changes` by the kind. */
export function recordRow(span: RecordSpan): RecordRow {
  const row: Record<string, FieldValue> = {};
  for (const field of fieldsOf(span)) {
    if (field.chained || field.column === 'record_hash') row[field.column] = valueOf(span, field);
  }
  return row;
}

/** Canonical form v1 of the span's row. */
export function canonicalFormOf(span: RecordSpan): string {
  return canonicalForm(fieldsOf(span), (field) => valueOf(span, field));
}

function fieldsOf(span: RecordSpan): readonly Field[] {
  switch (span.attributes[CALL_ATTR.kind]) {
    case 'access':
      return ACCESS_FIELDS;
    case 'catalog':
      return TOOL_CHANGE_FIELDS;
    default:
      return CALL_FIELDS;
  }
}

function valueOf(span: RecordSpan, field: Field): FieldValue {
  switch (field.source) {
    case 'span:start':
      return epochNanos(span.startTime);
    case 'span:duration':
      return epochNanos(span.endTime) - epochNanos(span.startTime);
    case 'span:trace_id':
      return span.spanContext().traceId;
    case 'span:span_id':
      return span.spanContext().spanId;
    default:
      return columnValue(span.attributes[field.source], field.type);
  }
}

const INTEGER_RANGE: Partial<Record<FieldType, readonly [min: number, max: number]>> = {
  uint8: [0, 0xff],
  uint16: [0, 0xffff],
  uint32: [0, 0xffffffff],
  uint64: [0, Number.MAX_SAFE_INTEGER],
  int32: [-0x80000000, 0x7fffffff],
};

const WHOLE_NUMBER = /^-?\d{1,20}$/;

/** An attribute as its column: `toUInt64OrZero(text)`, `text = 'true'`, `JSONExtract(text, 'Array(String)')`, or text. */
function columnValue(attribute: unknown, type: FieldType): FieldValue {
  if (type === 'strings') return Array.isArray(attribute) ? attribute.map(String) : [];
  if (type === 'bool') return attribute === true || attribute === 'true';
  if (attribute === undefined || attribute === null) return undefined;
  const range = INTEGER_RANGE[type];
  if (range === undefined) return typeof attribute === 'string' ? attribute : exporterText(attribute);
  const number =
    typeof attribute === 'number' ? attribute : WHOLE_NUMBER.test(exporterText(attribute)) ? Number(attribute) : 0;
  return Number.isInteger(number) && number >= range[0] && number <= range[1] ? number : 0;
}

/** How the exporter writes a value into the attribute map. */
function exporterText(attribute: unknown): string {
  if (typeof attribute === 'number' || typeof attribute === 'boolean' || typeof attribute === 'bigint') {
    return attribute.toString();
  }
  return typeof attribute === 'string' ? attribute : JSON.stringify(attribute);
}
