#!/usr/bin/env node
/**
 * Builds the Gatelens distribution of the OpenTelemetry Collector into collector/dist with the Collector Builder, and
 * checks collector/config.yaml with it. Needs Go on the PATH; says so when it is missing.
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BUILDER = 'go.opentelemetry.io/collector/cmd/builder@v0.161.0';
const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), 'collector');

function run(command, args, env = {}) {
  const done = spawnSync(command, args, { cwd: folder, stdio: 'inherit', env: { ...process.env, ...env } });
  return done.error === undefined ? (done.status ?? 1) : 127;
}

if (run('go', ['version']) !== 0) {
  process.stderr.write('Go is needed to build the collector: install Go 1.25 or newer and put it on the PATH.\n');
  process.exit(1);
}
process.stderr.write('Building the collector (the first time takes some minutes) …\n');
const built = run('go', ['run', BUILDER, '--config', 'builder.yaml']);
if (built !== 0) process.exit(built);

const anything = 'only-for-validation';
process.exit(
  run(join(folder, 'dist', 'gatelens-otelcol'), ['validate', '--config', 'config.yaml'], {
    GATELENS_OTLP_METADATA_TOKEN: anything,
    GATELENS_OTLP_PAYLOADS_TOKEN: anything,
    GATELENS_OTLP_MIRROR_TOKEN: anything,
    CLICKHOUSE_INGEST_PASSWORD: anything,
    CLICKHOUSE_PAYLOAD_INGEST_PASSWORD: anything,
    OTELCOL_STORAGE: join(folder, 'dist', 'storage'),
  })
);
