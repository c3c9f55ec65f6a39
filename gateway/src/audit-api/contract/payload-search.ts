/**
 * Search in payloads, as server-sent events. Part of the contract. `started` comes first, then a `match` for each call
 * that holds the text, `progress` now and then, and `end` with the reason. The text is asked for in the body, so that it
 * stands in no address, and no record keeps it. Auditors only.
 */
import { createRoute, z } from '@hono/zod-openapi';
import type { Call } from './call.ts';
import { COMMON_ERRORS, TOO_MANY } from './errors.ts';
import { PayloadSearchQuery } from './filters.ts';
import { API_BASE, BEHIND_TOKEN } from './route.ts';

const MAX_TEXT_CHARS = 200;

/** Of one search. It ends at the first that is reached, and says which. */
export const SEARCH_LIMITS = { calls: 10_000, bytes: 256 * 1024 * 1024, seconds: 60, matches: 100 } as const;

const PayloadSearchBody = z
  .strictObject({
    text: z
      .string('give the text to look for')
      .min(2, 'give at least 2 characters')
      .max(MAX_TEXT_CHARS, `give at most ${MAX_TEXT_CHARS} characters`)
      .openapi({ description: 'found in any case, in bodies and in header lines, as it stands: no pattern' }),
    maxCalls: z
      .int()
      .min(1, 'use a whole number from 1')
      .max(SEARCH_LIMITS.calls, `use at most ${SEARCH_LIMITS.calls}`)
      .optional()
      .openapi({ description: 'payloads of so many calls are opened at most' }),
  })
  .openapi('PayloadSearch');

export interface SearchStarted {
  /** names this search in the access log */
  readonly search: string;
  /** servers whose payloads are searched; `*`: all */
  readonly servers: '*' | readonly string[];
  readonly limits: Readonly<Record<'calls' | 'bytes' | 'seconds' | 'matches', number>>;
}

export interface SearchProgress {
  /** calls looked at */
  readonly calls: number;
  /** bytes opened */
  readonly bytes: number;
  readonly matches: number;
  /** parts that could not be opened: erased, damaged, key not here */
  readonly unreadable: number;
  /** calls that began before were not looked at yet; RFC 3339; null: nothing was */
  readonly searchedTo: string | null;
}

export interface SearchHit {
  readonly direction: 'request' | 'response';
  readonly place: 'headers' | 'body';
  /** how often, in this place */
  readonly count: number;
  /** the first one with what stands around it: payload text, to be shown as text */
  readonly snippet: string;
}

export interface SearchMatch {
  readonly call: Call;
  readonly hits: readonly SearchHit[];
}

export interface SearchEnd extends SearchProgress {
  /**
   * `complete`: everything that fits was looked at; `calls`, `bytes`, `seconds`, `matches`: a limit was reached;
   * `rights`: they changed; `store`: it does not answer; `not_recorded`: what was found could not be recorded
   */
  readonly reason: 'complete' | 'calls' | 'bytes' | 'seconds' | 'matches' | 'rights' | 'store' | 'not_recorded';
}

const PayloadSearchEvents = z.string().openapi({
  description:
    '`started` {search, servers, limits}; `match` {call, hits: [{direction, place, count, snippet}]}; `progress` {calls, bytes, matches, unreadable, searchedTo}; `end` {reason: complete, calls, bytes, seconds, matches, rights, store or not_recorded; and as in progress}',
});

export const payloadSearchRoute = createRoute({
  method: 'post',
  path: `${API_BASE}/payload-search`,
  operationId: 'searchPayloads',
  summary:
    'Opens the payloads of the calls that fit the filters and looks for a text; auditors only, within limits, and recorded first',
  security: BEHIND_TOKEN,
  request: {
    query: PayloadSearchQuery,
    body: { required: true, content: { 'application/json': { schema: PayloadSearchBody } } },
  },
  responses: {
    200: { description: 'server-sent events', content: { 'text/event-stream': { schema: PayloadSearchEvents } } },
    429: TOO_MANY,
    ...COMMON_ERRORS,
  },
});
