/** `/healthz` and `/api/v1/openapi.json`: open to everybody who reaches the port; neither says anything about a call. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import { healthRoute, openApiRoute } from '../contract.ts';
import type { ApiEnv, RouteDeps } from '../deps.ts';
import { openApiDocument } from '../openapi.ts';

const HEALTH_TIMEOUT_MS = 2000;

export function registerHealth(api: OpenAPIHono<ApiEnv>, deps: RouteDeps): void {
  const document = openApiDocument(deps.version);

  api.openapi(openApiRoute, (c) => c.json(document, 200));

  api.openapi(healthRoute, async (c) => {
    const { version } = deps;
    try {
      await deps.store.query('SELECT 1', {}, { signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS) });
      return c.json({ status: 'ok' as const, version }, 200);
    } catch {
      return c.json({ status: 'store_unavailable' as const, version }, 503);
    }
  });
}
