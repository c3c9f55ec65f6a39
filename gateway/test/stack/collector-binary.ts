/** Where `npm run build:collector` puts the collector, and its configuration. */
import { fileURLToPath } from 'node:url';

export const COLLECTOR = fileURLToPath(new URL('../../../collector/dist/gatelens-otelcol', import.meta.url));
export const COLLECTOR_CONFIG = fileURLToPath(new URL('../../../collector/config.yaml', import.meta.url));
