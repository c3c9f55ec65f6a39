/** Who the caller is to the audit API, and what that lets them see. */
import { useQuery } from '@tanstack/react-query';
import { getJson } from './api.ts';
import type { Me } from './contract.ts';

export function useMe() {
  return useQuery({ queryKey: ['me'], queryFn: ({ signal }) => getJson<Me>('/me', {}, signal) });
}
