/** Sessions as JSON: what one client did in one go. Part of the contract. */
import { z } from '@hono/zod-openapi';
import { SESSION_KINDS } from '../../record/vocabulary.ts';
import { Call, User } from './call.ts';
import { nextCursor } from './params.ts';

export const Session = z
  .object({
    key: z.string().openapi({ description: 'session key of its calls; a keyed hash, never the id itself' }),
    kind: z.enum(SESSION_KINDS).openapi({ description: 'what the key was made from' }),
    startedAt: z.string().openapi({ description: 'of the first call; RFC 3339 with nanoseconds' }),
    endedAt: z.string().openapi({ description: 'of the last answer' }),
    durationMs: z.number(),
    users: z.array(User).openapi({ description: 'one person as a rule; the first five where a key is shared' }),
    client: z.object({ name: z.string().nullable(), version: z.string().nullable() }),
    servers: z.array(z.string()).openapi({ description: 'the first twenty by name' }),
    records: z.number().openapi({ description: 'everything in it, notifications and streams too' }),
    calls: z.number().openapi({ description: 'of which requests that are over' }),
    serverRequests: z.number().openapi({ description: 'of which sampling, elicitation, roots' }),
    errors: z.number().openapi({ description: 'requests that failed' }),
    denied: z.number(),
    tokensEstimated: z.number(),
  })
  .openapi('Session');
export type Session = z.infer<typeof Session>;

export const SessionPage = z
  .object({
    from: z.string().openapi({ description: 'start of the range; calls before it are in no figure' }),
    to: z.string().openapi({ description: 'end of the range, exclusive' }),
    items: z.array(Session).openapi({ description: 'the latest begun first' }),
    nextCursor,
  })
  .openapi('SessionPage');
export type SessionPage = z.infer<typeof SessionPage>;

export const SessionDetail = z
  .object({
    session: Session,
    items: z.array(Call).openapi({
      description: 'oldest first; `parentId` leads from a request of a server to the call under which it ran',
    }),
    nextCursor,
  })
  .openapi('SessionDetail');
export type SessionDetail = z.infer<typeof SessionDetail>;

export const SessionKey = z.strictObject({
  key: z.string().openapi({ param: { name: 'key', in: 'path' }, description: 'key of the session' }),
});
