/**
 * Canonical form v1 and the hash of a record. The form is the covered fields of record/fields.ts in their order, each
 * as `<byte length>:<value>`, so that ClickHouse SQL recomputes it from the table alone (store/verify SQL). Values as
 * text: integers decimal, datetime_ns as nanoseconds since 1970, bool `0`/`1`, arrays as their elements each
 * length-prefixed again. record_hash(n) = hex(SHA-256(record_hash(n-1) ‖ "\n" ‖ form(n))).
 */
import { hash } from 'node:crypto';
import type { Field } from './fields.ts';

/** The hash before the first record of a chain. */
export const GENESIS_HASH = '0'.repeat(64);

export type FieldValue = string | number | bigint | boolean | readonly string[] | undefined;

/** up to here a loop is faster than a call into the runtime */
const SHORT_CHARACTERS = 64;

function utf8Bytes(text: string): number {
  const { length } = text;
  if (length > SHORT_CHARACTERS) return Buffer.byteLength(text);
  for (let at = 0; at < length; at += 1) if (text.charCodeAt(at) > 0x7f) return Buffer.byteLength(text);
  return length;
}

/** `0:`, `1:` … */
const PREFIXES = Array.from({ length: 256 }, (_, bytes) => `${bytes}:`);

export function lengthPrefixed(value: string): string {
  const bytes = utf8Bytes(value);
  return (PREFIXES[bytes] ?? `${bytes}:`) + value;
}

function textOf(value: FieldValue, type: Field['type']): string {
  if (value === undefined) return type === 'string' || type === 'lowcard' || type === 'strings' ? '' : '0';
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'object') return value.map(lengthPrefixed).join('');
  return value.toString();
}

/**
 * @param valueOf gives a field's value; `undefined` becomes the column's default (empty or 0)
 */
export function canonicalForm(fields: readonly Field[], valueOf: (one: Field) => FieldValue): string {
  let form = '';
  for (const one of fields) {
    if (one.chained) form += canonicalPiece(valueOf(one), one.type);
  }
  return form;
}

/** What one value adds to the form. */
export function canonicalPiece(value: FieldValue, type: Field['type']): string {
  return lengthPrefixed(textOf(value, type));
}

export function recordHash(previousHash: string, form: string): string {
  return hash('sha256', `${previousHash}\n${form}`, 'hex');
}
