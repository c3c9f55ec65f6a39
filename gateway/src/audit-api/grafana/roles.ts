/**
 * Who in Grafana is what, as it is in force: the mapping of teams, the memberships and, with a service account, Grafana's
 * own list of users. Only put together here; what follows from it is decided in visibility.ts.
 */
import type { RoleState } from '../state/role-state.ts';
import type { GrafanaDirectory } from './directory.ts';
import type { MembershipSource } from './team-rights.ts';

export interface GrafanaRoles {
  readonly roles: RoleState;
  readonly memberships: MembershipSource;
  /** left out: no service account */
  readonly directory?: GrafanaDirectory;
}
