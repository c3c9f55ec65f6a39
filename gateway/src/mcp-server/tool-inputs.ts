/**
 * Arguments that several tools share, as a model sees them. They describe; the audit API checks, with a remedy in words
 * for each mistake.
 */
import * as z from 'zod';

const names = (about: string) => z.array(z.string()).max(50).optional().describe(about);

export const from = z
  .string()
  .optional()
  .describe('start of the range: RFC 3339, or now-15m, now-24h, now-7d; default now-24h');
export const to = z.string().optional().describe('end of the range, exclusive; default now');

export const nameFilters = {
  server: names('MCP servers, by their name at the gateway'),
  operation: names('MCP methods, e.g. tools/call'),
  tool: names('tool names'),
  user: names('who called: e-mail, login or user key; others are for admins and auditors only'),
};

export const callId = z.string().min(1).max(64).describe('id of the call, as in search_calls');
