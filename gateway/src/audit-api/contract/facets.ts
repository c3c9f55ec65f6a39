/** Facets as JSON. Part of the contract. */
import { z } from '@hono/zod-openapi';
import { User } from './call.ts';
import { FACETS } from './filters.ts';

const FacetValue = z
  .object({
    value: z.string().openapi({ description: 'as the filter of the same name takes it; `(none)`: an empty column' }),
    user: User.optional().openapi({ description: 'on the facet `user`' }),
    calls: z.number(),
  })
  .openapi('FacetValue');

export const Facet = z
  .object({
    field: z.enum(FACETS),
    distinct: z.number().openapi({ description: 'how many values there are' }),
    values: z.array(FacetValue).openapi({ description: 'most calls first' }),
    otherCalls: z.number().openapi({ description: 'calls of the values that were cut at `limit`' }),
  })
  .openapi('Facet');
export type Facet = z.infer<typeof Facet>;

export const Facets = z
  .object({
    from: z.string().openapi({ description: 'start of the range, inclusive; RFC 3339' }),
    to: z.string().openapi({ description: 'end of the range, exclusive; RFC 3339' }),
    facets: z.array(Facet),
  })
  .openapi('Facets');
export type Facets = z.infer<typeof Facets>;
