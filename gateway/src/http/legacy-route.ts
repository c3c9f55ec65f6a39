/**
 * What concerns only clients of the older HTTP+SSE transport (revision 2024-11-05): which session a POST names, and what
 * is wrong with a request to `/mcp/<server>/sse` or `/mcp/<server>/messages`. Servers of Streamable HTTP cannot be spoken
 * to in this way, and a client hears what to do instead.
 */
import type { IncomingMessage } from 'node:http';
import type { LegacyRole, McpHttpMethod, Upstream } from '../mcp/exchange.ts';
import type { SessionKind } from '../record/vocabulary.ts';
import { REFUSALS } from './refusals.ts';
import type { Refusal } from './refusal.ts';

/** @returns undefined when the query names none, or two that could be read differently */
export function legacySessionId(req: IncomingMessage): string | undefined {
  const { url = '' } = req;
  const start = url.indexOf('?');
  if (start === -1) return undefined;
  const ids = new URLSearchParams(url.slice(start + 1)).getAll('sessionId');
  return ids.length === 1 ? ids[0] : undefined;
}

export function legacyProblem(
  role: LegacyRole,
  method: McpHttpMethod,
  upstream: Upstream['kind'],
  session: SessionKind
): Refusal | undefined {
  if (upstream === 'http' || upstream === 'own') return REFUSALS.notLegacy;
  if (role === 'stream') return method === 'GET' ? undefined : REFUSALS.legacyStream;
  if (method !== 'POST') return REFUSALS.legacyMessage;
  return session === 'mcp' ? undefined : REFUSALS.legacySessionMissing;
}
