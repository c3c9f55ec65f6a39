/** `/me`: who the caller is and what that lets them see. Reads nothing from the store. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Me } from '../contract.ts';
import { meRoute } from '../contract.ts';
import type { ApiEnv, RouteDeps } from '../deps.ts';
import { explain } from '../visibility.ts';

export function registerMe(api: OpenAPIHono<ApiEnv>, deps: RouteDeps): void {
  api.openapi(meRoute, (c) => {
    const caller = c.get('caller');
    const visibility = c.get('visibility');
    const { calls, usage, identities, accessLog, settings, payloads, nothingBecause } = visibility;
    const email = caller.email === undefined ? {} : { email: caller.email };
    const servers = payloads === false ? [] : payloads.servers === '*' ? '*' : [...payloads.servers];
    const me: Me = {
      kind: caller.kind,
      name: caller.name,
      roles: [...caller.roles],
      user: caller.userKey === '' ? null : { key: caller.userKey, ...email },
      visibility: { calls, usage, identities, accessLog, settings, payloads: { allowed: payloads !== false, servers } },
      explanation: explain(visibility, caller.kind),
      auditorTeams: (deps.grafanaRoles?.roles.current().mapping.auditorTeams ?? []).map(({ team }) => team),
      ...(nothingBecause === undefined ? {} : { nothingBecause }),
    };
    return c.json(me, 200);
  });
}
