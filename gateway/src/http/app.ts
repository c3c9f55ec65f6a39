/**
 * The HTTP face of the gateway: routes of the MCP listener. Thin on purpose; `/mcp/<server>`, and the `/sse` and
 * `/messages` below it for clients of the older transport, are answered on the raw Node response by mcp-endpoint.ts, since
 * streams must pass without a copy.
 */
import { randomUUID } from 'node:crypto';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { Context } from 'hono';
import { RESOURCE_METADATA_PREFIX } from '../access/resource-metadata.ts';
import { wireError } from '../errors.ts';
import type { LegacyRole } from '../mcp/exchange.ts';
import { rpcErrorText } from '../mcp/rpc-error.ts';
import { ConnectionNames } from '../mcp/sessions.ts';
import type { McpAppDeps } from './deps.ts';
import { McpEndpoint } from './mcp-endpoint.ts';

export type McpApp = Hono<{ Bindings: HttpBindings }>;

export function createMcpApp(deps: McpAppDeps): McpApp {
  const app: McpApp = new Hono<{ Bindings: HttpBindings }>();
  const endpoint = new McpEndpoint(deps, new ConnectionNames(randomUUID()));

  const answer = async (c: Context<{ Bindings: HttpBindings }>, server: string, legacy?: LegacyRole) => {
    const { incoming, outgoing } = c.env;
    try {
      await endpoint.handle(server, incoming, outgoing, legacy);
    } catch (error) {
      // the class only: a message could hold what passed
      deps.logger.error('mcp_endpoint_failed', { error: error instanceof Error ? error.name : 'unknown' });
      if (outgoing.headersSent) outgoing.destroy();
      else return c.body(INTERNAL, 500, { 'Content-Type': 'application/json' });
    }
    return RESPONSE_ALREADY_SENT;
  };
  app.all('/mcp/:server', (c) => answer(c, c.req.param('server')));
  app.all('/mcp/:server/sse', (c) => answer(c, c.req.param('server'), 'stream'));
  app.all('/mcp/:server/messages', (c) => answer(c, c.req.param('server'), 'message'));

  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  app.get('/readyz', async (c) => {
    const ready = deps.closing?.() !== true && (deps.ready === undefined || (await deps.ready()));
    return ready ? c.json({ status: 'ready' }) : c.json({ status: 'not ready' }, 503);
  });

  const { resourceMetadata } = deps;
  if (resourceMetadata !== undefined) {
    app.get(RESOURCE_METADATA_PREFIX, (c) => c.json(resourceMetadata('')));
    app.get(`${RESOURCE_METADATA_PREFIX}/mcp/:server`, (c) =>
      c.json(resourceMetadata(`/mcp/${encodeURIComponent(c.req.param('server'))}`))
    );
  }

  app.notFound((c) => {
    if (!DISCOVERY.test(c.req.path)) deps.attempts?.count(c.env.incoming.socket.remoteAddress ?? '', 'not_found');
    return c.json({ error: 'There is nothing here. MCP servers are at /mcp/<name>.' }, 404);
  });
  app.onError((error, c) => {
    deps.logger.error('mcp_listener_failed', { error: error.name });
    return c.body(INTERNAL, 500, { 'Content-Type': 'application/json' });
  });
  return app;
}

/** What MCP clients ask for to find the authorization server (RFC 9728, RFC 8414, OpenID Connect): no probing. */
const DISCOVERY =
  /^\/(?:mcp\/[^/]+\/)?\.well-known\/(?:oauth-protected-resource|oauth-authorization-server|openid-configuration)(?:\/|$)/;

const INTERNAL = rpcErrorText(undefined, wireError('internal').rpcCode, 'The gateway failed to handle this request.');
