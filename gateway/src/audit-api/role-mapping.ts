/**
 * Which Grafana teams make Auditors, for which servers, and which see everybody's metadata. A pure function from a
 * mapping and somebody's teams to rights, used to let people in and to see what a change of the mapping would give to
 * whom. Names are compared letter by letter: look-alikes are other teams.
 */

export interface AuditorTeam {
  readonly team: string;
  /** `['*']`: all */
  readonly servers: readonly string[];
}

export interface RoleMapping {
  readonly auditorTeams: readonly AuditorTeam[];
  readonly adminViewTeams: readonly string[];
}

export interface TeamRights {
  /** servers whose payloads may be opened; empty: no Auditor */
  readonly auditorServers: '*' | readonly string[];
  /** sees everybody's metadata */
  readonly adminView: boolean;
}

export function rightsOf(mapping: RoleMapping, teams: ReadonlySet<string>): TeamRights {
  const servers = mapping.auditorTeams.filter(({ team }) => teams.has(team)).flatMap((entry) => entry.servers);
  return {
    auditorServers: servers.includes('*') ? '*' : [...new Set(servers)].sort(),
    adminView: mapping.adminViewTeams.some((team) => teams.has(team)),
  };
}

export function isAuditor({ auditorServers }: TeamRights): boolean {
  return auditorServers === '*' || auditorServers.length > 0;
}

/**
 * Whether `after` opens a payload that `before` does not.
 * @public for the route that changes the mapping
 */
export function opensMore(before: TeamRights, after: TeamRights): boolean {
  if (before.auditorServers === '*') return false;
  if (after.auditorServers === '*') return true;
  return after.auditorServers.some((server) => !before.auditorServers.includes(server));
}

export function teamsNamed(mapping: RoleMapping): ReadonlySet<string> {
  return new Set([...mapping.auditorTeams.map(({ team }) => team), ...mapping.adminViewTeams]);
}
