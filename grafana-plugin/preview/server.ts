/**
 * The stand-in for Grafana, for development and browser tests: serves the built plugin in a small host page, plays the
 * plugin proxy, ID tokens, teams and users. Loopback only, no passwords, says on every page what it is. It does not show
 * that the plugin works in Grafana; it lets everything but Grafana itself be tried.
 */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { answerGrafanaApi, type GrafanaApi } from './grafana-api.ts';
import { answerJson, readBody } from './http-messages.ts';
import { createIdTokens } from './id-token.ts';
import { renderPage, type BuiltPluginJson } from './page.ts';
import { AUDITOR_TEAMS, FIRST_LOGIN } from './people.ts';
import { proxyToPluginRoute } from './plugin-proxy.ts';
import type { PluginSettings } from './plugin-routes.ts';
import {
  firstSession,
  isLocalRequest,
  isLogin,
  loginCookie,
  needsFirstLogin,
  readSession,
  themeCookie,
} from './session.ts';
import { createFileServer, isBuilt, PLUGIN_DIST, type FileServer } from './static-files.ts';

export interface PreviewOptions {
  /** 0: the system chooses */
  readonly port: number;
  /** where the audit API answers; may come later by `provision` */
  readonly auditApiUrl?: string;
  readonly routeSecret: string;
  /** with which the audit API asks for teams */
  readonly serviceAccountToken: string;
}

export interface Preview {
  /** Grafana's root URL: the issuer of its tokens; without a slash at the end */
  readonly url: string;
  /** As Grafana's provisioning files set a plugin's address. */
  provision(auditApiUrl: string): void;
  close(): Promise<void>;
}

export { AUDITOR_TEAMS, isBuilt };

/** Rejects when the port is taken, and when the plugin is not built. */
export async function startPreview(options: PreviewOptions): Promise<Preview> {
  const plugin = JSON.parse(readFileSync(path.join(PLUGIN_DIST, 'plugin.json'), 'utf8')) as BuiltPluginJson;
  const tokens = await createIdTokens();
  let settings: PluginSettings = {
    enabled: true,
    pinned: true,
    jsonData: options.auditApiUrl === undefined ? {} : { apiUrl: options.auditApiUrl },
    secureJsonData: { routeSecret: options.routeSecret },
  };
  let url = '';
  const api: GrafanaApi = {
    pluginId: plugin.id,
    tokens,
    serviceAccountToken: options.serviceAccountToken,
    settings: () => settings,
    saveSettings: (saved) => {
      settings = saved;
    },
  };
  const handle = createHandler({ plugin, api, files: createFileServer(plugin.id), issuer: () => url });
  const server = createServer((req, res) => {
    handle(req, res).catch(() => {
      if (!res.headersSent) answerJson(res, 500, { message: 'Internal server error of the stand-in' });
      else res.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    provision: (auditApiUrl) => {
      settings = { ...settings, jsonData: { ...settings.jsonData, apiUrl: auditApiUrl } };
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface HandlerDeps {
  readonly plugin: BuiltPluginJson;
  readonly api: GrafanaApi;
  readonly files: FileServer;
  readonly issuer: () => string;
}

function createHandler({ plugin, api, files, issuer }: HandlerDeps) {
  const proxyPrefix = `/api/plugin-proxy/${plugin.id}/`;
  return async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const url = new URL(req.url ?? '/', 'http://stand-in');
    const { pathname } = url;
    if (!isLocalRequest(req)) {
      answerJson(res, 403, { message: 'This stand-in for Grafana answers its own pages only.' });
      return;
    }
    const { person } = readSession(req);
    if (pathname.startsWith(proxyPrefix)) {
      await proxyToPluginRoute({
        req,
        res,
        path: pathname.slice(proxyPrefix.length),
        query: url.search,
        person,
        idToken: await api.tokens.sign(person, issuer()),
        routes: plugin.routes,
        settings: api.settings(),
      });
      return;
    }
    if (pathname === '/stand-in/session' && req.method === 'POST') return switchSession(req, res);
    if (pathname.startsWith('/api/')) {
      if (!(await answerGrafanaApi(api, req, res, url, person))) answerJson(res, 404, { message: 'Not found' });
      return;
    }
    if (pathname.startsWith('/public/')) {
      if (!files(pathname, req, res)) answerJson(res, 404, { message: 'Not found' });
      return;
    }
    sendPage(plugin, req, res, pathname);
  };
}

async function switchSession(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { login, theme } = JSON.parse(await readBody(req)) as { login?: unknown; theme?: unknown };
  const cookies: string[] = [];
  if (isLogin(login)) cookies.push(loginCookie(login));
  if (theme === 'light' || theme === 'dark') cookies.push(themeCookie(theme));
  res.setHeader('Set-Cookie', cookies);
  answerJson(res, cookies.length === 0 ? 400 : 200, {});
}

function sendPage(plugin: BuiltPluginJson, req: IncomingMessage, res: ServerResponse, pathname: string): void {
  const first = plugin.includes.find((page) => page.defaultNav === true);
  if (pathname === '/' && first !== undefined) {
    res.writeHead(302, { Location: first.path }).end();
    return;
  }
  const firstLogin = needsFirstLogin(req);
  const { html, csp } = renderPage(plugin, firstLogin ? firstSession(req) : readSession(req));
  if (firstLogin) res.setHeader('Set-Cookie', loginCookie(FIRST_LOGIN));
  res.setHeader('Content-Type', 'text/html; charset=utf-8');
  res.setHeader('Content-Security-Policy', csp);
  res.setHeader('X-Content-Type-Options', 'nosniff');
  res.setHeader('X-Frame-Options', 'deny');
  res.setHeader('Cache-Control', 'no-store');
  res.end(html);
}
