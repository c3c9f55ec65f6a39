/**
 * `/settings/roles`: which Grafana teams make Auditors. Grafana Admins change it, but never in their own favour: their
 * teams are asked from Grafana anew and weighed under the old and the new mapping. Each change is recorded before it holds.
 */
import type { Context } from 'hono';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { principalsOf } from '../../store/queries/principals.ts';
import { ApiError } from '../api-error.ts';
import { userView } from '../call-view.ts';
import type { RoleSettings } from '../contract.ts';
import { changeRoleSettingsRoute, roleSettingsRoute } from '../contract.ts';
import type { ApiEnv, RouteDeps } from '../deps.ts';
import type { GrafanaRoles } from '../grafana/roles.ts';
import { accessActor } from '../deps.ts';
import type { Team } from '../grafana/directory.ts';
import { DirectoryUnavailable } from '../grafana/directory.ts';
import { recordAccess } from '../record-access.ts';
import { requireSettings } from '../require-settings.ts';
import type { RoleMapping } from '../role-mapping.ts';
import { opensMore, rightsOf } from '../role-mapping.ts';

export function registerRoleSettings(api: OpenAPIHono<ApiEnv>, deps: RouteDeps): void {
  api.openapi(roleSettingsRoute, async (c) => {
    await requireSettings(c, deps, 'read', 'settings.read');
    return c.json(await settingsView(c, deps, grafanaOf(deps)), 200);
  });

  api.openapi(changeRoleSettingsRoute, async (c) => {
    await requireSettings(c, deps, 'change', 'roles.change');
    const grafana = grafanaOf(deps);
    const { version, ...next } = c.req.valid('json');
    const before = grafana.roles.current();
    if (version !== before.version) throw changedMeanwhile();
    await refuseOwnFavour(c, deps, before.mapping, next);
    await recordAccess(deps, {
      ...accessActor(c),
      action: 'roles.change',
      decision: 'allowed',
      detail: { version: version + 1, ...differences(before.mapping, next) },
    });
    const { actorKey } = accessActor(c);
    const changedAt = new Date(deps.clock.wallMs()).toISOString();
    // between the two, somebody else may have been quicker; their change is recorded as this attempt is
    if (!grafana.roles.change(version, { mapping: next, changedAt, changedBy: actorKey })) throw changedMeanwhile();
    deps.logger.warn('roles_changed', { version: version + 1 });
    return c.json(await settingsView(c, deps, grafana), 200);
  });
}

function grafanaOf({ grafanaRoles }: RouteDeps): GrafanaRoles {
  if (grafanaRoles !== undefined) return grafanaRoles;
  throw new ApiError('not_found', 'There is no role mapping: auditApi.grafana is not configured.');
}

function changedMeanwhile(): ApiError {
  return new ApiError('conflict', 'Somebody else changed the roles meanwhile. Read them again, then change them.');
}

async function refuseOwnFavour(
  c: Context<ApiEnv>,
  deps: RouteDeps,
  before: RoleMapping,
  next: RoleMapping
): Promise<void> {
  const teamsUnder = c.get('teamsUnder');
  try {
    const teams = await teamsUnder?.({
      auditorTeams: [...before.auditorTeams, ...next.auditorTeams],
      adminViewTeams: [],
    });
    if (teams === undefined || opensMore(rightsOf(before, teams), rightsOf(next, teams))) {
      await deps.refusals.refused({ ...accessActor(c), action: 'roles.change', reason: 'self_elevation' });
      const message =
        'This would make you an Auditor, or of more servers. Another Grafana Admin who is in none of these teams has to do it.';
      throw new ApiError('forbidden', message, { reason: 'self_elevation' });
    }
  } catch (error) {
    if (!(error instanceof DirectoryUnavailable)) throw error;
    await deps.refusals.refused({ ...accessActor(c), action: 'roles.change', reason: 'teams_unavailable' });
    const message =
      'Grafana does not say in which teams you are, so the roles stay as they are. Try again in a minute.';
    throw new ApiError('forbidden', message, { reason: 'teams_unavailable' });
  }
}

/** What came and what went, one text a team and server. Names of teams are no names of people. */
function differences(before: RoleMapping, next: RoleMapping): Record<'added' | 'removed', readonly string[]> {
  const lines = ({ auditorTeams, adminViewTeams }: RoleMapping): string[] => [
    ...auditorTeams.flatMap(({ team, servers }) => servers.map((server) => `auditor: ${team} → ${server}`)),
    ...adminViewTeams.map((team) => `admin view: ${team}`),
  ];
  const [old, now] = [lines(before), lines(next)];
  return { added: now.filter((line) => !old.includes(line)), removed: old.filter((line) => !now.includes(line)) };
}

async function settingsView(c: Context<ApiEnv>, deps: RouteDeps, grafana: GrafanaRoles): Promise<RoleSettings> {
  const visibility = c.get('visibility');
  const { version, mapping, changedAt, changedBy } = grafana.roles.current();
  const [teams, principals] = await Promise.all([
    teamsOf(grafana),
    principalsOf(deps.store, visibility, [changedBy], { signal: c.req.raw.signal }),
  ]);
  const members = (name: string): number | null => teams?.find((team) => team.name === name)?.members ?? null;
  return {
    version,
    auditorTeams: mapping.auditorTeams.map(({ team, servers }) => ({
      team,
      servers: [...servers],
      members: members(team),
    })),
    adminViewTeams: mapping.adminViewTeams.map((team) => ({ team, members: members(team) })),
    changedAt,
    changedBy: userView(changedBy, visibility, principals),
    mayChange: visibility.settings === 'change',
    teams: teams === null ? null : teams.map((team) => ({ name: team.name, members: team.members })),
  };
}

async function teamsOf({ directory }: GrafanaRoles): Promise<readonly Team[] | null> {
  try {
    return (await directory?.read())?.teams ?? null;
  } catch {
    return null;
  }
}
