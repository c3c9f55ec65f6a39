#!/usr/bin/env node
/**
 * Builds the Gatelens distribution of the OpenTelemetry Collector into collector/dist with the Collector Builder, and
 * checks collector/config.yaml with it. What was built once for a manifest is kept in the user's cache, so that a clean
 * clone need not build it again. `--check` (a step of `npm run check`) is skipped aloud where there is neither Go nor
 * a built collector, but not under CI=true.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BUILDER = 'go.opentelemetry.io/collector/cmd/builder@v0.161.0';
/** what the modules of that release ask for: Go 1.26; collector/Dockerfile has it, too */
const GO_MINOR = 26;
const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), 'collector');
const binary = join(folder, 'dist', 'gatelens-otelcol');
const stamp = join(folder, 'dist', 'built-from');
/** where Go's own installer puts it, often without a word in the PATH */
const path = [process.env.PATH, '/usr/local/go/bin'].join(delimiter);

const builtFrom = createHash('sha256')
  .update([BUILDER, process.platform, process.arch, readFileSync(join(folder, 'builder.yaml'), 'utf8')].join('\n'))
  .digest('hex');
const cacheRoot = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
const cached = join(cacheRoot, 'gatelens', `otelcol-${builtFrom.slice(0, 32)}`);

function run(command, args, { env = {}, stdio = 'inherit' } = {}) {
  const done = spawnSync(command, args, { cwd: folder, stdio, env: { ...process.env, PATH: path, ...env } });
  return done.error === undefined ? (done.status ?? 1) : 127;
}

function isBuilt() {
  return existsSync(binary) && existsSync(stamp) && readFileSync(stamp, 'utf8') === builtFrom;
}

/** By renaming, so that nobody meets half a file. */
function place(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, `${to}.${process.pid}`);
  renameSync(`${to}.${process.pid}`, to);
}

/**
 * @returns what is wrong with the Go that is here, or undefined. From 1.21 on Go fetches the toolchain that the modules
 * ask for, unless GOTOOLCHAIN=local forbids it (Debian's Go and the golang images have it so); GOTOOLCHAIN of the caller
 * stays in force.
 */
function lackOfGo() {
  const asked = spawnSync('go', ['env', 'GOVERSION', 'GOTOOLCHAIN'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, PATH: path },
  });
  if (asked.error !== undefined || asked.status !== 0) return 'there is no Go';
  const [version = '', toolchain = ''] = asked.stdout.split('\n');
  const minor = Number(/^go1\.(\d+)/.exec(version)?.[1] ?? Infinity);
  if (minor >= GO_MINOR || (minor >= 21 && toolchain !== 'local')) return undefined;
  return `there is ${version}${minor >= 21 ? `, and GOTOOLCHAIN=${toolchain} lets it fetch no newer one` : ''}`;
}

/** @returns exit status; 127 without a Go that can */
function build() {
  if (existsSync(cached)) {
    place(cached, binary);
  } else {
    if (lackOfGo() !== undefined) return 127;
    process.stderr.write('Building the collector (the first time takes some minutes) …\n');
    const started = Date.now();
    const status = run('go', ['run', BUILDER, '--config', 'builder.yaml'], { stdio: ['ignore', 'ignore', 'inherit'] });
    if (status !== 0) return status;
    process.stderr.write(`Built the collector in ${Math.round((Date.now() - started) / 1000)} s.\n`);
    place(binary, cached);
  }
  writeFileSync(stamp, builtFrom);
  return 0;
}

/** Every configuration in the folder, with values in place of secrets. */
function validate() {
  const anything = 'only-for-validation';
  const env = {
    GATELENS_OTLP_METADATA_TOKEN: anything,
    GATELENS_OTLP_PAYLOADS_TOKEN: anything,
    GATELENS_OTLP_MIRROR_TOKEN: anything,
    CLICKHOUSE_INGEST_PASSWORD: anything,
    CLICKHOUSE_PAYLOAD_INGEST_PASSWORD: anything,
    OTELCOL_STORAGE: join(folder, 'dist', 'storage'),
    OTELCOL_TLS_CERT: '/nowhere/tls.crt',
    OTELCOL_TLS_KEY: '/nowhere/tls.key',
    OTELCOL_TLS_CLIENT_CA: '/nowhere/ca.crt',
  };
  const plain = ['validate', '--config', 'config.yaml'];
  return run(binary, plain, { env }) || run(binary, [...plain, '--config', 'mutual-tls.yaml'], { env });
}

const isCheck = process.argv.includes('--check');
let status = isBuilt() ? 0 : build();
if (status === 127) {
  const isRequired = !isCheck || process.env.CI === 'true';
  const what = isRequired
    ? 'Go is needed to build the collector'
    : 'SKIPPED: the check of collector/config.yaml needs Go';
  process.stderr.write(
    `${what}, and ${lackOfGo()}. Install Go 1.${GO_MINOR} from https://go.dev/dl/ (or 1.21 and newer with GOTOOLCHAIN=auto, ` +
      'which fetches it) and put it on the PATH.\n'
  );
  process.exit(isRequired ? 1 : 0);
}
status ||= validate();
process.exit(status);
