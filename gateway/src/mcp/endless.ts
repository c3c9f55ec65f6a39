/** Requests whose answer has no end of its own: the GET stream, and a POST that listens (2026-07-28). */
import type { Exchange } from './exchange.ts';

export const LISTEN = 'subscriptions/listen';

export function isEndless({ httpMethod, messages }: Pick<Exchange, 'httpMethod' | 'messages'>): boolean {
  return httpMethod === 'GET' || messages.some(({ method }) => method === LISTEN);
}
