/**
 * What an auditor gets to see of a call: the opened request and response, or why one of them cannot be opened. Part of
 * the contract. The only schema of the audit API that holds payload; answers of this shape are never cached or logged.
 */
import { z } from '@hono/zod-openapi';
import { PAYLOAD_STATES } from '../../record/vocabulary.ts';

/** What became of one direction. Only `opened` has headers and a body. */
const PART_STATES = [
  'opened',
  /** nothing was kept for this direction: none passed, or the capture mode keeps none (see `state` of the answer) */
  'none',
  /** recorded, but not in the store: not delivered yet, or removed */
  'missing',
  /** the person's data key was destroyed: nobody can open it any more */
  'key_destroyed',
  /** the data key is not in the store, or the private key that opens it is not configured here */
  'key_unavailable',
  /** the ciphertext is not the one that was recorded, or does not open */
  'damaged',
  /** older than `retention.payloads` */
  'expired',
] as const;

export const PayloadPart = z
  .object({
    state: z.enum(PART_STATES),
    sha256: z.string().optional().openapi({ description: 'hex SHA-256 of the ciphertext' }),
    digest: z.string().optional().openapi({ description: 'hex HMAC-SHA-256 of the plaintext body' }),
    mode: z.enum(['full', 'redacted']).optional().openapi({ description: 'capture mode in force' }),
    format: z.enum(['json', 'sse', 'text']).optional(),
    headers: z
      .array(z.tuple([z.string(), z.string()]))
      .optional()
      .openapi({
        description: 'HTTP headers in the order they came',
        items: { type: 'array', items: { type: 'string' } },
      }),
    bytes: z.number().optional().openapi({ description: 'true size of the body, before the cap' }),
    truncated: z.boolean().optional().openapi({ description: 'the body was cut at the cap' }),
    redacted: z.array(z.string()).optional().openapi({ description: 'JSON paths and header names that were redacted' }),
    bodyText: z.string().optional().openapi({ description: 'the body as it passed, where it is valid UTF-8' }),
    bodyBase64: z.string().optional().openapi({ description: 'the body as it passed, where it is not valid UTF-8' }),
  })
  .openapi('PayloadPart');
export type PayloadPart = z.infer<typeof PayloadPart>;

export const CallPayload = z
  .object({
    callId: z.string(),
    state: z
      .enum(PAYLOAD_STATES)
      .openapi({ description: 'as in the call: `hashed`, `off` and `failed` have no parts' }),
    request: PayloadPart,
    response: PayloadPart,
  })
  .openapi('CallPayload');
export type CallPayload = z.infer<typeof CallPayload>;
