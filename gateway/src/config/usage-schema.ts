/**
 * The settings of the Usage page: what estimated tokens are taken to cost. Prices are about how figures are shown, never
 * about what is recorded; they hold from the next reading on, for past calls too.
 */
import * as z from 'zod';
import { text } from './values.ts';

const MICROS = 1_000_000;

const price = (description: string) =>
  z
    .number()
    .min(0)
    .max(1_000_000)
    .refine((value) => Math.round(value * MICROS) / MICROS === value, 'has more than six decimals')
    .meta({ description, example: '3' });

const costRuleSchema = z.strictObject({
  server: text({ description: 'Server, a pattern.', example: 'docs' }).default('*'),
  tool: text({ description: 'Tool, a pattern; `*` also covers operations without a tool.' }).default('*'),
  perMillionTokens: price('Price of a million estimated tokens.'),
});

export const usageSchema = z
  .strictObject({
    cost: z
      .strictObject({
        currency: z
          .string()
          .regex(/^[A-Z]{3}$/, 'is no currency code; three capital letters, e.g. `EUR`')
          .meta({
            description: 'Code of the currency, as in ISO 4217. Shown beside the figures; nothing is converted.',
            example: 'EUR',
          }),
        perMillionTokens: price('Price of a million estimated tokens where no rule says otherwise.'),
        rules: z.array(costRuleSchema).default([]).meta({
          description: 'Other prices by server and tool; the first that matches decides.',
          example: '[{ server: docs, perMillionTokens: 0.25 }]',
        }),
      })
      .exactOptional()
      .meta({
        description:
          'What the estimated tokens of results cost. Omitted: no cost is shown anywhere. It is computed when it is read, ' +
          'with the prices of now: a changed price changes the figures of past weeks, too.',
      }),
  })
  .prefault({})
  .meta({ description: 'The Usage page.' });
