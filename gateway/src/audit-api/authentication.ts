/**
 * The door of the audit API: who asks, by automation token or through Grafana, or why they are nobody. The `Authorization`
 * header decides the road, so headers of Grafana mean nothing without the secret of its route. Refusals are recorded.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import type { AccessEntry, AccessReason } from '../record/access.ts';
import { ApiError } from './api-error.ts';
import { createTokenAuthenticator } from './caller.ts';
import type { ApiEnv, RouteDeps } from './deps.ts';
import type { GrafanaAuthenticator } from './grafana/authenticator.ts';
import { InProcessBindings } from './in-process.ts';
import type { ApiCaller } from './visibility.ts';
import { visibilityOf } from './visibility.ts';

interface Known {
  readonly caller: ApiCaller;
  readonly teamsUnder?: ApiEnv['Variables']['teamsUnder'];
}

interface Refused {
  readonly refused: AccessReason;
  readonly actor: Pick<AccessEntry, 'actorKey' | 'actorKind' | 'actorName' | 'actorPrincipal'>;
}

const NOBODY = { actorKey: '', actorKind: 'none', actorName: '' } as const;
const BEARER = /^Bearer +([\x21-\x7e]{1,512}) *$/i;

/** Known, but not allowed: 403. The others are 401. */
const FORBIDDEN: ReadonlySet<AccessReason> = new Set(['service_account', 'not_a_member', 'teams_unavailable']);

const MESSAGE: Partial<Record<AccessReason, string>> = {
  anonymous: 'Sign in to Grafana, or send a token: `Authorization: Bearer <token>`, made by `gatelens tokens create`.',
  unknown_token: 'This token is not known. Make one with `gatelens tokens create`.',
  expired_token:
    'This token has expired. Make a new one with `gatelens tokens create`; in Grafana, load the page again.',
  no_id_token: 'Grafana sent no ID token. It needs Grafana 12 or later, or the feature toggle idForwarding.',
  bad_signature: 'The ID token is not one that this Grafana signed.',
  wrong_issuer: 'The ID token is of another Grafana. auditApi.grafana.url must be the root_url of Grafana, exactly.',
  wrong_org: 'The ID token is of another Grafana organisation than auditApi.grafana.org.',
  keys_unavailable: 'Grafana’s signing keys cannot be read. The audit API must reach auditApi.grafana.jwksUrl.',
  service_account: 'Service accounts of Grafana see nothing here. Use an automation token of the audit API.',
  not_a_member: 'You are no enabled member of the Grafana organisation that this audit API serves.',
  teams_unavailable: 'Grafana does not say in which teams you are, so nothing is shown. Try again in a minute.',
};

export function authentication(
  deps: RouteDeps & { readonly grafanaAuthenticator?: GrafanaAuthenticator },
  isPublic: (path: string) => boolean
): MiddlewareHandler<ApiEnv> {
  const byToken = createTokenAuthenticator(deps);
  const routeSecret = deps.grafana === undefined ? undefined : digestOf(deps.grafana.routeSecret);

  const identify = async (c: Context<ApiEnv>): Promise<Known | Refused> => {
    const inProcess = InProcessBindings.of(c.env)?.caller;
    if (inProcess !== undefined) return { caller: inProcess };
    const authorization = c.req.header('Authorization');
    if (routeSecret !== undefined && deps.grafanaAuthenticator !== undefined) {
      const presented = BEARER.exec(authorization ?? '')?.[1] ?? '';
      if (timingSafeEqual(digestOf(presented), routeSecret)) return throughGrafana(c, deps.grafanaAuthenticator);
    }
    const found = byToken(authorization, deps.clock.wallMs());
    if ('caller' in found) return found;
    const { refused, tokenName } = found;
    const actor = tokenName === undefined ? NOBODY : { ...NOBODY, actorKind: 'token' as const, actorName: tokenName };
    return { refused, actor };
  };

  return async (c, next) => {
    if (isPublic(c.req.path)) return next();
    c.set('startedMs', deps.clock.monotonicMs());
    c.set('clientAddress', InProcessBindings.of(c.env)?.clientAddress ?? remoteAddress(c));
    const found = await identify(c);
    if (!('caller' in found)) throw await refuse(c, deps, found);
    c.set('caller', found.caller);
    c.set('teamsUnder', found.teamsUnder);
    c.set('visibility', visibilityOf(found.caller));
    c.set('renew', async () => {
      const again = await identify(c);
      return 'caller' in again ? visibilityOf(again.caller) : undefined;
    });
    return next();
  };
}

async function throughGrafana(c: Context<ApiEnv>, authenticator: GrafanaAuthenticator): Promise<Known | Refused> {
  const found = await authenticator.authenticate({
    idToken: c.req.header('X-Grafana-Id'),
    context: c.req.header('X-Grafana-Context'),
  });
  if ('caller' in found) return found;
  const { refused, actorKey, actorPrincipal } = found;
  return {
    refused,
    actor: { actorKey, actorKind: 'grafana', ...(actorPrincipal === undefined ? {} : { actorPrincipal }) },
  };
}

async function refuse(c: Context<ApiEnv>, deps: RouteDeps, { refused, actor }: Refused): Promise<ApiError> {
  await deps.refusals.refused({
    ...actor,
    action: 'authenticate',
    reason: refused,
    roles: [],
    clientAddress: c.get('clientAddress'),
    startedMs: c.get('startedMs'),
  });
  const code = FORBIDDEN.has(refused) ? 'forbidden' : 'unauthenticated';
  return new ApiError(code, MESSAGE[refused] ?? 'You are not known here.', { reason: refused });
}

/** Of equal length whatever was sent, so that comparing tells nothing. */
function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** The peer of the connection, as @hono/node-server hands it over; forwarded headers are not believed. */
function remoteAddress(c: Context): string {
  const env: unknown = c.env;
  if (typeof env !== 'object' || env === null || !('incoming' in env)) return '';
  const { incoming } = env;
  if (typeof incoming !== 'object' || incoming === null || !('socket' in incoming)) return '';
  const { socket } = incoming;
  if (typeof socket !== 'object' || socket === null || !('remoteAddress' in socket)) return '';
  return typeof socket.remoteAddress === 'string' ? socket.remoteAddress : '';
}
