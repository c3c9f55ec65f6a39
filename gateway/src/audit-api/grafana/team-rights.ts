/**
 * What a Grafana user's organisation role and teams are, as far as the role mapping asks: from Grafana's API, or, only
 * where the configuration says so, from the unsigned context header that names team ids.
 */
import type { RoleMapping } from '../role-mapping.ts';
import { teamsNamed } from '../role-mapping.ts';
import type { Directory, GrafanaDirectory, OrgUser } from './directory.ts';
import type { GrafanaUser } from './id-token.ts';

export interface Membership {
  /** `None`, `Viewer`, `Editor`, `Admin`, or empty where nobody says */
  readonly role: string;
  /** names of those teams of the mapping that the user is in */
  readonly teams: ReadonlySet<string>;
}

export interface MembershipSource {
  /**
   * @param context value of `X-Grafana-Context`
   * @param options `anew`: nothing that was kept serves
   * @returns undefined when the user is not in the organisation, or disabled
   * @throws DirectoryUnavailable
   */
  membershipOf(
    user: GrafanaUser,
    mapping: RoleMapping,
    context: string | undefined,
    options?: { readonly anew: boolean }
  ): Promise<Membership | undefined>;
}

export interface MembershipOptions {
  /** left out: no service account, so no teams are known but those of the context */
  readonly directory?: GrafanaDirectory;
  readonly org: number;
  readonly trustContextTeams: boolean;
}

const LONGEST_CONTEXT_CHARACTERS = 65_536;

export function createMembershipSource({ directory, org, trustContextTeams }: MembershipOptions): MembershipSource {
  return {
    async membershipOf(user, mapping, context, { anew } = { anew: false }) {
      const told = trustContextTeams ? contextTeams(context, user, org) : undefined;
      if (directory === undefined) {
        // without names, a team of the mapping is meant by its id
        return { role: user.role, teams: new Set([...(told ?? [])].map(String)) };
      }
      const known = await (anew ? directory.readAnew() : directory.read());
      const member = findUser(known.users, user);
      if (member === undefined || member.disabled) return undefined;
      const named = teamsNamed(mapping);
      const teams = new Set<string>();
      for (const team of known.teams) {
        if (!named.has(team.name)) continue;
        const isIn = told === undefined ? await isMember(known, team.id, member) : told.has(team.id);
        if (isIn) teams.add(team.name);
      }
      return { role: member.role, teams };
    },
  };
}

async function isMember(directory: Directory, teamId: number, member: OrgUser): Promise<boolean> {
  return (await directory.membersOf(teamId)).has(member.userId);
}

/** By what nobody can change first; a login is unique in one Grafana, so it serves where the token has no id. */
function findUser(users: readonly OrgUser[], user: GrafanaUser): OrgUser | undefined {
  if (user.userId !== undefined) return users.find(({ userId }) => userId === user.userId);
  const byUid = users.find(({ uid }) => uid !== '' && uid === user.id);
  return byUid ?? users.find(({ uid, login }) => uid === '' && login !== '' && login === user.login);
}

/** Team ids; none unless the context is about the user whose token it is. */
function contextTeams(context: string | undefined, user: GrafanaUser, org: number): ReadonlySet<number> {
  if (context === undefined || context.length > LONGEST_CONTEXT_CHARACTERS) return new Set();
  try {
    const told: unknown = JSON.parse(context);
    if (typeof told !== 'object' || told === null) return new Set();
    const { UserID, UserUID, OrgID, Login, Teams } = told as Readonly<Record<string, unknown>>;
    const same = user.userId === undefined ? UserUID === user.id : UserID === user.userId;
    if (!same || OrgID !== org || Login !== user.login || !Array.isArray(Teams)) return new Set();
    return new Set(Teams.filter((team): team is number => Number.isSafeInteger(team)));
  } catch {
    return new Set();
  }
}
