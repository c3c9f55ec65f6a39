/**
 * Whose calls are a Grafana user's own. Anybody can write any e-mail and login into their own Grafana profile, so an
 * e-mail counts only where another system vouches for it; for Grafana's own password logins, `identities` of the
 * configuration say who is who. No match means no calls, never somebody else's.
 */
import { isEmail, principalOfKey } from '../../access/identity.ts';
import type { Principal } from '../../access/principal.ts';
import type { GrafanaUser } from './id-token.ts';

export interface IdentitySettings {
  readonly identityClaim: 'email' | 'login' | 'sub';
  readonly identities: readonly { readonly grafanaUser: string; readonly user: string }[];
}

/** Ways into Grafana in which another system says who somebody is; Grafana then lets nobody edit it. */
const EXTERNAL = /^(oauth_[a-z0-9_]+|ldap|authproxy|jwt|auth\.jwt|saml|auth\.saml)$/;
/** Entries of `identities` that name a person by something they cannot change. */
const STABLE = /^(user|uid):/;

function isExternallyAuthenticated({ authenticatedBy }: GrafanaUser): boolean {
  return EXTERNAL.test(authenticatedBy);
}

/**
 * @param isPinned whether this person is the one who was first seen under this login
 * @returns undefined when nobody vouches for them
 */
export function ownIdentity(
  user: GrafanaUser,
  { identityClaim, identities }: IdentitySettings,
  isPinned: (login: string) => boolean
): Principal | undefined {
  const named = identities.find(({ grafanaUser }) => isMeant(grafanaUser, user, isPinned));
  if (named !== undefined) return principalOfKey('', named.user.trim());
  if (!isExternallyAuthenticated(user)) return undefined;
  const claim = { email: user.email, login: user.login, sub: user.id }[identityClaim];
  if (claim === '' || (identityClaim === 'email' && !isEmail(claim))) return undefined;
  return principalOfKey('', claim);
}

function isMeant(grafanaUser: string, user: GrafanaUser, isPinned: (login: string) => boolean): boolean {
  if (STABLE.test(grafanaUser)) {
    return grafanaUser === `uid:${user.id}` || (user.userId !== undefined && grafanaUser === `user:${user.userId}`);
  }
  return user.login !== '' && grafanaUser === user.login && isPinned(grafanaUser);
}
