/**
 * Whether the owner of a schedule may still export it: asked before each window, since a schedule runs when nobody looks.
 * A token that is gone, expired or of another role, a Grafana user who left the Auditor team: it stops.
 */
import type { AuditToken } from '../caller.ts';
import type { GrafanaRoles } from '../grafana/roles.ts';
import { DirectoryUnavailable } from '../grafana/directory.ts';
import { isAuditor, rightsOf } from '../role-mapping.ts';
import type { RunOwner } from '../state/export-runs.ts';
import type { Visibility } from '../visibility.ts';
import { exportRefusal, visibilityOf } from '../visibility.ts';
import type { Role } from '../contract.ts';

export type OwnerRights =
  | { readonly visibility: Visibility }
  /** for good, until somebody who may takes it over */
  | { readonly stopped: string }
  /** nobody can say just now */
  | { readonly unknown: string };

export interface OwnerDeps {
  readonly tokens: () => readonly AuditToken[];
  readonly nowMs: () => number;
  /** left out: nobody comes through Grafana */
  readonly grafanaRoles?: GrafanaRoles;
}

const STOPPED =
  'Its owner may no longer export this. An Auditor (for payloads) or an admin can take it over by saving it again.';

export async function ownerRights(owner: RunOwner, payloads: boolean, deps: OwnerDeps): Promise<OwnerRights> {
  const found = owner.kind === 'token' ? tokenRights(owner, deps) : await grafanaRights(owner, deps);
  if (found === undefined) return { stopped: STOPPED };
  if ('unknown' in found) return found;
  const visibility = visibilityOf({
    kind: owner.kind,
    name: owner.name,
    userKey: owner.userKey,
    roles: found.roles,
    auditorServers: found.servers,
  });
  return exportRefusal(visibility, payloads) === undefined ? { visibility } : { stopped: STOPPED };
}

interface Rights {
  readonly roles: readonly Role[];
  readonly servers: '*' | readonly string[];
}

function tokenRights({ name }: RunOwner, { tokens, nowMs }: OwnerDeps): Rights | undefined {
  const token = tokens().find((one) => one.name === name);
  if (token === undefined) return undefined;
  if (token.expires !== undefined && !(Date.parse(token.expires) > nowMs())) return undefined;
  return { roles: [token.role], servers: token.servers ?? '*' };
}

async function grafanaRights(
  owner: RunOwner,
  { grafanaRoles }: OwnerDeps
): Promise<Rights | { unknown: string } | undefined> {
  const id = /^grafana:\d+:(.+)$/.exec(owner.subject)?.[1];
  if (id === undefined || grafanaRoles === undefined) return undefined;
  const { mapping } = grafanaRoles.roles.current();
  const user = { id, login: owner.name, email: '', name: '', role: '', authenticatedBy: '' };
  try {
    const membership = await grafanaRoles.memberships.membershipOf(user, mapping, undefined);
    if (membership === undefined) return undefined;
    const rights = rightsOf(mapping, membership.teams);
    const roles: Role[] = [
      ...(membership.role === 'Admin' || rights.adminView ? (['admin'] as const) : []),
      ...(isAuditor(rights) ? (['auditor'] as const) : []),
    ];
    return { roles, servers: rights.auditorServers };
  } catch (error) {
    if (!(error instanceof DirectoryUnavailable)) throw error;
    return { unknown: 'Grafana does not say whether its owner is still Auditor. It goes on once Grafana answers.' };
  }
}
