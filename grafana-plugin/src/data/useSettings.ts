/** What the Configuration page shows and changes at the audit API: the chain's state, and who is Auditor. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getJson, sendJson } from './api.ts';
import type { RoleSettings, Status } from './contract.ts';

const ROLES = ['role-settings'] as const;

export interface RoleMapping {
  /** of the mapping that is replaced */
  readonly version: number;
  readonly auditorTeams: readonly { readonly team: string; readonly servers: readonly string[] }[];
  readonly adminViewTeams: readonly string[];
}

/** Tests every link now; asked again only when somebody asks again. */
export function useStatus(enabled: boolean) {
  return useQuery({
    queryKey: ['status'],
    queryFn: ({ signal }) => getJson<Status>('/settings/status', {}, signal),
    enabled,
    retry: false,
  });
}

export function useRoleSettings(enabled: boolean) {
  return useQuery({
    queryKey: ROLES,
    queryFn: ({ signal }) => getJson<RoleSettings>('/settings/roles', {}, signal),
    enabled,
    retry: false,
  });
}

export function useChangeRoles() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (mapping: RoleMapping) => sendJson<RoleSettings>('PUT', '/settings/roles', mapping),
    onSuccess: (settings) => cache.setQueryData(ROLES, settings),
  });
}
