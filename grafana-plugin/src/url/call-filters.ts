/**
 * Filters of the audit log as they stand in the address and in a request: the names are those of the audit API, so that
 * a link, a request and a saved view read the same. Pure functions; what is no filter is left alone.
 */
import type { ApiQuery } from '../data/api.ts';

export const FILTER_FIELDS = [
  'outcome',
  'server',
  'user',
  'operation',
  'tool',
  'client',
  'clientVersion',
  'key',
  'session',
  'errorType',
  'kind',
  'traceId',
] as const;
export type FilterField = (typeof FILTER_FIELDS)[number];

export const FIELD_LABEL: Readonly<Record<FilterField, string>> = {
  outcome: 'Status',
  server: 'Server',
  user: 'User',
  operation: 'Operation',
  tool: 'Tool',
  client: 'Client',
  clientVersion: 'Client version',
  key: 'API key',
  session: 'Session',
  errorType: 'Error',
  kind: 'Kind',
  traceId: 'Trace',
};

export interface FilterTerm {
  readonly field: FilterField;
  readonly value: string;
  /** excludes the value */
  readonly not: boolean;
}

export interface CallFilters {
  readonly terms: readonly FilterTerm[];
  /** words in the metadata */
  readonly text: string;
  readonly minDurationMs: number | undefined;
  readonly maxDurationMs: number | undefined;
  /** rows of `gatelens demo --history` in place of real ones */
  readonly demo: boolean;
}

export const NO_FILTERS: CallFilters = {
  terms: [],
  text: '',
  minDurationMs: undefined,
  maxDurationMs: undefined,
  demo: false,
};

function excludedName(field: FilterField): string {
  return `not${field.charAt(0).toUpperCase()}${field.slice(1)}`;
}

/** A trace is looked for, never excluded. */
export function canExclude(field: FilterField): boolean {
  return field !== 'traceId';
}

export function readFilters(search: URLSearchParams): CallFilters {
  const terms = FILTER_FIELDS.flatMap((field) => [
    ...search.getAll(field).map((value) => ({ field, value, not: false })),
    ...(canExclude(field) ? search.getAll(excludedName(field)).map((value) => ({ field, value, not: true })) : []),
  ]);
  return {
    terms: terms.filter(({ value }) => value !== ''),
    text: search.get('q') ?? '',
    minDurationMs: readDuration(search.get('minDurationMs')),
    maxDurationMs: readDuration(search.get('maxDurationMs')),
    demo: search.get('demo') === 'true',
  };
}

/** Puts filters in place of those in `search`; the other parameters stay. */
export function writeFilters(search: URLSearchParams, filters: CallFilters): URLSearchParams {
  const next = new URLSearchParams(search);
  for (const field of FILTER_FIELDS) {
    next.delete(field);
    next.delete(excludedName(field));
  }
  for (const name of ['q', 'minDurationMs', 'maxDurationMs', 'demo']) next.delete(name);
  for (const [name, value] of Object.entries(filterQuery(filters))) {
    const values = Array.isArray(value) ? (value as readonly string[]) : [String(value)];
    for (const one of values) next.append(name, one);
  }
  return next;
}

/** Parameters of a request; those without a value are left out. */
export function filterQuery(filters: CallFilters): ApiQuery {
  const query: Record<string, string | number | string[]> = {};
  for (const { field, value, not } of filters.terms) {
    const name = not ? excludedName(field) : field;
    const values = query[name];
    if (Array.isArray(values)) values.push(value);
    else query[name] = [value];
  }
  if (filters.text !== '') query.q = filters.text;
  if (filters.minDurationMs !== undefined) query.minDurationMs = filters.minDurationMs;
  if (filters.maxDurationMs !== undefined) query.maxDurationMs = filters.maxDurationMs;
  if (filters.demo) query.demo = 'true';
  return query;
}

export function hasFilters({ terms, text, minDurationMs, maxDurationMs }: CallFilters): boolean {
  return terms.length > 0 || text !== '' || minDurationMs !== undefined || maxDurationMs !== undefined;
}

/** Adds a term; the same value with the opposite sign gives way. */
export function withTerm(filters: CallFilters, term: FilterTerm): CallFilters {
  return { ...filters, terms: [...withoutValue(filters, term), term] };
}

export function withoutTerm(filters: CallFilters, term: FilterTerm): CallFilters {
  return { ...filters, terms: withoutValue(filters, term) };
}

export function hasTerm(filters: CallFilters, term: FilterTerm): boolean {
  return filters.terms.some((one) => one.field === term.field && one.value === term.value && one.not === term.not);
}

function withoutValue({ terms }: CallFilters, { field, value }: FilterTerm): FilterTerm[] {
  return terms.filter((one) => one.field !== field || one.value !== value);
}

function readDuration(text: string | null): number | undefined {
  const value = text === null || text === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) && value >= 0 ? value : undefined;
}
