/** What an opened body is: JSON, events, text, or bytes that are no text. Made once per body. */
import type { PayloadPart } from '../data/contract.ts';
import { parseJson, type Json } from './json.ts';
import { sseEvents, type SseEvent } from './sse.ts';

export type PayloadBody =
  | { readonly kind: 'json'; readonly text: string; readonly value: Json }
  | { readonly kind: 'sse'; readonly text: string; readonly events: readonly SseEvent[] }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'binary'; readonly bytes: Uint8Array }
  | { readonly kind: 'empty' };

export function payloadBody({ format, bodyText, bodyBase64 }: PayloadPart): PayloadBody {
  if (bodyBase64 !== undefined) return { kind: 'binary', bytes: base64Bytes(bodyBase64) };
  if (bodyText === undefined || bodyText === '') return { kind: 'empty' };
  if (format === 'sse') return { kind: 'sse', text: bodyText, events: sseEvents(bodyText) };
  const value = parseJson(bodyText);
  return value === undefined || format === 'text'
    ? { kind: 'text', text: bodyText }
    : { kind: 'json', text: bodyText, value };
}

/** The JSON-RPC messages in a body, in order. */
export function messagesOf(body: PayloadBody): readonly Json[] {
  if (body.kind === 'json') return Array.isArray(body.value) ? (body.value as readonly Json[]) : [body.value];
  return body.kind === 'sse' ? body.events.map(({ data }) => data) : [];
}

export function base64Bytes(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

const BYTES_PER_LINE = 16;

/** As hexadecimal dump: offset, bytes, printable characters. */
export function hexDump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += BYTES_PER_LINE) {
    const row = [...bytes.subarray(at, at + BYTES_PER_LINE)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const ascii = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${at.toString(16).padStart(8, '0')}  ${hex.padEnd(BYTES_PER_LINE * 3)} ${ascii}`);
  }
  return lines.join('\n');
}
