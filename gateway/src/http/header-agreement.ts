/**
 * `Mcp-Method` and `Mcp-Name` (2026-07-28) repeat what the body says, so that intermediaries can route by headers. An
 * upstream that believes the header would run another call than the one policy looked at, so both must agree.
 */
import type { IncomingMessage } from 'node:http';
import type { ReceivedMessage } from '../mcp/message.ts';
import { decodeMirrored, mirroredName } from '../mcp/mirrored-header.ts';

export function headersAgree(req: IncomingMessage, messages: readonly ReceivedMessage[]): boolean {
  const method = req.headers['mcp-method'];
  const name = req.headers['mcp-name'];
  if (method === undefined && name === undefined) return true;
  const message = messages.length === 1 ? messages[0] : undefined;
  if (message?.method === undefined) return method === undefined;
  if (method !== undefined && method !== message.method) return false;
  if (name === undefined) return true;
  const expected = mirroredName(message);
  return expected === undefined || decodeMirrored(String(name)) === expected;
}
