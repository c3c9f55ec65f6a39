/**
 * Where the built collector is, and whether its tests may be left out: on a machine without it they are skipped aloud,
 * under CI they are not.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const COLLECTOR = fileURLToPath(new URL('../../../collector/dist/gatelens-otelcol', import.meta.url));
export const COLLECTOR_CONFIG = fileURLToPath(new URL('../../../collector/config.yaml', import.meta.url));

/** @throws Error under CI when there is none */
export function isCollectorBuilt(): boolean {
  if (existsSync(COLLECTOR)) return true;
  if (process.env.CI === 'true') throw new Error('The collector is not built: npm run build:collector');
  process.stderr.write('SKIPPED: the tests of the collector. It is not built; `npm run build:collector` needs Go.\n');
  return false;
}
