/**
 * The routes of the built `plugin.json`, played as Grafana's plugin proxy does: in order, the first whose path and
 * method match; only a trailing `*` carries the rest of the path; header templates filled in from the plugin's settings.
 */
import type { OrgRole } from './people.ts';

export interface PluginRoute {
  readonly path: string;
  readonly method?: string;
  readonly url: string;
  readonly reqRole?: OrgRole;
  readonly headers?: readonly { readonly name: string; readonly content: string }[];
}

export interface PluginSettings {
  readonly enabled: boolean;
  readonly pinned: boolean;
  readonly jsonData: Readonly<Record<string, unknown>>;
  readonly secureJsonData: Readonly<Record<string, string>>;
}

const RANK: Readonly<Record<OrgRole, number>> = { Viewer: 1, Editor: 2, Admin: 3 };

export type RouteMatch =
  { readonly url: string; readonly headers: ReadonlyMap<string, string> } | { readonly refused: 'no_route' | 'role' };

/** @param path below `/api/plugin-proxy/<id>/`, without the query */
export function matchRoute(
  routes: readonly PluginRoute[],
  { path, method, role }: { readonly path: string; readonly method: string; readonly role: OrgRole },
  settings: PluginSettings
): RouteMatch {
  const route = routes.find((one) => methodMatches(one, method) && restOf(one, path) !== undefined);
  if (route === undefined) return { refused: 'no_route' };
  if (route.reqRole !== undefined && RANK[role] < RANK[route.reqRole]) return { refused: 'role' };
  const rest = restOf(route, path) ?? '';
  const base = fill(route.url, settings).replace(/\/$/, '');
  return {
    url: rest === '' ? base : `${base}/${rest}`,
    headers: new Map(route.headers?.map(({ name, content }) => [name, fill(content, settings)])),
  };
}

function methodMatches(route: PluginRoute, method: string): boolean {
  return route.method === undefined || route.method === '' || route.method === '*' || route.method === method;
}

function restOf(route: PluginRoute, path: string): string | undefined {
  if (!route.path.endsWith('*')) return route.path === path ? '' : undefined;
  const prefix = route.path.slice(0, -1);
  return path.startsWith(prefix) ? path.slice(prefix.length) : undefined;
}

/** `{{ .JsonData.x }}` and `{{ .SecureJsonData.x }}`; a missing value reads as it does in Grafana. */
function fill(template: string, { jsonData, secureJsonData }: PluginSettings): string {
  return template.replaceAll(
    /\{\{\s*\.(JsonData|SecureJsonData)\.(\w+)\s*\}\}/g,
    (_all, store: string, key: string) => {
      const value = store === 'JsonData' ? jsonData[key] : secureJsonData[key];
      return typeof value === 'string' ? value : '<no value>';
    }
  );
}
