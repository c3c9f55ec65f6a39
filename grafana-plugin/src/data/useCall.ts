/** One call with all its metadata, and its payload. Opening a payload is recorded, so it is asked for only when shown. */
import { useQuery } from '@tanstack/react-query';
import { getJson } from './api.ts';
import type { CallDetail, CallPayload } from './contract.ts';

export function useCall(id: string) {
  return useQuery({
    queryKey: ['call', id],
    queryFn: ({ signal }) => getJson<CallDetail>(`/calls/${encodeURIComponent(id)}`, {}, signal),
  });
}

export function useCallPayload(id: string, enabled: boolean) {
  return useQuery({
    queryKey: ['call-payload', id],
    queryFn: ({ signal }) => getJson<CallPayload>(`/calls/${encodeURIComponent(id)}/payload`, {}, signal),
    enabled,
    retry: false,
    // gone from memory once no tab shows it
    gcTime: 0,
  });
}
