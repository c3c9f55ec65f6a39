/**
 * What the store will see of a record span: column → value, derived from the span exactly as the OTLP writer, the
 * collector's exporter and the SQL views derive it (attributes as text in a Map(String, String), then parsed). The hash
 * of a record is taken over this row, so that the store alone can recompute it. Pure; knows no chain and no spool.
 */
import type { HrTime } from '@opentelemetry/api';
import { canonicalForm, canonicalPiece, lengthPrefixed, type FieldValue } from '../record/canonical.ts';
import { ACCESS_FIELDS, CALL_FIELDS, TOOL_CHANGE_FIELDS, type Field, type FieldType } from '../record/fields.ts';
import { AttributeRow } from './attribute-row.ts';
import { CALL_AT, CALL_NAMES } from './call-row.ts';
import { epochNanos, nanosText, timeBetween } from './clock.ts';
import { CALL_ATTR } from './record-attributes.ts';

/** The part of an ended span that a row is made of. */
export interface RecordSpan {
  readonly attributes: Readonly<Record<string, unknown>> | AttributeRow;
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
  if (span.attributes instanceof AttributeRow) return callForm(span, span.attributes);
  return canonicalForm(fieldsOf(span), (field) => valueOf(span, field));
}

/** One attribute of a record. */
export function attributeOf(span: Pick<RecordSpan, 'attributes'>, name: string, position: number): unknown {
  return span.attributes instanceof AttributeRow ? span.attributes.values[position] : span.attributes[name];
}

const CHAINED_CALL_FIELDS = CALL_FIELDS.filter((field) => field.chained).map((field) => ({
  type: field.type,
  source: field.source,
  position: /^(span|store):/.test(field.source) ? -1 : CALL_NAMES.position(field.source),
  whenAbsent: canonicalPiece(columnValue(undefined, field.type), field.type),
}));

/** The same form, without a name looked up: once a call. */
function callForm(span: RecordSpan, { values }: AttributeRow): string {
  let form = '';
  for (const { type, source, position, whenAbsent } of CHAINED_CALL_FIELDS) {
    if (position < 0) {
      form += lengthPrefixed(spanText(span, source));
      continue;
    }
    const value = values[position];
    form += value === undefined ? whenAbsent : canonicalPiece(columnValue(value, type), type);
  }
  return form;
}

function spanText(span: RecordSpan, source: string): string {
  if (source === 'span:start') return nanosText(span.startTime);
  if (source === 'span:duration') return nanosText(timeBetween(span.startTime, span.endTime));
  return String(spanValue(span, source));
}

function fieldsOf(span: RecordSpan): readonly Field[] {
  switch (attributeOf(span, CALL_ATTR.kind, CALL_AT.kind)) {
    case 'access':
      return ACCESS_FIELDS;
    case 'catalog':
      return TOOL_CHANGE_FIELDS;
    default:
      return CALL_FIELDS;
  }
}

function valueOf(span: RecordSpan, field: Field): FieldValue {
  if (field.source.startsWith('span:')) return spanValue(span, field.source);
  const { attributes } = span;
  const value = attributes instanceof AttributeRow ? attributes.toObject()[field.source] : attributes[field.source];
  return columnValue(value, field.type);
}

function spanValue(span: RecordSpan, source: string): FieldValue {
  switch (source) {
    case 'span:start':
      return epochNanos(span.startTime);
    case 'span:duration':
      return epochNanos(span.endTime) - epochNanos(span.startTime);
    case 'span:trace_id':
      return span.spanContext().traceId;
    case 'span:span_id':
      return span.spanContext().spanId;
    default:
      throw new TypeError(`a span has no "${source}"`);
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
