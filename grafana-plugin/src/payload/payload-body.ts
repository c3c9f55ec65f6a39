/** What an opened body is: JSON, events, text, or bytes that are no text. Made once per body. */
import type { PayloadPart } from '../data/contract.ts';
import { parseJson, type Json } from './json.ts';
import { sseEvents, type SseEvent } from './sse.ts';

export type PayloadBody =
  | { readonly kind: 'json'; readonly text: string; readonly value: Json }
  | { readonly kind: 'sse'; readonly text: string; readonly events: readonly SseEvent[] }
  | { readonly kind: 'text'; readonly text: string }
  /** a character for each byte */
  | { readonly kind: 'binary'; readonly binary: string }
  | { readonly kind: 'empty' };

export function payloadBody({ format, bodyText, bodyBase64 }: PayloadPart): PayloadBody {
  if (bodyBase64 !== undefined) return { kind: 'binary', binary: atob(bodyBase64) };
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

/** @param binary a character for each byte */
export function bytesOf(binary: string): Uint8Array {
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}
