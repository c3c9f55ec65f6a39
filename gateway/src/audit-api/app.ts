/**
 * The audit API as a Hono app: security headers, then who calls, then what they may see, then the route. Every path is
 * behind a token unless it is named here as public, so a new route is closed until somebody opens it. Knows no port;
 * audit-api/server.ts listens.
 */
import { OpenAPIHono } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { ApiError } from './api-error.ts';
import { authentication } from './authentication.ts';
import { healthRoute, openApiRoute } from './contract.ts';
import type { ApiEnv, AuditApiDeps, RouteDeps } from './deps.ts';
import { answerError, invalidRequest } from './error-answer.ts';
import { assembleGrafana } from './grafana/assembly.ts';
import { guardStore } from './guarded-store.ts';
import { createRefusalLog } from './refusal-log.ts';
import { registerAccessLog } from './routes/access-log.ts';
import { registerCallPayload } from './routes/call-payload.ts';
import { registerCalls } from './routes/calls.ts';
import { registerExportRuns } from './routes/export-runs.ts';
import { registerExportSchedules } from './routes/export-schedules.ts';
import { registerExports } from './routes/exports.ts';
import { registerFacets } from './routes/facets.ts';
import { registerHealth } from './routes/health.ts';
import { registerMe } from './routes/me.ts';
import { registerPayloadSearch } from './routes/payload-search.ts';
import { registerRoleSettings } from './routes/role-settings.ts';
import { registerSessions } from './routes/sessions.ts';
import { registerStatus } from './routes/status.ts';
import { registerTail } from './routes/tail.ts';
import { registerTimeline } from './routes/timeline.ts';
import { registerToolChanges } from './routes/tool-changes.ts';
import { registerUsage } from './routes/usage.ts';
import { registerUsageCharts } from './routes/usage-charts.ts';
import { registerUsageTables } from './routes/usage-tables.ts';
import { registerUsageUnused } from './routes/usage-unused.ts';
import { registerViews } from './routes/views.ts';
import { createSavedViews } from './state/saved-views.ts';

/** Of everything that is sent here: filters, a mapping, a view. */
const MAX_BODY_BYTES = 64 * 1024;
const PUBLIC_PATHS: ReadonlySet<string> = new Set([healthRoute.path, openApiRoute.path]);

const SECURITY_HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
} as const;

export function createAuditApi(deps: AuditApiDeps): OpenAPIHono<ApiEnv> {
  const { accessRecorder: recorder, clock, logger, state } = deps;
  const refusals = deps.refusals ?? createRefusalLog({ recorder, clock, logger });
  const grafana = deps.grafana === undefined ? undefined : assembleGrafana(deps.grafana, deps);
  if (grafana !== undefined) deps.exporting.grafanaRoles.current = grafana;
  const routeDeps: RouteDeps = {
    ...deps,
    store: guardStore(deps.store, logger),
    refusals,
    views: createSavedViews(state),
    ...(grafana === undefined ? {} : { grafanaRoles: grafana }),
  };
  const grafanaAuthenticator = grafana === undefined ? {} : { grafanaAuthenticator: grafana.authenticator };
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
  api.use(authentication({ ...routeDeps, ...grafanaAuthenticator }, (path) => PUBLIC_PATHS.has(path)));
  api.use(
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: () => {
        throw new ApiError('invalid_request', `The body is longer than ${MAX_BODY_BYTES} bytes.`);
      },
    })
  );
  registerMe(api, routeDeps);
  registerCalls(api, routeDeps);
  registerCallPayload(api, routeDeps);
  registerPayloadSearch(api, routeDeps);
  registerFacets(api, routeDeps);
  registerTimeline(api, routeDeps);
  registerSessions(api, routeDeps);
  registerTail(api, routeDeps);
  registerToolChanges(api, routeDeps);
  registerUsage(api, routeDeps);
  registerUsageCharts(api, routeDeps);
  registerUsageTables(api, routeDeps);
  registerUsageUnused(api, routeDeps);
  registerAccessLog(api, routeDeps);
  registerRoleSettings(api, routeDeps);
  registerStatus(api, routeDeps);
  registerViews(api, routeDeps);
  registerExports(api, routeDeps);
  registerExportRuns(api, routeDeps);
  registerExportSchedules(api, routeDeps);
  registerHealth(api, routeDeps);
  return api;
}

const securityHeaders: MiddlewareHandler<ApiEnv> = async (c, next) => {
  await next();
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) c.header(name, value);
};
