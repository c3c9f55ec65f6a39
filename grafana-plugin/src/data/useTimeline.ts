/** Calls over the whole range, and what there is to filter by: both obey the filters, neither the rows that are loaded. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { getJson, type ApiQuery } from './api.ts';
import type { Facets, Timeline } from './contract.ts';

/** Bars wide enough to be hit. */
const BUCKETS = 120;
const FACET_VALUES = 20;

export function useTimeline(query: ApiQuery) {
  return useQuery({
    queryKey: ['timeline', query],
    queryFn: ({ signal }) => getJson<Timeline>('/timeline', { ...query, buckets: BUCKETS }, signal),
    placeholderData: keepPreviousData,
  });
}

export function useFacets(query: ApiQuery) {
  return useQuery({
    queryKey: ['facets', query],
    queryFn: ({ signal }) => getJson<Facets>('/facets', { ...query, limit: FACET_VALUES }, signal),
    placeholderData: keepPreviousData,
  });
}
