/**
 * Grafana's plugin proxy, played: what it takes off a request (cookies, `X-Forwarded-*`), what it adds (who the user is,
 * signed and unsigned), and that the route's own headers come last and win. Other headers pass as the browser sent them.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { Person } from './people.ts';
import { TEAMS } from './people.ts';
import type { PluginRoute, PluginSettings } from './plugin-routes.ts';
import { matchRoute } from './plugin-routes.ts';
import { answerJson, readBody } from './http-messages.ts';

const DROPPED = new Set([
  'cookie',
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'origin',
  'referer',
  'x-grafana-user',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  // fetch decodes; the audit API need not compress for loopback
  'accept-encoding',
]);

export interface ProxyRequest {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** below `/api/plugin-proxy/<id>/`, without the query */
  readonly path: string;
  /** with its `?` */
  readonly query: string;
  /** `undefined`: anonymous, who is a Viewer here */
  readonly person: Person | undefined;
  readonly idToken: string;
  readonly routes: readonly PluginRoute[];
  readonly settings: PluginSettings;
}

export async function proxyToPluginRoute(asked: ProxyRequest): Promise<void> {
  const { req, res, person } = asked;
  const method = req.method ?? 'GET';
  const match = matchRoute(asked.routes, { path: asked.path, method, role: person?.role ?? 'Viewer' }, asked.settings);
  if ('refused' in match) {
    const [status, message] =
      match.refused === 'role' ? [403, 'plugin proxy route access denied'] : [404, 'plugin route match not found'];
    answerJson(res, status, { message });
    return;
  }
  const abort = new AbortController();
  res.on('close', () => abort.abort());
  try {
    const hasBody = method !== 'GET' && method !== 'HEAD';
    const answer = await fetch(`${match.url}${asked.query}`, {
      method,
      headers: upstreamHeaders(asked, match.headers),
      signal: abort.signal,
      redirect: 'manual',
      ...(hasBody ? { body: await readBody(req) } : {}),
    });
    res.statusCode = answer.status;
    for (const [name, value] of answer.headers) {
      if (!['set-cookie', 'content-encoding', 'transfer-encoding', 'connection', 'keep-alive'].includes(name)) {
        res.setHeader(name, value);
      }
    }
    res.setHeader('Content-Security-Policy', 'sandbox');
    res.flushHeaders();
    if (answer.body === null) res.end();
    else
      Readable.fromWeb(answer.body as ReadableStream<Uint8Array>)
        .on('error', () => res.destroy())
        .pipe(res);
  } catch {
    if (!res.headersSent && !res.destroyed) answerJson(res, 502, { message: 'Failed to call resource' });
    else res.destroy();
  }
}

function upstreamHeaders(asked: ProxyRequest, routeHeaders: ReadonlyMap<string, string>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(asked.req.headers)) {
    if (value !== undefined && !DROPPED.has(name)) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  headers.set('X-Grafana-Context', JSON.stringify(contextOf(asked.person)));
  headers.set('X-Grafana-Id', asked.idToken);
  for (const [name, value] of routeHeaders) headers.set(name, value);
  return headers;
}

/** Unsigned; the audit API is right not to believe it. */
function contextOf(person: Person | undefined): Record<string, unknown> {
  const base = { OrgID: 1, OrgName: 'Main Org.', IsServiceAccount: false, IsAnonymous: person === undefined };
  if (person === undefined) return { ...base, UserID: 0, Login: '', Name: '', Email: '', OrgRole: 'Viewer', Teams: [] };
  return {
    ...base,
    UserID: person.id,
    UserUID: `uid${person.id}`,
    Login: person.login,
    Name: person.name,
    Email: person.email,
    OrgRole: person.role,
    AuthenticatedBy: 'oauth_generic_oauth',
    IsGrafanaAdmin: false,
    Teams: TEAMS.filter((team) => person.teams.includes(team.name)).map((team) => team.id),
  };
}
