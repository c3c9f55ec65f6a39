/**
 * The HTML of every page of the stand-in: boot data as Grafana puts it there, and Grafana's own default content security
 * policy (`content_security_policy_template`), so that the plugin is tried under it.
 */
import { randomBytes } from 'node:crypto';
import type { OrgRole } from './people.ts';
import { PEOPLE } from './people.ts';
import type { PluginRoute } from './plugin-routes.ts';
import type { Session } from './session.ts';

interface PluginInclude {
  readonly type: string;
  readonly name: string;
  readonly path: string;
  readonly role?: OrgRole;
  readonly icon?: string;
  readonly addToNav?: boolean;
  readonly defaultNav?: boolean;
}

export interface BuiltPluginJson {
  readonly id: string;
  readonly name: string;
  readonly info: { readonly version: string; readonly logos: { readonly small: string } };
  readonly includes: readonly PluginInclude[];
  readonly routes: readonly PluginRoute[];
}

const RANK: Readonly<Record<OrgRole, number>> = { Viewer: 1, Editor: 2, Admin: 3 };
/** of the @grafana packages that the host is built with */
const GRAFANA_VERSION = '13.2.2';

function contentSecurityPolicy(nonce: string): string {
  return [
    `script-src 'self' 'unsafe-eval' 'unsafe-inline' 'strict-dynamic' 'nonce-${nonce}'`,
    "object-src 'none'",
    "font-src 'self'",
    "style-src 'self' 'unsafe-inline' blob:",
    'img-src * data:',
    "base-uri 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "media-src 'none'",
    "form-action 'self'",
  ].join(';');
}

export function renderPage(plugin: BuiltPluginJson, session: Session): { html: string; csp: string } {
  const nonce = randomBytes(16).toString('base64');
  const boot = JSON.stringify(bootData(plugin, session)).replaceAll('<', '\\u003c');
  const html = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <base href="/">
    <title>${plugin.name} (stand-in for Grafana)</title>
    <link rel="icon" href="public/plugins/${plugin.id}/${plugin.info.logos.small}">
    <style nonce="${nonce}">*, ::before, ::after { box-sizing: border-box } body { margin: 0 }</style>
    <link rel="stylesheet" href="public/build/host.css">
  </head>
  <body class="theme-${session.theme} app-grafana">
    <div id="reactRoot"></div>
    <script nonce="${nonce}">window.grafanaBootData = ${boot};</script>
    <script nonce="${nonce}" src="public/build/host.js"></script>
  </body>
</html>
`;
  return { html, csp: contentSecurityPolicy(nonce) };
}

/** The parts of Grafana's boot data that @grafana/runtime and the host read. */
function bootData(plugin: BuiltPluginJson, { person, theme }: Session): Record<string, unknown> {
  const role = person?.role ?? 'Viewer';
  return {
    user: {
      isSignedIn: person !== undefined,
      id: person?.id ?? 0,
      uid: person === undefined ? '' : `uid${person.id}`,
      login: person?.login ?? '',
      email: person?.email ?? '',
      name: person?.name ?? '',
      orgId: 1,
      orgName: 'Main Org.',
      orgRole: role,
      isGrafanaAdmin: false,
      timezone: 'browser',
      weekStart: '',
      locale: 'en-US',
      language: 'en-US',
      regionalFormat: 'en-US',
      lightTheme: theme === 'light',
      theme,
      permissions: { 'plugins.app:access': true },
      analytics: { identifier: '' },
      authenticatedBy: person === undefined ? '' : 'oauth_generic_oauth',
    },
    settings: {
      appUrl: '/',
      appSubUrl: '',
      buildInfo: { version: GRAFANA_VERSION, env: 'production', edition: 'Open Source', commit: '' },
      featureToggles: {},
      dateFormats: {
        fullDate: 'YYYY-MM-DD HH:mm:ss.SSS',
        interval: {
          millisecond: 'HH:mm:ss.SSS',
          second: 'HH:mm:ss',
          minute: 'HH:mm',
          hour: 'MM/DD HH:mm',
          day: 'MM/DD',
          month: 'YYYY-MM',
          year: 'YYYY',
        },
        useBrowserLocale: false,
        defaultTimezone: 'browser',
      },
    },
    navTree: plugin.includes
      .filter(({ addToNav, role: needed }) => addToNav === true && RANK[role] >= RANK[needed ?? 'Viewer'])
      .map(({ name, path, icon, defaultNav }) => ({ text: name, url: path, icon, isDefault: defaultNav === true })),
    standIn: {
      plugin: { id: plugin.id, name: plugin.name, version: plugin.info.version, logo: plugin.info.logos.small },
      people: PEOPLE.map(({ login, name, about }) => ({ login, name, about })),
    },
  };
}
