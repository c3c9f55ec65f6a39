/**
 * What an intent holds: enough metadata to make the `interrupted` record of a call whose completion never came. It is
 * JSON of masked attributes; no payload, no name that metadata could not show.
 */
import type { HrTime } from '@opentelemetry/api';
import type { AttributeObject } from './attribute-row.ts';

export interface Intent {
  readonly v: 1;
  readonly spanName: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
  /** span id of the caller's span */
  readonly parentSpanId?: string;
  readonly startTime: HrTime;
  readonly attributes: AttributeObject;
}

export function encodeIntent(intent: Intent): Uint8Array {
  return Buffer.from(JSON.stringify(intent));
}

const HEX = /^[0-9a-f]+$/;

/** @returns undefined when the bytes are no intent of a version that this program knows */
export function decodeIntent(bytes: Uint8Array): Intent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
  return isIntent(value) ? value : undefined;
}

function isIntent(value: unknown): value is Intent {
  if (typeof value !== 'object' || value === null) return false;
  const one = value as Partial<Record<keyof Intent, unknown>>;
  return (
    one.v === 1 &&
    typeof one.spanName === 'string' &&
    isHex(one.traceId, 32) &&
    isHex(one.spanId, 16) &&
    typeof one.traceFlags === 'number' &&
    (one.parentSpanId === undefined || isHex(one.parentSpanId, 16)) &&
    Array.isArray(one.startTime) &&
    one.startTime.length === 2 &&
    one.startTime.every((part) => Number.isSafeInteger(part) && (part as number) >= 0) &&
    typeof one.attributes === 'object' &&
    one.attributes !== null
  );
}

function isHex(value: unknown, length: number): boolean {
  return typeof value === 'string' && value.length === length && HEX.test(value);
}
