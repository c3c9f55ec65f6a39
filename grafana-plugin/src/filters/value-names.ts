/** How filter values read: an outcome by its word, a person by name where the reader may see it. */
import { createContext, useContext } from 'react';
import type { Facets } from '../data/contract.ts';
import { isOutcome, OUTCOMES } from '../format/outcomes.ts';
import { userName } from '../format/people.ts';
import type { FilterField } from '../url/call-filters.ts';

export type ValueNames = (field: FilterField, value: string) => string;

const NONE = '(none)';
const HASH = /^[0-9a-f]{32,}$/;
const SHORT_CHARS = 8;

/** @param facets know the names of people */
export function valueNames(facets: Facets | undefined): ValueNames {
  const people = new Map(
    facets?.facets
      .find(({ field }) => field === 'user')
      ?.values.flatMap(({ value, user }) => (user === undefined ? [] : [[value, userName(user)] as const]))
  );
  return (field, value) => {
    if (field === 'outcome' && isOutcome(value)) return OUTCOMES[value].label;
    if (field === 'user') return people.get(value) ?? (value === NONE ? 'unknown' : shortHash(value));
    if (field === 'session') return shortHash(value);
    return value === NONE ? 'none' : value;
  };
}

function shortHash(value: string): string {
  return HASH.test(value) ? value.slice(0, SHORT_CHARS) : value;
}

const Context = createContext<ValueNames>(valueNames(undefined));
export const ValueNamesProvider = Context.Provider;
export const useValueNames = (): ValueNames => useContext(Context);
