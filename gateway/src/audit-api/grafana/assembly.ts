/** Puts the parts of Grafana's identity together from its settings. Asks nothing yet: Grafana may start later. */
import type { Logger } from '../../logger.ts';
import type { Pseudonyms } from '../../protection/seams.ts';
import type { AccessRecorder } from '../../record/access.ts';
import type { ApiClock } from '../clock.ts';
import type { GrafanaRoles } from './roles.ts';
import type { GrafanaSettings } from '../deps.ts';
import { callerActor } from '../deps.ts';
import { recordAccess } from '../record-access.ts';
import { createRoleState } from '../state/role-state.ts';
import type { GrafanaAuthenticator } from './authenticator.ts';
import { createGrafanaAuthenticator } from './authenticator.ts';
import { createGrafanaDirectory } from './directory.ts';
import { createIdTokenVerifier } from './id-token.ts';
import { createMembershipSource } from './team-rights.ts';
import type { DatabaseSync } from 'node:sqlite';

export interface GrafanaParts extends GrafanaRoles {
  readonly authenticator: GrafanaAuthenticator;
}

export function assembleGrafana(
  settings: GrafanaSettings,
  deps: {
    readonly state: DatabaseSync;
    readonly pseudonyms: Pick<Pseudonyms, 'hash'>;
    readonly accessRecorder: AccessRecorder;
    readonly clock: ApiClock;
    readonly logger: Logger;
  }
): GrafanaParts {
  const { clock, logger, pseudonyms } = deps;
  const { org, url, serviceAccountToken, trustContextTeams } = settings;
  const now = (): string => new Date(clock.wallMs()).toISOString();
  const roles = createRoleState(deps.state, settings.roleMapping, now());
  const directory =
    serviceAccountToken === undefined
      ? {}
      : { directory: createGrafanaDirectory({ url, token: serviceAccountToken, org, clock }) };
  const memberships = createMembershipSource({ ...directory, org, trustContextTeams });
  if (trustContextTeams) {
    logger.warn('grafana_context_teams_trusted', {
      consequence: 'whoever can edit the plugin settings in Grafana can become an Auditor',
    });
  }
  const authenticator = createGrafanaAuthenticator({
    org,
    idTokens: createIdTokenVerifier({ ...settings, nowMs: () => clock.wallMs() }),
    memberships,
    roles,
    identity: settings,
    pseudonyms,
    recordFirstSight: async (caller) => {
      const { auditorServers } = caller;
      const detail = {
        servers: auditorServers === '*' ? ['*'] : auditorServers,
        teams: caller.mappedTeams ?? [],
      };
      await recordAccess(deps, { ...callerActor(caller), action: 'auditor.first_seen', decision: 'allowed', detail });
      logger.warn('auditor_first_seen', { admin: caller.mayChangeSettings === true });
    },
    now,
  });
  return { authenticator, roles, memberships, ...directory };
}
