/**
 * The few parts of Grafana's HTTP API that the plugin and the audit API ask: settings of the plugin, teams and users of
 * the organisation, signing keys. Answers have Grafana's shapes; what needs the service account's token is refused without.
 */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerJson, readBody } from './http-messages.ts';
import type { IdTokens } from './id-token.ts';
import { PEOPLE, TEAMS } from './people.ts';
import type { Person } from './people.ts';
import type { PluginSettings } from './plugin-routes.ts';

export interface GrafanaApi {
  readonly pluginId: string;
  readonly tokens: IdTokens;
  readonly serviceAccountToken: string;
  settings(): PluginSettings;
  saveSettings(settings: PluginSettings): void;
}

/** @returns false when it is no route of this API */
export async function answerGrafanaApi(
  api: GrafanaApi,
  req: IncomingMessage,
  res: ServerResponse,
  url: URL,
  person: Person | undefined
): Promise<boolean> {
  const { pathname } = url;
  if (pathname === '/api/signing-keys/keys') {
    res.setHeader('Cache-Control', 'public, max-age=3600');
    answerJson(res, 200, api.tokens.jwks);
    return true;
  }
  if (pathname === `/api/plugins/${api.pluginId}/settings`) {
    await answerSettings(api, req, res, person);
    return true;
  }
  if (pathname === '/api/user/teams') {
    if (person === undefined) answerJson(res, 401, { message: 'Unauthorized' });
    else answerJson(res, 200, TEAMS.filter((team) => person.teams.includes(team.name)).map(teamOf));
    return true;
  }
  const members = /^\/api\/teams\/(\d+)\/members$/.exec(pathname);
  if (members === null && pathname !== '/api/teams/search' && pathname !== '/api/org/users') return false;
  if (!isServiceAccount(api, req) && person?.role !== 'Admin') {
    answerJson(res, 403, { message: "You'll need additional permissions to perform this action." });
  } else if (pathname === '/api/org/users') {
    answerJson(res, 200, PEOPLE.map(orgUser));
  } else if (members === null) {
    const name = url.searchParams.get('name');
    const query = url.searchParams.get('query')?.toLowerCase() ?? '';
    const teams = TEAMS.filter(
      (team) => (name === null || team.name === name) && team.name.toLowerCase().includes(query)
    );
    answerJson(res, 200, { totalCount: teams.length, teams: teams.map(teamOf), page: 1, perPage: 1000 });
  } else {
    const team = TEAMS.find((one) => one.id === Number(members[1]));
    if (team === undefined) answerJson(res, 404, { message: 'Team not found' });
    else
      answerJson(
        res,
        200,
        PEOPLE.filter((one) => one.teams.includes(team.name)).map((one) => memberOf(one, team))
      );
  }
  return true;
}

async function answerSettings(
  api: GrafanaApi,
  req: IncomingMessage,
  res: ServerResponse,
  person: Person | undefined
): Promise<void> {
  if (req.method === 'POST') {
    if (person?.role !== 'Admin') {
      answerJson(res, 403, { message: "You'll need additional permissions to perform this action." });
      return;
    }
    const { enabled, pinned, jsonData, secureJsonData } = JSON.parse(await readBody(req)) as Partial<PluginSettings>;
    const now = api.settings();
    api.saveSettings({
      enabled: enabled ?? now.enabled,
      pinned: pinned ?? now.pinned,
      jsonData: jsonData ?? now.jsonData,
      secureJsonData: { ...now.secureJsonData, ...secureJsonData },
    });
    answerJson(res, 200, { message: 'Plugin settings updated' });
    return;
  }
  const { enabled, pinned, jsonData, secureJsonData } = api.settings();
  const secureJsonFields = Object.fromEntries(Object.keys(secureJsonData).map((key) => [key, true]));
  answerJson(res, 200, { id: api.pluginId, enabled, pinned, jsonData, secureJsonFields });
}

function isServiceAccount(api: GrafanaApi, req: IncomingMessage): boolean {
  const given = Buffer.from(req.headers.authorization ?? '');
  const wanted = Buffer.from(`Bearer ${api.serviceAccountToken}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function teamOf(team: (typeof TEAMS)[number]): Record<string, unknown> {
  return { ...team, orgId: 1, email: '', memberCount: PEOPLE.filter((one) => one.teams.includes(team.name)).length };
}

function memberOf(person: Person, team: (typeof TEAMS)[number]): Record<string, unknown> {
  const { id, login, name, email } = person;
  return {
    orgId: 1,
    teamId: team.id,
    teamUID: team.uid,
    userId: id,
    userUID: `uid${id}`,
    login,
    name,
    email,
    permission: 0,
  };
}

function orgUser({ id, login, name, email, role }: Person): Record<string, unknown> {
  return {
    orgId: 1,
    userId: id,
    uid: `uid${id}`,
    login,
    name,
    email,
    role,
    isDisabled: false,
    authLabels: ['Generic OAuth'],
    isExternallySynced: true,
  };
}
