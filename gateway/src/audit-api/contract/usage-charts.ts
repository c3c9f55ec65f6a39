/** Usage over time, and how much ran at once, as JSON. Part of the contract. */
import { z } from '@hono/zod-openapi';
import { OUTCOMES_AND_OPEN } from './filters.ts';
import { usageCost, usageCurrency, usageFigures, usageLatency } from './usage.ts';

/** Of every answer about usage. */
export const usageRange = {
  from: z.string().openapi({ description: 'start of the range, inclusive; RFC 3339' }),
  to: z.string().openapi({ description: 'end of the range, exclusive; RFC 3339' }),
  scope: z.enum(['own', 'all']).openapi({ description: '`own`: the caller’s calls only' }),
  demo: z.boolean(),
};

export const lagSeconds = z
  .number()
  .openapi({ description: 'how far the rollups are behind; the figures are complete all the same' });

const UsageBucket = z
  .object({
    start: z.string().openapi({ description: 'RFC 3339, a multiple of the width' }),
    ...usageFigures,
    ...usageLatency,
    outcomes: z
      .partialRecord(z.enum(OUTCOMES_AND_OPEN), z.number())
      .openapi({ description: 'requests by outcome; those without any are left out', type: 'object' }),
    tokensEstimated: z.number(),
    ...usageCost,
  })
  .openapi('UsageBucket');
export type UsageBucket = z.infer<typeof UsageBucket>;

export const UsageOverTime = z
  .object({
    ...usageRange,
    ...usageCurrency,
    lagSeconds,
    bucketSeconds: z.number(),
    buckets: z.array(UsageBucket).openapi({ description: 'oldest first, without gaps' }),
    previous: z.array(UsageBucket).nullable().openapi({
      description:
        'with `compare=previous`: as many buckets of the time just before, to be drawn over the others one by one; else null',
    }),
  })
  .openapi('UsageOverTime');
export type UsageOverTime = z.infer<typeof UsageOverTime>;

export const Concurrency = z
  .object({
    ...usageRange,
    bucketSeconds: z.number(),
    peak: z
      .object({ parallel: z.number(), start: z.string().openapi({ description: 'start of the bucket' }) })
      .nullable()
      .openapi({ description: 'the most requests that ran at the same time; null: there were none' }),
    busiestMinute: z
      .object({ calls: z.number(), start: z.string() })
      .nullable()
      .openapi({ description: 'the minute in which the most requests began' }),
    buckets: z.array(
      z.object({
        start: z.string(),
        parallel: z.number().openapi({ description: 'the most that ran at the same time in this bucket' }),
      })
    ),
    servers: z
      .array(z.object({ server: z.string(), parallel: z.number() }))
      .openapi({ description: 'the same of each server over the whole range, highest first' }),
  })
  .openapi('Concurrency');
export type Concurrency = z.infer<typeof Concurrency>;
