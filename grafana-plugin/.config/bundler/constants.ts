/** Paths of the build, absolute, so that it does not matter from where it is started. */
import path from 'node:path';

export const PLUGIN_ROOT = path.resolve(import.meta.dirname, '..', '..');
export const SOURCE_DIR = path.join(PLUGIN_ROOT, 'src');
export const DIST_DIR = path.join(PLUGIN_ROOT, 'dist');
