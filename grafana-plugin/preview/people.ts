/**
 * The people and teams that the stand-in for Grafana knows: one for each row of the access matrix. Made up, each with an
 * e-mail address that an identity provider vouches for, as `authenticatedBy` says.
 */

export type OrgRole = 'Viewer' | 'Editor' | 'Admin';

export interface Person {
  readonly id: number;
  readonly login: string;
  readonly name: string;
  readonly email: string;
  readonly role: OrgRole;
  readonly teams: readonly string[];
  /** what the user switcher says */
  readonly about: string;
}

export const PEOPLE: readonly Person[] = [
  person(2, 'ana', 'Ana Silva', 'Viewer', ['Platform'], 'Viewer: own calls'),
  person(3, 'erik', 'Erik Lund', 'Editor', ['Platform'], 'Editor: own calls'),
  person(4, 'olga', 'Olga Brandt', 'Admin', [], 'Admin: everybody’s metadata'),
  person(5, 'vera', 'Vera Okafor', 'Viewer', ['Platform', 'Security Audit'], 'Viewer + Auditor: payloads too'),
  person(6, 'marc', 'Marc Dubois', 'Admin', ['Security Audit'], 'Admin + Auditor: payloads and settings'),
  person(7, 'lin', 'Lin Chen', 'Viewer', ['Memory Audit'], 'Auditor of one server: memory'),
];

/** Who is shown when nobody has chosen. */
export const FIRST_LOGIN = 'marc';
export const ANONYMOUS = 'anonymous';

/** With ids as Grafana gives them: numbers of this instance. */
export const TEAMS: readonly { readonly id: number; readonly uid: string; readonly name: string }[] = [
  'Platform',
  'Security Audit',
  'Memory Audit',
].map((name, index) => ({ id: index + 1, uid: `team${index + 1}`, name }));

/** What the audit API's `auditApi.grafana.auditorTeams` has to say for these people. */
export const AUDITOR_TEAMS = [
  { team: 'Security Audit', servers: ['*'] },
  { team: 'Memory Audit', servers: ['memory'] },
] as const;

export function personByLogin(login: string): Person | undefined {
  return PEOPLE.find((one) => one.login === login);
}

function person(
  id: number,
  login: string,
  name: string,
  role: OrgRole,
  teams: readonly string[],
  about: string
): Person {
  return { id, login, name, email: `${login}@example.com`, role, teams, about };
}
