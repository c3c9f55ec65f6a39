/**
 * Bundles the page of the stand-in: the real @grafana packages and a small shell around the plugin. Run by
 * `npm run build:plugin`. Two internals of the packages are taken by file, because they are not exported: Grafana itself
 * sets them at start.
 */
import { createRequire } from 'node:module';
import path from 'node:path';
import { build } from 'esbuild';
import { HOST_DIST } from './static-files.ts';

const { resolve } = createRequire(import.meta.url);
const inPackage = (name: string, file: string): string =>
  path.join(path.dirname(resolve(`${name}/package.json`)), file);

await build({
  entryPoints: { host: path.join(import.meta.dirname, 'host', 'main.tsx') },
  outdir: HOST_DIST,
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2022',
  jsx: 'automatic',
  // fonts as files: Grafana's content security policy lets none come from data: addresses
  loader: { '.svg': 'dataurl', '.png': 'dataurl', '.ttf': 'file' },
  publicPath: '/public/build/',
  define: { 'process.env.NODE_ENV': '"production"', global: 'window' },
  alias: {
    'grafana-internal/plugin-page': inPackage('@grafana/runtime', 'dist/esm/components/PluginPage.mjs'),
    'grafana-internal/i18n': inPackage('@grafana/i18n', 'dist/esm/i18n.mjs'),
  },
  legalComments: 'none',
  logLevel: 'warning',
  logOverride: { 'package.json': 'silent' },
});
