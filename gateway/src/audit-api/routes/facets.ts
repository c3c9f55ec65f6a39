/** `/facets`: the most frequent values of each column, within the caller's visibility. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { FacetCount } from '../../store/queries/facets.ts';
import { countFacets } from '../../store/queries/facets.ts';
import { principalsOf } from '../../store/queries/principals.ts';
import type { Principals } from '../call-view.ts';
import { userView } from '../call-view.ts';
import type { Facet, FacetName } from '../contract.ts';
import { facetsRoute } from '../contract.ts';
import { FACETS, NONE } from '../contract/filters.ts';
import type { ApiEnv, RouteDeps } from '../deps.ts';
import { nowNs } from '../clock.ts';
import { askedFilter } from '../own-calls-only.ts';
import { requireSight } from '../require-sight.ts';
import { formatInstant, recentRange } from '../time-range.ts';
import type { Visibility } from '../visibility.ts';

export function registerFacets(api: OpenAPIHono<ApiEnv>, deps: RouteDeps): void {
  api.openapi(facetsRoute, async (c) => {
    const visibility = await requireSight(c, deps.refusals, 'calls.read');
    const query = c.req.valid('query');
    const range = recentRange(query, nowNs(deps.clock));
    const { signal } = c.req.raw;
    const filter = await askedFilter(c, deps, visibility, query, { signal, action: 'calls.read' });
    const fields = FACETS.filter((name) => query.field === undefined || query.field.includes(name));
    const request = { range, fields, limit: query.limit };
    const counted = await countFacets(deps.store, visibility, filter, request, { signal });
    const people = counted.filter(({ field }) => field === 'user').flatMap(({ values }) => values);
    const keys = people.map(({ value }) => value);
    const principals = await principalsOf(deps.store, visibility, keys, { signal });
    return c.json(
      {
        from: formatInstant(range.fromNs),
        to: formatInstant(range.toNs),
        facets: counted.map((facet) => facetView(facet, visibility, principals)),
      },
      200
    );
  });
}

function facetView(facet: FacetCount<FacetName>, visibility: Visibility, principals: Principals): Facet {
  const empty = facet.field === 'outcome' ? 'open' : NONE;
  const shown = facet.values.reduce((sum, { calls }) => sum + calls, 0);
  return {
    field: facet.field,
    distinct: facet.distinct,
    values: facet.values.map(({ value, calls }) => {
      const user = facet.field === 'user' ? userView(value, visibility, principals) : null;
      return { value: value === '' ? empty : value, ...(user === null ? {} : { user }), calls };
    }),
    otherCalls: facet.calls - shown,
  };
}
