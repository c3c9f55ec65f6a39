/**
 * One-time addresses of downloads: each works once, for a minute, for who asked for it. Kept in memory by digest only,
 * so that neither a log of this process nor its state holds one; whoever reads an address elsewhere still lacks the
 * credentials of its owner.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { ApiClock } from '../clock.ts';

const LIFE_MS = 60_000;
const MOST_TICKETS = 1000;

export interface Tickets<T> {
  /** @returns undefined when there are too many */
  issue(owner: string, content: T): { readonly ticket: string; readonly expiresMs: number } | undefined;
  /** @returns undefined when it was never issued, is used up or over, or is somebody else's (then it stays theirs) */
  redeem(owner: string, ticket: string): T | undefined;
  /** Forgets those whose time is over. */
  sweep(): void;
}

/** @param onLapse called for each that nobody redeemed in time, when that is noticed */
export function createTickets<T>(
  clock: Pick<ApiClock, 'wallMs' | 'monotonicMs'>,
  onLapse: (content: T) => void
): Tickets<T> {
  const issued = new Map<string, { readonly owner: string; readonly content: T; readonly endMs: number }>();
  const digest = (ticket: string): string => createHash('sha256').update(ticket).digest('base64');
  const sweep = (): void => {
    for (const [key, { content, endMs }] of issued) {
      if (endMs > clock.monotonicMs()) continue;
      issued.delete(key);
      onLapse(content);
    }
  };
  return {
    issue(owner, content) {
      sweep();
      if (issued.size >= MOST_TICKETS) return undefined;
      const ticket = randomBytes(32).toString('base64url');
      issued.set(digest(ticket), { owner, content, endMs: clock.monotonicMs() + LIFE_MS });
      return { ticket, expiresMs: clock.wallMs() + LIFE_MS };
    },
    redeem(owner, ticket) {
      sweep();
      const key = digest(ticket);
      const found = issued.get(key);
      if (found?.owner !== owner) return undefined;
      issued.delete(key);
      return found.content;
    },
    sweep,
  };
}
