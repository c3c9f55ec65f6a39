/** The reader's saved views, kept at the audit API. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getJson, sendJson } from './api.ts';
import type { SavedView, SavedViewList } from './contract.ts';

const VIEWS = ['views'] as const;

export function useViews() {
  return useQuery({
    queryKey: VIEWS,
    queryFn: ({ signal }) => getJson<SavedViewList>('/views', {}, signal),
    retry: false,
  });
}

export function useAddView() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (view: Pick<SavedView, 'name' | 'page' | 'query'>) => sendJson<SavedView>('POST', '/views', view),
    onSuccess: () => cache.invalidateQueries({ queryKey: VIEWS }),
  });
}

export function useRemoveView() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => sendJson<unknown>('DELETE', `/views/${encodeURIComponent(id)}`),
    onSuccess: () => cache.invalidateQueries({ queryKey: VIEWS }),
  });
}
