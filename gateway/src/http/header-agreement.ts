/**
 * `Mcp-Method` and `Mcp-Name` (2026-07-28) repeat what the body says, so that intermediaries can route by headers. An
 * upstream that believes the header would run another call than the one policy looked at, so both must agree.
 */
import type { IncomingMessage } from 'node:http';
import type { ReceivedMessage } from '../mcp/message.ts';

/** JSON-RPC code of a header that contradicts the body. */
export const HEADER_MISMATCH = -32020;

export function headersAgree(req: IncomingMessage, messages: readonly ReceivedMessage[]): boolean {
  const method = req.headers['mcp-method'];
  const name = req.headers['mcp-name'];
  if (method === undefined && name === undefined) return true;
  const message = messages.length === 1 ? messages[0] : undefined;
  if (message?.method === undefined) return method === undefined;
  if (method !== undefined && method !== message.method) return false;
  if (name === undefined) return true;
  const expected = namedBy(message);
  return expected === undefined || decodeName(String(name)) === expected;
}

function namedBy(message: ReceivedMessage): string | undefined {
  switch (message.method) {
    case 'tools/call':
    case 'prompts/get':
      return message.name;
    case 'resources/read':
      return message.uri;
    default:
      return undefined;
  }
}

function decodeName(value: string): string {
  const encoded = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/i.exec(value)?.[1];
  return encoded === undefined ? value : Buffer.from(encoded, 'base64').toString('utf8');
}
