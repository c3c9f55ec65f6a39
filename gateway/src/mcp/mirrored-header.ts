/**
 * Headers that repeat a value of the body (2026-07-28, Streamable HTTP, "Request Metadata"): which value `Mcp-Name` has
 * to repeat, and what a header's value stands for once its Base64 form is undone. Used wherever headers and body are
 * compared; decides nothing about a mismatch.
 */
import { isUtf8 } from 'node:buffer';
import type { ScannedMessage } from './message.ts';

/** JSON-RPC code of a header that contradicts the body, or is missing. */
export const HEADER_MISMATCH = -32020;

const SENTINEL = /^=\?base64\?(.*)\?=$/s;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * @param value as it came, without the whitespace around it
 * @returns undefined when it says that it is Base64 and is not, or not of UTF-8
 */
export function decodeMirrored(value: string): string | undefined {
  const encoded = SENTINEL.exec(value)?.[1];
  if (encoded === undefined) return value;
  if (!BASE64.test(encoded)) return undefined;
  const bytes = Buffer.from(encoded, 'base64');
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
}

/** The value of the body that `Mcp-Name` repeats; undefined for methods without one. */
export function mirroredName(message: ScannedMessage): string | undefined {
  switch (message.method) {
    case 'tools/call':
    case 'prompts/get':
      return message.name;
    case 'resources/read':
      return message.uri;
    case 'tasks/get':
    case 'tasks/update':
    case 'tasks/cancel':
      return message.taskId;
    default:
      return undefined;
  }
}
