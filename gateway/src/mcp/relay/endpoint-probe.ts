/**
 * Whether a URL is one of the older HTTP+SSE transport: GET it, as clients of that transport do, and see whether the first
 * event is the `endpoint`. It sends no message, keeps nothing and leaves at once; whatever goes wrong means no.
 */
import type { Pool } from 'undici';
import { eventText } from '../scan/sse-event-text.ts';

export interface EndpointProbe {
  /** to the server's origin */
  readonly pool: Pool;
  readonly path: string;
  /** configured for the server, name, value, name, value … */
  readonly headers: readonly string[];
  readonly timeoutMs: number;
}

const MAX_EVENT_BYTES = 65_536;

export async function namesEndpoint({ pool, path, headers, timeoutMs }: EndpointProbe): Promise<boolean> {
  const over = new AbortController();
  const late = setTimeout(() => over.abort(), timeoutMs);
  try {
    const answer = await pool.request({
      path,
      method: 'GET',
      headers: ['accept', 'text/event-stream', 'cache-control', 'no-cache', ...headers],
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      signal: over.signal,
    });
    const type = String(answer.headers['content-type'] ?? '');
    if (answer.statusCode !== 200 || !/^\s*text\/event-stream\b/i.test(type)) {
      answer.body.on('error', () => undefined).destroy();
      return false;
    }
    let first: string | undefined;
    const take = eventText(MAX_EVENT_BYTES, (name) => (first ??= name ?? ''));
    for await (const chunk of answer.body) {
      take(chunk as Buffer);
      if (first !== undefined) break;
    }
    return first === 'endpoint';
  } catch {
    return false;
  } finally {
    clearTimeout(late);
    over.abort();
  }
}
