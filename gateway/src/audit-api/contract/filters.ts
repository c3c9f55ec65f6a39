/**
 * Parameters of every list and summary: time range, filters, page. Part of the contract. Filters are repeatable
 * (`server=a&server=b` means either); different filters must all hold. What does not parse is refused with a remedy,
 * an unknown parameter too: a mistyped filter that is ignored would give a wrong answer to an audit question.
 */
import { z } from '@hono/zod-openapi';
import { OUTCOMES, RECORD_KINDS } from '../../record/vocabulary.ts';

const MAX_LIMIT = 1000;
const DEFAULT_LIMIT = 100;
/** values of one filter in one request */
const MAX_FILTER_VALUES = 50;
/** characters of one filter value; longer than any column the gateway writes */
const MAX_FILTER_CHARS = 2048;

/** Kinds that have rows in `mcp.calls`. */
export const CALL_KINDS = RECORD_KINDS.filter((kind) => kind !== 'access' && kind !== 'health');

const TIME_REMEDY = 'use RFC 3339 (2026-11-24T08:00:00Z, up to 9 fraction digits) or now-15m, now-24h, now-7d, now-4w';

function timeParam(about: string) {
  return z
    .string('give it once')
    .max(64, TIME_REMEDY)
    .regex(/^(now(-\d{1,6}[smhdw])?|\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d))$/, TIME_REMEDY)
    .optional()
    .openapi({ description: about, example: 'now-24h' });
}

/** One or several values of one parameter; always an array once parsed. */
function repeated<T extends z.ZodType<string, string>>(one: T, about: string, values?: readonly string[]) {
  return z
    .preprocess(
      (value) => (value === undefined || Array.isArray(value) ? value : [value]),
      z.array(one).max(MAX_FILTER_VALUES, `give at most ${MAX_FILTER_VALUES} values`).optional()
    )
    .openapi({
      param: { style: 'form', explode: true },
      type: 'array',
      items: { type: 'string', ...(values === undefined ? {} : { enum: [...values] }) },
      description: about,
    });
}

const text = z
  .string()
  .min(1, 'give a value or leave the parameter out')
  .max(MAX_FILTER_CHARS, `give at most ${MAX_FILTER_CHARS} characters`);

const rangeParams = {
  from: timeParam('start of the range, inclusive'),
  to: timeParam('end of the range, exclusive'),
};

const nameFilters = {
  user: repeated(text, 'who called: e-mail address, login, or user key'),
  server: repeated(text, 'upstream server, as in `mcpServers`'),
  operation: repeated(text, 'MCP method, e.g. `tools/call`'),
  tool: repeated(text, 'tool name'),
};

const demoParam = z.enum(['true', 'false'], 'use true or false, once').optional().openapi({
  description:
    '`false` (default): real calls only. `true`: only rows made by `gatelens demo --history`. They are never mixed.',
});

const limitParam = z.coerce
  .number(`use a whole number from 1 to ${MAX_LIMIT}`)
  .int(`use a whole number from 1 to ${MAX_LIMIT}`)
  .min(1, `use a whole number from 1 to ${MAX_LIMIT}`)
  .max(MAX_LIMIT, `use a whole number from 1 to ${MAX_LIMIT}`)
  .default(DEFAULT_LIMIT)
  .openapi({ description: 'rows at most' });

export const CallsQuery = z.strictObject({
  ...rangeParams,
  ...nameFilters,
  outcome: repeated(z.enum(OUTCOMES, `use one of ${OUTCOMES.join(', ')}`), 'how it ended', OUTCOMES),
  kind: repeated(
    z.enum(CALL_KINDS, `use one of ${CALL_KINDS.join(', ')}`),
    'what the record is about; all by default',
    CALL_KINDS
  ),
  demo: demoParam,
  limit: limitParam,
  cursor: z
    .string('give it once')
    .max(200, 'use nextCursor of the page before, unchanged')
    .regex(/^[A-Za-z0-9_-]+$/, 'use nextCursor of the page before, unchanged')
    .optional()
    .openapi({ description: '`nextCursor` of the page before; the other parameters stay the same' }),
});

export const UsageQuery = z.strictObject({
  from: timeParam('start of the range, inclusive; `now-24h` by default'),
  to: timeParam('end of the range, exclusive; `now` by default'),
  ...nameFilters,
  demo: demoParam,
  limit: limitParam,
});

export const NoQuery = z.strictObject({});
