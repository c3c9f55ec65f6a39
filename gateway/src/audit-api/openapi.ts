/**
 * Makes the OpenAPI document from the contract, without a server behind it: for `/api/v1/openapi.json`, for the
 * generated docs and for clients' types. Knows no data and no caller.
 */
import type { RouteConfig } from '@hono/zod-openapi';
import { OpenAPIHono } from '@hono/zod-openapi';
import { BEARER } from './contract.ts';
import * as callRoutes from './contract/call-routes.ts';
import * as exportRoutes from './contract/export-routes.ts';
import * as exportScheduleRoutes from './contract/export-schedule-routes.ts';
import { payloadSearchRoute } from './contract/payload-search.ts';
import * as settingsRoutes from './contract/settings-routes.ts';
import * as systemRoutes from './contract/system-routes.ts';
import * as toolChangeRoutes from './contract/tool-changes.ts';
import * as usageRoutes from './contract/usage-routes.ts';

/** In the order of the document. */
const ALL_ROUTES: readonly RouteConfig[] = [
  ...Object.values(callRoutes),
  payloadSearchRoute,
  ...Object.values(toolChangeRoutes),
  ...Object.values(usageRoutes),
  ...Object.values(exportRoutes),
  ...Object.values(exportScheduleRoutes),
  ...Object.values(settingsRoutes),
  ...Object.values(systemRoutes),
];

/** @param version of the program */
export function openApiDocument(version: string): Record<string, unknown> {
  const api = new OpenAPIHono();
  api.openAPIRegistry.registerComponent('securitySchemes', BEARER, {
    type: 'http',
    scheme: 'bearer',
    description: 'An automation token of `auditApi.tokens`. What it may see depends on its role.',
  });
  for (const route of ALL_ROUTES) api.openAPIRegistry.registerPath(route);
  const document = api.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Gatelens audit API',
      version,
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
  });
  return { ...document };
}
