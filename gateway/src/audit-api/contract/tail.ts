/**
 * The live view as server-sent events. Part of the contract. `ready` comes first; then `call` for each call (data: a
 * `Call`; a stream comes twice, open and closed); `skipped` when more arrived than a reader gets (data: how many);
 * `end` when it is over (data: why; begin again with `since`). A comment comes every 15 seconds.
 */
import { z } from '@hono/zod-openapi';

export interface TailReady {
  /** calls that the store gets from then on are sent; RFC 3339 */
  readonly at: string;
}

export interface TailSkipped {
  readonly calls: number;
}

export interface TailEnd {
  /** `time`: long enough; `rights`: they changed or ran out; `store`: it does not answer */
  readonly reason: 'time' | 'rights' | 'store';
  /** pass as `since` to miss nothing */
  readonly since: string;
}

export const TailEvents = z.string().openapi({
  description:
    '`ready` {at}; `call` (a Call; a stream comes twice, open and closed); `skipped` {calls}; `end` {reason: time, rights or store; since}; a comment every 15 seconds',
});
