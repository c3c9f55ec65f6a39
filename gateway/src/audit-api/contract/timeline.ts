/**
 * Calls over time as JSON. Part of the contract. `calls` and `outcomes` count every record that fits the filters, as the
 * list shows them; rates and latencies are those of Usage: of requests that are over, and nothing else.
 */
import { z } from '@hono/zod-openapi';
import { OUTCOMES_AND_OPEN } from './filters.ts';

const outcomes = z
  .partialRecord(z.enum(OUTCOMES_AND_OPEN), z.number())
  .openapi({ description: 'records by outcome; those without any are left out', type: 'object' });

const figures = {
  calls: z.number().openapi({ description: 'records that fit the filters' }),
  outcomes,
  requests: z.number().openapi({ description: 'of which requests that are over' }),
  errors: z.number().openapi({
    description: 'of which requests that ended with tool_error, rpc_error, timeout, upstream_unreachable, interrupted',
  }),
  errorRate: z.number().openapi({ description: 'errors / requests, 0 to 1' }),
  p95Ms: z.number().nullable().openapi({ description: 'of requests, exact to the width of a log bucket (9 %)' }),
};

const TimelineBucket = z
  .object({ start: z.string().openapi({ description: 'RFC 3339, a multiple of the width' }), ...figures })
  .openapi('TimelineBucket');

export const Timeline = z
  .object({
    from: z.string().openapi({ description: 'start of the range, inclusive; RFC 3339' }),
    to: z.string().openapi({ description: 'end of the range, exclusive; RFC 3339' }),
    bucketSeconds: z.number(),
    totals: z.object(figures),
    buckets: z.array(TimelineBucket).openapi({ description: 'oldest first, without gaps' }),
  })
  .openapi('Timeline');
export type Timeline = z.infer<typeof Timeline>;
