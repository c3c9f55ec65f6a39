/**
 * Files of the stand-in: the built plugin, the built host, and icons and fonts from the installed packages. Serves what
 * is under a few known directories and nothing above them.
 */
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.map': 'application/json',
  '.json': 'application/json; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.md': 'text/markdown; charset=utf-8',
};

export const PLUGIN_DIST = path.join(import.meta.dirname, '..', 'dist');
export const HOST_DIST = path.join(import.meta.dirname, 'dist');

/** False until `npm run build:plugin` has run. */
export function isBuilt(): boolean {
  return existsSync(path.join(PLUGIN_DIST, 'module.js')) && existsSync(path.join(HOST_DIST, 'host.js'));
}

export type FileServer = (pathname: string, req: IncomingMessage, res: ServerResponse) => boolean;

/** @returns a function that answers, or says that there is no such file */
export function createFileServer(pluginId: string): FileServer {
  const { resolve } = createRequire(import.meta.url);
  const icons = path.join(path.dirname(resolve('@grafana/ui/package.json')), 'dist', 'public', 'img');
  const inter = path.join(path.dirname(resolve('@fontsource-variable/inter/package.json')), 'files');
  const mono = path.join(path.dirname(resolve('@fontsource-variable/roboto-mono/package.json')), 'files');
  const roots: readonly (readonly [prefix: string, directory: string])[] = [
    [`/public/plugins/${pluginId}/`, PLUGIN_DIST],
    ['/public/build/img/', icons],
    ['/public/img/', icons],
    ['/public/build/', HOST_DIST],
  ];
  return (pathname, req, res) => {
    // Grafana's style sheet names one file a weight; the variable font has them all
    const font = /^\/public\/(?:build\/)?fonts\/inter\/Inter-[A-Za-z]+\.woff2$/.test(pathname);
    if (/^\/public\/(?:build\/)?fonts\/roboto\/\w+/.test(pathname)) {
      return sendFile(path.join(mono, 'roboto-mono-latin-wght-normal.woff2'), req, res);
    }
    if (font) return sendFile(path.join(inter, 'inter-latin-wght-normal.woff2'), req, res);
    for (const [prefix, directory] of roots) {
      if (!pathname.startsWith(prefix)) continue;
      const file = path.join(directory, decodeURIComponent(pathname.slice(prefix.length)));
      if (file.startsWith(directory + path.sep) && sendFile(file, req, res)) return true;
    }
    if (pathname.endsWith('.svg'))
      return sendMissingIcon(path.join(icons, 'icons', 'unicons', path.basename(pathname)), res);
    return false;
  };
}

/** The package has not every icon that its components name; Grafana has. One to the left is one to the right, mirrored; an arc stands for the others. */
function sendMissingIcon(file: string, res: ServerResponse): boolean {
  res.setHeader('Content-Type', TYPES['.svg'] ?? '');
  const opposite = file.replace('-left', '-right');
  if (opposite !== file && existsSync(opposite)) {
    // an attribute of the drawing itself: a style of the root is taken off where it is put into the page
    const mirrored = readFileSync(opposite, 'utf8').replace(
      /(<svg[^>]*>)([^]*)(<\/svg>)/,
      '$1<g transform="matrix(-1 0 0 1 24 0)">$2</g>$3'
    );
    res.end(mirrored);
    return true;
  }
  res.end(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path d="M12 3a9 9 0 1 1-9 9h2a7 7 0 1 0 7-7z"/></svg>'
  );
  return true;
}

/** Asked again each time, sent only when it has changed: the host page is large. */
function sendFile(file: string, req: IncomingMessage, res: ServerResponse): boolean {
  if (!existsSync(file)) return false;
  const info = statSync(file);
  if (!info.isFile()) return false;
  const tag = `"${info.mtimeMs}-${info.size}"`;
  res.setHeader('ETag', tag);
  res.setHeader('Content-Type', TYPES[path.extname(file)] ?? 'application/octet-stream');
  res.setHeader('Cache-Control', 'no-cache');
  res.setHeader('X-Content-Type-Options', 'nosniff');
  if (req.headers['if-none-match'] === tag) {
    res.writeHead(304).end();
    return true;
  }
  createReadStream(file).pipe(res);
  return true;
}
