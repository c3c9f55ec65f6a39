/**
 * A call as JSON: the columns of `mcp.calls` (record/fields.ts) in camelCase, `null` where a column is empty. Part of
 * the contract. Holds metadata only; what is inside a payload has its own route and its own schema.
 */
import { z } from '@hono/zod-openapi';
import { QUERY_LIMITS } from './errors.ts';
import {
  AUTH_METHODS,
  CAPTURE_MODES,
  DENIED_BY,
  OUTCOMES,
  PAYLOAD_STATES,
  PHASES,
  SESSION_KINDS,
} from '../../record/vocabulary.ts';
import { CALL_KINDS } from './filters.ts';
import { nextCursor } from './params.ts';

const instant = z.string().openapi({
  description: 'RFC 3339 with nanoseconds, UTC',
  example: '2026-11-24T08:03:22.114000123Z',
});
const milliseconds = z.number().openapi({ description: 'milliseconds, with fraction' });
const textOrNull = z.string().nullable();

export const User = z
  .object({
    key: z.string().openapi({ description: 'keyed hash: the same person, the same key', example: '9f2b…' }),
    email: z.string().optional(),
    login: z.string().optional(),
    name: z.string().optional(),
  })
  .openapi('User', {
    description: 'Who called. E-mail, login and name are there only where the caller may see them and they are known.',
  });
export type User = z.infer<typeof User>;

/** Why a payload cannot be opened. `hiddenBecause` is there exactly when `visible` is false. */
const HIDDEN_BECAUSE = [
  /** the caller has no auditor role */
  'not_auditor',
  /** the caller is auditor for other servers */
  'other_server',
  /** nothing passed that could be kept */
  'no_payload',
  /** capture mode `hash`: only size and digest were kept */
  'hash_only',
  /** capture mode `off` */
  'capture_off',
  /** sealing failed: nothing was kept */
  'capture_failed',
] as const;
export type HiddenBecause = (typeof HIDDEN_BECAUSE)[number];

const PayloadInfo = z
  .object({
    state: z.enum(PAYLOAD_STATES),
    requestSha256: textOrNull.openapi({ description: 'hex SHA-256 of the sealed request (the ciphertext)' }),
    responseSha256: textOrNull.openapi({ description: 'hex SHA-256 of the sealed response (the ciphertext)' }),
    visible: z.boolean().openapi({ description: 'whether this caller can open it at `/calls/{id}/payload`' }),
    hiddenBecause: z.enum(HIDDEN_BECAUSE).optional(),
  })
  .openapi('PayloadInfo');

export const Call = z
  .object({
    id: z.string().openapi({ description: 'call_id, UUIDv7' }),
    parentId: textOrNull.openapi({
      description:
        'the call under which a server request or notification ran; of a request, the round before or the call of its task',
    }),
    recordVersion: z.number(),
    kind: z.enum(CALL_KINDS),
    phase: z.enum(PHASES),
    gatewayId: z.string().openapi({ description: 'chain_id: which gateway recorded it' }),
    seq: z.string().openapi({ description: 'position in the chain of that gateway, decimal' }),
    recordHash: z.string(),
    startedAt: instant,
    ingestedAt: z.string().openapi({ description: 'when the store got it; RFC 3339 with milliseconds, UTC' }),
    durationMs: milliseconds,
    upstreamDurationMs: milliseconds,
    ttfbMs: milliseconds.openapi({ description: 'sending upstream until the first byte of its answer' }),
    upstreamAttempts: z.number(),
    upstreamTransport: z.string(),
    user: User.nullable().openapi({ description: 'null when nobody is known' }),
    authMethod: z.enum(AUTH_METHODS),
    keyName: textOrNull.openapi({ description: 'name of the API key' }),
    teams: z.array(z.string()),
    client: z.object({ name: textOrNull, version: textOrNull, address: textOrNull }),
    server: z.string(),
    operation: z.string(),
    tool: textOrNull,
    prompt: textOrNull,
    resourceUri: textOrNull,
    rpcId: textOrNull,
    session: z.object({ key: textOrNull, kind: z.enum(SESSION_KINDS) }),
    protocolVersion: textOrNull,
    traceId: z.string(),
    spanId: z.string(),
    outcome: z.enum(OUTCOMES).nullable().openapi({
      description: 'null while a stream is open, and while a call waits for the answers to `input_required`',
    }),
    errorType: textOrNull.openapi({ description: 'class of the error, never its text' }),
    errorCode: z.number().nullable().openapi({ description: 'JSON-RPC error code' }),
    httpStatus: z.number().nullable(),
    requestBytes: z.number(),
    responseBytes: z.number(),
    tokensEstimated: z.number().openapi({ description: 'estimated tokens of the result' }),
    captureMode: z.enum(CAPTURE_MODES),
    payload: PayloadInfo,
    policyRule: textOrNull,
    deniedBy: z.enum(DENIED_BY.filter((gate) => gate !== '')).nullable(),
    demo: z.boolean(),
  })
  .openapi('Call');
export type Call = z.infer<typeof Call>;

const CallRound = z
  .object({
    id: z.string(),
    operation: z.string(),
    phase: z.enum(PHASES),
    outcome: z.enum(OUTCOMES).nullable(),
    errorType: textOrNull,
    startedAt: instant,
    durationMs: milliseconds,
  })
  .openapi('CallRound');

export const CallDetail = Call.extend({
  rounds: z.array(CallRound).openapi({
    description:
      'the requests that one logical call is made of, in order, this one included: rounds of `input_required`, and what was asked about its task; empty when it is a single request',
  }),
  attributes: z
    .record(z.string(), z.string())
    .openapi({ description: 'span attributes that have no name of their own' }),
}).openapi('CallDetail');
export type CallDetail = z.infer<typeof CallDetail>;

export const CallPage = z
  .object({
    items: z.array(Call).openapi({ description: 'newest first' }),
    nextCursor,
    searchedTo: instant.nullable().openapi({
      description:
        'set when a limit of one page was reached: earlier calls were not looked at yet; go on with `nextCursor`',
    }),
    cutBy: z
      .enum(QUERY_LIMITS)
      .optional()
      .openapi({ description: 'with `searchedTo`: the limit; left out where the page is whole' }),
  })
  .openapi('CallPage');
export type CallPage = z.infer<typeof CallPage>;

export const CallId = z.strictObject({
  id: z.string().openapi({ param: { name: 'id', in: 'path' }, description: 'id of the call' }),
});
