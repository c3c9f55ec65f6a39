/** Values to choose from in a new filter: closed sets whole, others as the facets count them. */
import type { Facets } from '../data/contract.ts';
import { OUTCOME_ORDER } from '../format/outcomes.ts';
import type { FilterField } from '../url/call-filters.ts';

const KINDS = ['request', 'notification', 'server_request', 'stream', 'attempt'];

export function suggestionsFrom(facets: Facets | undefined): (field: FilterField) => readonly string[] {
  const values = new Map<string, readonly string[]>(
    facets?.facets.map(({ field, values: counted }) => [field, counted.map(({ value }) => value)])
  );
  return (field) => {
    if (field === 'outcome') return OUTCOME_ORDER;
    if (field === 'kind') return KINDS;
    return values.get(field) ?? [];
  };
}
