/** What the definitions of all routes share: where they are, who may come at all, how an answer is written down. */
import type { z } from '@hono/zod-openapi';

export const API_BASE = '/api/v1';
/** Name of the security scheme. */
export const BEARER = 'bearer';

export const BEHIND_TOKEN = [{ [BEARER]: [] }];

export function json<T extends z.ZodType>(schema: T, description: string) {
  return { description, content: { 'application/json': { schema } } };
}
