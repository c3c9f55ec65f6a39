/**
 * An answer of server-sent events for a reader who may leave at any moment, even before the first byte. What is sent and
 * what ends it decide the routes.
 */
import type { Context } from 'hono';
import type { SSEStreamingApi } from 'hono/streaming';
import { streamSSE } from 'hono/streaming';
import type { ApiEnv } from './deps.ts';

/**
 * @param send given a signal that is aborted once the reader has left
 * @param failed told when `send` throws while the reader is still there; not what, since payload may be near it
 */
export function eventStream(
  c: Context<ApiEnv>,
  send: (stream: SSEStreamingApi, left: AbortSignal) => Promise<void>,
  failed: () => void
): Response {
  const closed = new AbortController();
  const left = AbortSignal.any([c.req.raw.signal, closed.signal]);
  // a proxy that waits for the whole answer would wait for ever
  c.header('X-Accel-Buffering', 'no');
  return streamSSE(
    c,
    async (stream) => {
      stream.onAbort(() => closed.abort());
      await send(stream, left);
    },
    async () => {
      if (!left.aborted) failed();
      await Promise.resolve();
    }
  );
}
