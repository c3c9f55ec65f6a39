/**
 * What is built is what `@grafana/create-plugin` produces and Grafana loads. The rules for plugin.json are those of
 * Grafana's published schema, written down here, since its licence does not let it be part of this repository.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { DIST_DIR, PLUGIN_ROOT } from '../../.config/bundler/constants.ts';
import { externals } from '../../.config/bundler/externals.ts';

interface PluginJson {
  readonly [key: string]: unknown;
  readonly id: string;
  readonly name: string;
  readonly info: {
    readonly [key: string]: unknown;
    readonly keywords: readonly string[];
    readonly logos: Readonly<Record<string, string>>;
    readonly screenshots: readonly { readonly path: string }[];
    readonly version: string;
    readonly updated: string;
  };
  readonly includes: readonly Readonly<Record<string, unknown>>[];
  readonly routes: readonly Readonly<Record<string, unknown>>[];
  readonly dependencies: { readonly grafanaDependency: string; readonly plugins: readonly unknown[] };
}

const read = (name: string): string => readFileSync(path.join(DIST_DIR, name), 'utf8');
const plugin = JSON.parse(read('plugin.json')) as PluginJson;
const scripts = readdirSync(DIST_DIR).filter((name) => name.endsWith('.js'));
const chunks = scripts.filter((name) => name !== 'module.js');

const KEYS = ['$schema', 'type', 'name', 'id', 'info', 'includes', 'routes', 'dependencies', 'buildMode'];
const INFO_KEYS = ['author', 'build', 'description', 'keywords', 'links', 'logos', 'screenshots', 'updated', 'version'];
const INCLUDE_KEYS = ['uid', 'type', 'name', 'component', 'role', 'action', 'path', 'addToNav', 'defaultNav', 'icon'];
const ROUTE_KEYS = ['path', 'method', 'url', 'reqSignedIn', 'reqRole', 'reqAction', 'headers', 'body', 'urlParams'];

const unknown = (value: object, known: readonly string[]) => Object.keys(value).filter((key) => !known.includes(key));

describe('plugin.json, as it is built', () => {
  it('is that of an app, with what Grafana asks for and nothing that it does not know', () => {
    expect(unknown(plugin, KEYS)).toEqual([]);
    expect(unknown(plugin.info, INFO_KEYS)).toEqual([]);
    expect(plugin).toMatchObject({ type: 'app', id: 'gatelens-mcpaudit-app', buildMode: 'production' });
    expect(plugin.id).toMatch(/^[0-9a-z]+-([0-9a-z]+-)?app$/);
    expect(plugin.name).not.toBe('');
    expect(plugin.info.keywords.length).toBeGreaterThan(0);
    expect(plugin.info.updated).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    const { version } = JSON.parse(readFileSync(path.join(PLUGIN_ROOT, 'package.json'), 'utf8')) as PluginJson['info'];
    expect(plugin.info.version).toBe(version);
    expect(plugin.dependencies.grafanaDependency).toMatch(/^>=\d+\.\d+\.\d+$/);
    expect(read('plugin.json') + read('README.md')).not.toMatch(/%[A-Z_]+%/);
  });

  it('names pages and routes as Grafana takes them', () => {
    for (const page of plugin.includes) {
      expect(unknown(page, INCLUDE_KEYS)).toEqual([]);
      expect(page).toMatchObject({ type: 'page', role: expect.stringMatching(/^(Viewer|Editor|Admin)$/) as string });
      expect(page.path).toMatch(new RegExp(`^/(a/${plugin.id}/[a-z-]+|plugins/${plugin.id})$`));
    }
    expect(plugin.includes.filter(({ defaultNav }) => defaultNav === true)).toHaveLength(1);
    for (const route of plugin.routes) {
      expect(unknown(route, ROUTE_KEYS)).toEqual([]);
      expect(route).toMatchObject({
        path: 'api/*',
        method: expect.stringMatching(/^[A-Z]+$/) as string,
        // the address comes from who may change settings, the secret only from where Grafana keeps it encrypted
        url: '{{ .JsonData.apiUrl }}/api/v1',
        headers: [{ name: 'Authorization', content: 'Bearer {{ .SecureJsonData.routeSecret }}' }],
      });
    }
  });

  it('names pictures that are there', () => {
    const { logos, screenshots } = plugin.info;
    expect(Object.keys(logos).sort()).toEqual(['large', 'small']);
    for (const file of [...Object.values(logos), ...screenshots.map((one) => one.path)]) {
      expect(existsSync(path.join(DIST_DIR, file)), file).toBe(true);
    }
    expect(Object.values(logos).every((file) => file.endsWith('.svg'))).toBe(true);
  });
});

describe('dist', () => {
  it('has the files of a plugin, and a map for each script', () => {
    const files = readdirSync(DIST_DIR).filter((name) => !/\.js(\.map)?$/.test(name));
    expect(files.sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'img', 'plugin.json']);
    expect(chunks.length).toBeGreaterThan(5);
    for (const script of scripts) expect(existsSync(path.join(DIST_DIR, `${script}.map`)), script).toBe(true);
  });

  it('begins with one AMD module that takes from Grafana what Grafana gives, and nothing else', () => {
    const [, banner, asked = '[]'] =
      /^(\/\* \[create-plugin\] [^\n]*? \*\/)\s*define\((\[[^\]]*\]),/.exec(read('module.js')) ?? [];
    expect(banner).toContain(`plugin: ${plugin.id}@${plugin.info.version}`);
    const names = JSON.parse(asked) as string[];
    expect(names).toEqual(
      expect.arrayContaining(['module', 'react', '@grafana/ui', '@grafana/data', '@grafana/runtime'])
    );
    const given = Array.isArray(externals) ? externals : [externals];
    const isGiven = (name: string) =>
      given.some((one) =>
        one instanceof RegExp
          ? one.test(name)
          : typeof one === 'string'
            ? one === name
            : typeof one === 'object' && Object.values(one).includes(name)
      );
    expect(names.filter((name) => !isGiven(name))).toEqual([]);
  });

  it('holds no second React or Grafana, and makes no code from text', () => {
    for (const script of scripts) {
      const text = read(script);
      expect(text, script).not.toMatch(/Minified React error|__SECRET_INTERNALS|__CLIENT_INTERNALS|@grafana\/ui\/dist/);
      expect(text, script).not.toMatch(/\beval\(|\bnew Function\(/);
      if (script !== 'module.js') expect(text, script).toContain('webpackChunkgatelens_mcpaudit_app');
    }
  });

  it('lets the browser check each chunk', () => {
    const module = read('module.js');
    for (const chunk of chunks) {
      const digest = createHash('sha256')
        .update(readFileSync(path.join(DIST_DIR, chunk)))
        .digest('base64');
      expect(module, chunk).toContain(`sha256-${digest}`);
    }
  });
});
