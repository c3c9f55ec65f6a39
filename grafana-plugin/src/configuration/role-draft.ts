/** A mapping while it is edited, and what it would mean, in words. Pure functions. */
import type { RoleSettings } from '../data/contract.ts';
import type { RoleMapping } from '../data/useSettings.ts';

export const ALL_SERVERS = '*';

export interface DraftTeam {
  readonly team: string;
  readonly servers: readonly string[];
}

export interface RoleDraft {
  readonly auditorTeams: readonly DraftTeam[];
  readonly adminViewTeams: readonly string[];
}

export function draftOf({ auditorTeams, adminViewTeams }: RoleSettings): RoleDraft {
  return {
    auditorTeams: auditorTeams.map(({ team, servers }) => ({ team, servers })),
    adminViewTeams: adminViewTeams.map(({ team }) => team),
  };
}

export function mappingOf({ version }: RoleSettings, draft: RoleDraft): RoleMapping {
  return { version, ...draft };
}

export function isChanged(settings: RoleSettings, draft: RoleDraft): boolean {
  return JSON.stringify(draftOf(settings)) !== JSON.stringify(draft);
}

/** `*` and a name exclude each other: the newest wins. */
export function chosenServers(before: readonly string[], after: readonly string[]): readonly string[] {
  const hadAll = before.includes(ALL_SERVERS);
  const hasAll = after.includes(ALL_SERVERS);
  if (hasAll && !hadAll) return [ALL_SERVERS];
  if (hasAll && after.length > 1) return after.filter((server) => server !== ALL_SERVERS);
  return after;
}

/** e.g. `14 people in Security Audit can open payloads of all servers.` */
export function effectOf({ team, servers }: DraftTeam, members: number | null | undefined): string {
  const who =
    members === undefined || members === null
      ? `Nobody known is in ${team}, which`
      : `${members} ${members === 1 ? 'person' : 'people'} in ${team}`;
  const where =
    servers.length === 0
      ? 'no server yet: choose some'
      : servers.includes(ALL_SERVERS)
        ? 'all servers'
        : servers.join(', ');
  return `${who} can open payloads of ${where}.`;
}
