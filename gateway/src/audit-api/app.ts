/**
 * The audit API as a Hono app: security headers, then who calls, then what they may see, then the route. Every path is
 * behind a token unless it is named here as public, so a new route is closed until somebody opens it. Knows no port;
 * audit-api/server.ts listens.
 */
import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context, MiddlewareHandler } from 'hono';
import { ApiError } from './api-error.ts';
import type { Authentication } from './caller.ts';
import { createTokenAuthenticator } from './caller.ts';
import { healthRoute, openApiRoute } from './contract.ts';
import type { ApiEnv, AuditApiDeps, RouteDeps } from './deps.ts';
import { answerError, invalidRequest } from './error-answer.ts';
import { guardStore } from './guarded-store.ts';
import { InProcessBindings } from './in-process.ts';
import { createRefusalLog } from './refusal-log.ts';
import { registerCallPayload } from './routes/call-payload.ts';
import { registerCalls } from './routes/calls.ts';
import { registerFacets } from './routes/facets.ts';
import { registerHealth } from './routes/health.ts';
import { registerMe } from './routes/me.ts';
import { registerSessions } from './routes/sessions.ts';
import { registerTimeline } from './routes/timeline.ts';
import { registerUsage } from './routes/usage.ts';
import { registerUsageCharts } from './routes/usage-charts.ts';
import { registerUsageTables } from './routes/usage-tables.ts';
import { registerUsageUnused } from './routes/usage-unused.ts';
import { visibilityOf } from './visibility.ts';

const PUBLIC_PATHS: ReadonlySet<string> = new Set([healthRoute.path, openApiRoute.path]);

const SECURITY_HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
} as const;

const REFUSED_MESSAGE = {
  anonymous: 'Send a token: `Authorization: Bearer <token>`. Make one with `gatelens tokens create`.',
  unknown_token: 'This token is not known. Make one with `gatelens tokens create`.',
  expired_token: 'This token has expired. Make a new one with `gatelens tokens create`.',
} as const;

export function createAuditApi(deps: AuditApiDeps): OpenAPIHono<ApiEnv> {
  const { accessRecorder: recorder, clock, logger } = deps;
  const refusals = createRefusalLog({ recorder, clock, logger });
  const routeDeps: RouteDeps = { ...deps, store: guardStore(deps.store, logger), refusals };
  const api = new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (!result.success) throw invalidRequest(result.error);
    },
  });
  api.onError((error, c) => answerError(c, error, logger));
  api.notFound((c) =>
    answerError(c, new ApiError('not_found', 'No such route. /api/v1/openapi.json lists them.'), logger)
  );
  api.use(securityHeaders);
  api.use(authentication(routeDeps));
  registerMe(api);
  registerCalls(api, routeDeps);
  registerCallPayload(api, routeDeps);
  registerFacets(api, routeDeps);
  registerTimeline(api, routeDeps);
  registerSessions(api, routeDeps);
  registerUsage(api, routeDeps);
  registerUsageCharts(api, routeDeps);
  registerUsageTables(api, routeDeps);
  registerUsageUnused(api, routeDeps);
  registerHealth(api, routeDeps);
  return api;
}

const securityHeaders: MiddlewareHandler<ApiEnv> = async (c, next) => {
  await next();
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) c.header(name, value);
};

function authentication(deps: RouteDeps): MiddlewareHandler<ApiEnv> {
  const authenticate = createTokenAuthenticator(deps);
  return async (c, next) => {
    if (PUBLIC_PATHS.has(c.req.path)) return next();
    c.set('startedMs', deps.clock.monotonicMs());
    const inProcess = InProcessBindings.of(c.env);
    c.set('clientAddress', inProcess?.clientAddress ?? remoteAddress(c));
    const found =
      inProcess?.caller === undefined
        ? authenticate(c.req.header('Authorization'), deps.clock.wallMs())
        : { caller: inProcess.caller };
    if (!('caller' in found)) {
      await recordStranger(c, deps, found);
      throw new ApiError('unauthenticated', REFUSED_MESSAGE[found.refused], { reason: found.refused });
    }
    c.set('caller', found.caller);
    c.set('visibility', visibilityOf(found.caller));
    return next();
  };
}

async function recordStranger(
  c: Context<ApiEnv>,
  deps: RouteDeps,
  { refused, tokenName = '' }: Exclude<Authentication, { caller: unknown }>
): Promise<void> {
  await deps.refusals.refused({
    action: 'authenticate',
    reason: refused,
    actorKey: '',
    actorKind: tokenName === '' ? 'none' : 'token',
    actorName: tokenName,
    roles: [],
    clientAddress: c.get('clientAddress'),
    startedMs: c.get('startedMs'),
  });
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
