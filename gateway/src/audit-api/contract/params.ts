/**
 * The parameters that every list and summary is made of: times, repeatable filters, page. Part of the contract. What does
 * not parse is refused with a remedy, an unknown parameter too: a mistyped filter that is ignored would give a wrong
 * answer to an audit question.
 */
import { z } from '@hono/zod-openapi';

const MAX_LIMIT = 1000;
const DEFAULT_LIMIT = 100;
/** values of one filter in one request */
const MAX_FILTER_VALUES = 50;
/** characters of one filter value; longer than any column the gateway writes */
const MAX_FILTER_CHARS = 2048;

const TIME_REMEDY = 'use RFC 3339 (2026-11-24T08:00:00Z, up to 9 fraction digits) or now-15m, now-24h, now-7d, now-4w';

export function timeParam(about: string) {
  return z
    .string('give it once')
    .max(64, TIME_REMEDY)
    .regex(/^(now(-\d{1,6}[smhdw])?|\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d))$/, TIME_REMEDY)
    .optional()
    .openapi({ description: about, example: 'now-24h' });
}

/** One or several values of one parameter; always an array once parsed. */
export function repeated<T extends z.ZodType<string, string>>(one: T, about: string, values?: readonly string[]) {
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

export function repeatedOf<const T extends readonly [string, ...string[]]>(values: T, about: string) {
  return repeated(z.enum(values, `use one of ${values.join(', ')}`), about, values);
}

export const filterText = z
  .string()
  .min(1, 'give a value or leave the parameter out')
  .max(MAX_FILTER_CHARS, `give at most ${MAX_FILTER_CHARS} characters`);

export function wholeNumber(range: { readonly min: number; readonly max: number }, about: string) {
  const remedy = `use a whole number from ${range.min} to ${range.max}`;
  return z.coerce
    .number(remedy)
    .int(remedy)
    .min(range.min, remedy)
    .max(range.max, remedy)
    .openapi({ description: about });
}

export const limitParam = wholeNumber({ min: 1, max: MAX_LIMIT }, 'rows at most').default(DEFAULT_LIMIT);

export const cursorParam = z
  .string('give it once')
  .max(200, 'use nextCursor of the page before, unchanged')
  .regex(/^[A-Za-z0-9_-]+$/, 'use nextCursor of the page before, unchanged')
  .optional()
  .openapi({ description: '`nextCursor` of the page before; the other parameters stay the same' });

export const nextCursor = z
  .string()
  .nullable()
  .openapi({ description: 'pass as `cursor` for the next page; null at the end' });

export const demoParam = z.enum(['true', 'false'], 'use true or false, once').optional().openapi({
  description:
    '`false` (default): real calls only. `true`: only rows made by `gatelens demo --history`. They are never mixed.',
});

export const NoQuery = z.strictObject({});
