/**
 * What an answer of the store means for a batch, and how long to wait. Only a 2xx of an OTLP receiver that rejects
 * nothing is delivery. Nothing but a refusal of the content itself makes a batch poison; anything that speaks of the
 * address, the token or the receiver's health is waited out.
 */
import { rejectedCount } from './partial-success.ts';
import type { ShipResponse } from './ship-transport.ts';

export type ShipVerdict =
  | { readonly kind: 'delivered' }
  /** the receiver will come back */
  | { readonly kind: 'retry'; readonly afterMs: number | undefined }
  /** the receiver refuses these bytes for good */
  | { readonly kind: 'refused' }
  /** somebody must mend the configuration: address, token, proxy */
  | { readonly kind: 'misconfigured' };

const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 30_000;
/** A longer Retry-After is cut: a mistyped one must not stop the audit log for a day. */
const LONGEST_RETRY_AFTER_MS = 10 * 60_000;

/** @returns the wait in milliseconds, or undefined when the header is absent or makes no sense */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const delayMs = /^\d{1,9}$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isFinite(delayMs) ? Math.min(Math.max(delayMs, 0), LONGEST_RETRY_AFTER_MS) : undefined;
}

export function judge(response: ShipResponse, nowMs: number): ShipVerdict {
  const { status } = response;
  const retry: ShipVerdict = { kind: 'retry', afterMs: parseRetryAfter(response.retryAfter, nowMs) };
  if (status >= 200 && status < 300) {
    const rejected = rejectedCount(response.contentType, response.body);
    // A 2xx of something else (a login page, a proxy) delivers nothing.
    if (rejected === undefined) return { kind: 'misconfigured' };
    return rejected === 0n ? { kind: 'delivered' } : { kind: 'refused' };
  }
  if (status >= 500 || status === 408 || status === 429) return retry;
  if (status < 400 || status === 401 || status === 403) return { kind: 'misconfigured' };
  return { kind: 'refused' };
}

/**
 * Exponential back-off, jittered so that gateways do not return together.
 * @param attempt of the failure, from 1
 * @param random in [0, 1)
 */
export function retryDelayMs(attempt: number, random: number): number {
  const full = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt - 1, 20));
  return full * (0.5 + random / 2);
}
