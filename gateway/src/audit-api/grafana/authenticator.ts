/**
 * From what the plugin's route sends to a caller of the audit API: the signed ID token says who, Grafana's API says which
 * role and teams, the role mapping says what these are worth. Who is seen as an Auditor for the first time is recorded
 * before anything is given out. What may be seen is decided in visibility.ts.
 */
import type { Pseudonyms } from '../../protection/seams.ts';
import type { AccessEntry, AccessReason } from '../../record/access.ts';
import type { Role } from '../contract.ts';
import type { RoleMapping } from '../role-mapping.ts';
import { isAuditor, rightsOf } from '../role-mapping.ts';
import type { RoleState } from '../state/role-state.ts';
import type { ApiCaller } from '../visibility.ts';
import { DirectoryUnavailable } from './directory.ts';
import type { GrafanaUser, IdTokenVerifier } from './id-token.ts';
import type { IdentitySettings } from './own-identity.ts';
import { ownIdentity } from './own-identity.ts';
import type { Membership, MembershipSource } from './team-rights.ts';

/** Headers of one request. */
export interface GrafanaHeaders {
  /** `X-Grafana-Id` */
  readonly idToken: string | undefined;
  /** `X-Grafana-Context` */
  readonly context: string | undefined;
}

export type GrafanaAuthentication =
  | {
      readonly caller: ApiCaller;
      /** names of their teams under another mapping, asked anew. @throws DirectoryUnavailable */
      readonly teamsUnder: (mapping: RoleMapping) => Promise<ReadonlySet<string>>;
    }
  | {
      readonly refused: AccessReason;
      readonly actorKey: string;
      readonly actorPrincipal?: AccessEntry['actorPrincipal'];
    };

export interface GrafanaAuthenticator {
  /** @throws ApiError `not_recorded` when a first sight could not be recorded */
  authenticate(headers: GrafanaHeaders): Promise<GrafanaAuthentication>;
}

export interface GrafanaAuthenticatorOptions {
  readonly org: number;
  readonly idTokens: IdTokenVerifier;
  readonly memberships: MembershipSource;
  readonly roles: RoleState;
  readonly identity: IdentitySettings;
  readonly pseudonyms: Pick<Pseudonyms, 'hash'>;
  /** Resolves when the record is on disk. @throws when it cannot be */
  readonly recordFirstSight: (caller: ApiCaller) => Promise<void>;
  /** RFC 3339 */
  readonly now: () => string;
}

export function createGrafanaAuthenticator(options: GrafanaAuthenticatorOptions): GrafanaAuthenticator {
  const { roles, pseudonyms, org } = options;
  /** first sights that are being recorded: a page asks several things at once */
  const noting = new Map<string, Promise<void>>();
  return {
    async authenticate({ idToken, context }) {
      const verdict = await options.idTokens.verify(idToken);
      if ('refused' in verdict) return { refused: verdict.refused, actorKey: '' };
      const person = identify(verdict.user, options);
      const { mapping } = roles.current();
      let membership: Membership | undefined;
      try {
        membership = await options.memberships.membershipOf(verdict.user, mapping, context);
      } catch (error) {
        if (!(error instanceof DirectoryUnavailable)) throw error;
        return { refused: 'teams_unavailable', ...actorOf(person) };
      }
      if (membership === undefined || membership.role === 'None')
        return { refused: 'not_a_member', ...actorOf(person) };
      const rights = rightsOf(mapping, membership.teams);
      const caller: ApiCaller = {
        kind: 'grafana',
        name: verdict.user.login,
        subject: `grafana:${org}:${verdict.user.id}`,
        roles: rolesOf(membership.role, rights),
        mayChangeSettings: membership.role === 'Admin',
        mappedTeams: [...membership.teams],
        auditorServers: rights.auditorServers,
        ...person,
      };
      await noteAuditor(caller);
      return {
        caller,
        teamsUnder: async (other) => {
          const now = await options.memberships.membershipOf(verdict.user, other, context, { anew: true });
          return now?.teams ?? new Set();
        },
      };
    },
  };

  /** An admin can join an Auditor team in Grafana; that cannot be kept from them, but it cannot happen unseen. */
  async function noteAuditor(caller: ApiCaller): Promise<void> {
    const subject = caller.subject ?? '';
    if (!caller.roles.includes('auditor')) {
      roles.auditorNoMore(subject);
      return;
    }
    const servers = JSON.stringify(caller.auditorServers);
    if (!roles.isNewAuditor(subject, servers)) return;
    const key = JSON.stringify([subject, servers]);
    let noted = noting.get(key);
    if (noted === undefined) {
      noted = options
        .recordFirstSight(caller)
        .then(() => roles.auditorSeen(subject, servers, options.now()))
        .finally(() => noting.delete(key));
      noting.set(key, noted);
    }
    await noted;
  }

  function identify(
    user: GrafanaUser,
    { identity, now }: GrafanaAuthenticatorOptions
  ): Pick<ApiCaller, 'userKey' | 'actorKey' | 'actorPrincipal' | 'email'> & { readonly actorKey: string } {
    // two @: no e-mail, and no subject of the gateway can be the same (access/identity.ts)
    const subject = `grafana@@${org}:${user.id}`;
    const own = ownIdentity(user, identity, (login) => roles.isPinned(login, user.id, now()));
    // who nobody vouches for is known in the access log by Grafana's id, and shown as Grafana's
    if (own === undefined) {
      const actorPrincipal = { login: `grafana:${user.login}`, ...(user.name === '' ? {} : { name: user.name }) };
      return { userKey: '', actorKey: pseudonyms.hash('user', subject), actorPrincipal };
    }
    const userKey = pseudonyms.hash('user', own.subject);
    const email = own.email === undefined ? {} : { email: own.email };
    const actorPrincipal = { ...email, login: user.login, ...(user.name === '' ? {} : { name: user.name }) };
    return { userKey, actorKey: userKey, actorPrincipal, ...email };
  }
}

function actorOf({ actorKey, actorPrincipal }: Pick<ApiCaller, 'actorPrincipal'> & { readonly actorKey: string }) {
  return { actorKey, ...(actorPrincipal === undefined ? {} : { actorPrincipal }) };
}

/** A role that is not known gives the least. */
function rolesOf(orgRole: string, rights: ReturnType<typeof rightsOf>): Role[] {
  const admin = orgRole === 'Admin' || rights.adminView;
  return [
    ...(admin ? (['admin'] as const) : (['viewer'] as const)),
    ...(isAuditor(rights) ? (['auditor'] as const) : []),
  ];
}
