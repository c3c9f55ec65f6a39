/** Teams of the signed-in user, as Grafana tells them; only shown, it decides nothing. */
import { getBackendSrv } from '@grafana/runtime';
import { useQuery } from '@tanstack/react-query';
import { lastValueFrom } from 'rxjs';

interface Team {
  readonly name: string;
}

export function useOwnTeams(enabled: boolean) {
  return useQuery({
    queryKey: ['own-teams'],
    queryFn: async () => {
      const answer = getBackendSrv().fetch<readonly Team[]>({ url: '/api/user/teams', showErrorAlert: false });
      return (await lastValueFrom(answer)).data.map(({ name }) => name);
    },
    enabled,
    retry: false,
  });
}
