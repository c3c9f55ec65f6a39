/** What the definitions of all routes share: where they are, who may come at all, how an answer is written down. */
import { z } from '@hono/zod-openapi';

export const API_BASE = '/api/v1';
/** Name of the security scheme. */
export const BEARER = 'bearer';

export const BEHIND_TOKEN = [{ [BEARER]: [] }];

export function json<T extends z.ZodType>(schema: T, description: string) {
  return { description, content: { 'application/json': { schema } } };
}

/** A table that can be had as a file too. */
export function jsonOrCsv<T extends z.ZodType>(schema: T, description: string) {
  const csv = z.string().openapi({
    description:
      'RFC 4180 with a header line; text that a spreadsheet would take for a formula begins with an apostrophe',
  });
  return { description, content: { 'application/json': { schema }, 'text/csv': { schema: csv } } };
}
