/**
 * OTLP values as the text the collector's clickhouse exporter stores (pdata `Value.AsString`): integers decimal,
 * doubles as ES6 writes them, arrays and maps as JSON with sorted keys, bytes as base64, ids as hex. Pure.
 */
import type { AnyValue, KeyValue, Long64 } from './otlp-schema.ts';

export function toBigInt(value: Long64 | undefined): bigint {
  if (value === undefined) return 0n;
  const unsigned = (BigInt(value.high >>> 0) << 32n) | BigInt(value.low >>> 0);
  return value.unsigned ? unsigned : BigInt.asIntN(64, unsigned);
}

export function toHex(id: Uint8Array | undefined): string {
  if (id === undefined || id.every((byte) => byte === 0)) return '';
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('hex');
}

/**
 * 2090, as the collector's configuration has it. Later times are kept as this one: beyond, the driver of the exporter
 * refuses the whole batch, and a TTL overflows, so that the row is gone at once.
 */
const MAX_TIMESTAMP_NS = 3_786_912_000_000_000_000n;

/** `1763971200.123456789`, as ClickHouse reads DateTime64(9). */
export function toTimestamp(value: Long64 | undefined): string {
  const given = toBigInt(value);
  const ns = given > MAX_TIMESTAMP_NS ? MAX_TIMESTAMP_NS : given;
  return `${ns / 1_000_000_000n}.${String(ns % 1_000_000_000n).padStart(9, '0')}`;
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function hasOwn(value: AnyValue, name: keyof AnyValue): boolean {
  return Object.hasOwn(value, name);
}

/** Go writes these two, for the sake of JavaScript, as escapes. */
function jsonString(text: string): string {
  return JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}

class NotJson extends Error {}

function toJson(value: AnyValue | null | undefined): string {
  if (value === undefined || value === null) return 'null';
  if (hasOwn(value, 'stringValue')) return jsonString(value.stringValue ?? '');
  if (hasOwn(value, 'boolValue')) return String(value.boolValue);
  if (hasOwn(value, 'intValue')) return String(toBigInt(value.intValue));
  if (hasOwn(value, 'doubleValue')) {
    if (!Number.isFinite(value.doubleValue)) throw new NotJson();
    return doubleText(value.doubleValue ?? 0);
  }
  if (hasOwn(value, 'bytesValue')) return jsonString(toBase64(value.bytesValue ?? new Uint8Array()));
  if (hasOwn(value, 'arrayValue')) return `[${(value.arrayValue?.values ?? []).map(toJson).join(',')}]`;
  if (hasOwn(value, 'kvlistValue')) return mapJson(value.kvlistValue?.values ?? []);
  return 'null';
}

function mapJson(entries: readonly KeyValue[]): string {
  const byKey = new Map(entries.map((entry) => [entry.key ?? '', entry.value]));
  const keys = [...byKey.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return `{${keys.map((key) => `${jsonString(key)}:${toJson(byKey.get(key))}`).join(',')}}`;
}

function doubleText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

export function valueText(value: AnyValue | null | undefined): string {
  if (value === undefined || value === null) return '';
  if (hasOwn(value, 'stringValue')) return value.stringValue ?? '';
  if (hasOwn(value, 'doubleValue')) return doubleText(value.doubleValue ?? 0);
  if (hasOwn(value, 'bytesValue')) return toBase64(value.bytesValue ?? new Uint8Array());
  if (hasOwn(value, 'arrayValue') || hasOwn(value, 'kvlistValue')) {
    try {
      return toJson(value);
    } catch (cause) {
      // what Go's encoder refuses (NaN inside) is stored as an empty text
      if (cause instanceof NotJson) return '';
      throw cause;
    }
  }
  const text = toJson(value);
  return text === 'null' ? '' : text;
}

/** Without a prototype, so that an attribute named `__proto__` is one. The first of equal keys counts, as in a Map column. */
export function attributeMap(attributes: readonly KeyValue[] | undefined): Record<string, string> {
  const map = Object.create(null) as Record<string, string>;
  for (const { key = '', value } of attributes ?? []) {
    if (!(key in map)) map[key] = valueText(value);
  }
  return map;
}
