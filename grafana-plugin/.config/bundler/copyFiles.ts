/** What goes into `dist/` besides the bundle, with the placeholders of `plugin.json` and README replaced. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { PLUGIN_ROOT, SOURCE_DIR } from './constants.ts';

interface PluginJson {
  readonly id: string;
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}

const { version } = readJson(path.join(PLUGIN_ROOT, 'package.json')) as { readonly version: string };
export const { id: pluginId } = readJson(path.join(SOURCE_DIR, 'plugin.json')) as PluginJson;
export const banner = `/* [create-plugin] version: 7.1.7 */ /* [create-plugin] plugin: ${pluginId}@${version} */`;

/** @param buildMode shown by Grafana for plugins built for development */
export function copyPatterns(buildMode: 'production' | 'development') {
  const replacePlaceholders = (content: Buffer) =>
    content
      .toString('utf8')
      .replaceAll('%VERSION%', version)
      .replaceAll('%TODAY%', new Date().toISOString().slice(0, 10))
      .replaceAll('%PLUGIN_ID%', pluginId);
  const withBuildMode = (content: Buffer) =>
    JSON.stringify({ ...(JSON.parse(replacePlaceholders(content)) as object), buildMode }, null, 2);
  return [
    { from: 'plugin.json', to: '.', transform: withBuildMode },
    { from: 'README.md', to: '.', transform: replacePlaceholders },
    { from: 'img', to: 'img' },
    { from: '../../LICENSE', to: '.', toType: 'dir' as const },
    { from: '../../CHANGELOG.md', to: '.', toType: 'dir' as const },
  ];
}
