#!/usr/bin/env node
/**
 * The door of the repository: `npm start` and `npm test` come here, also in a fresh clone. Installs when node_modules is
 * missing or older than package-lock.json, then runs the task with the Node 24 that the `node` package brings. Does
 * nothing else.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(root, 'node_modules', '.bin');
const node = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

/** Every step of `npm run check`, in the order in which a mistake is cheapest to see. */
const CHECKS = [
  ['types', 'tsc', ['-p', 'tsconfig.json']],
  ['types of the plugin', 'tsc', ['-p', 'grafana-plugin/tsconfig.json']],
  ['lint', 'eslint', ['--max-warnings=0', '.']],
  ['format', 'prettier', ['--check', '--log-level=warn', '.']],
  ['unused code', 'knip', []],
  ['boundaries', 'depcruise', ['--config', '.dependency-cruiser.cjs', 'gateway/src', 'scripts', 'grafana-plugin/src']],
  ['generated docs', 'node', ['scripts/generate-docs.ts', '--check']],
  ['collector', 'node', ['scripts/build-collector.mjs', '--check']],
];

function run(command, args, env = {}) {
  const path = `${bin}${delimiter}${process.env['PATH'] ?? ''}`;
  const done = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, PATH: path, ...env } });
  if (done.error) {
    process.stderr.write(`Could not start ${command}: ${done.error.message}\n`);
    return 1;
  }
  return done.status ?? 1;
}

/** The last step: takes our place. Signals that come here go on to it, so that it ends in order. */
function become(command, args) {
  const path = `${bin}${delimiter}${process.env['PATH'] ?? ''}`;
  const child = spawn(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, PATH: path } });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`Could not start ${command}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = signal === null ? (code ?? 1) : 1;
  });
}

function installed() {
  const mark = join(root, 'node_modules', '.package-lock.json');
  return (
    existsSync(node) && existsSync(mark) && statSync(mark).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs
  );
}

/** npm leaves out, without a word, optional packages that do not want the Node it runs on: here what the tests are built on. */
function refuseOldNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 13) || (major === 20 && minor >= 19)) return;
  process.stderr.write(
    `Node ${process.versions.node} cannot install all that is needed. Take Node 20.19, 22.13 or newer.\n`
  );
  process.exit(1);
}

function install() {
  refuseOldNode();
  process.stderr.write('Installing dependencies (the embedded ClickHouse engine is about 550 MB on disk) …\n');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const status = run(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  if (status !== 0 || !existsSync(node)) {
    process.stderr.write(
      'npm ci failed. Check the network and the registry in your npm configuration, then run the command again.\n'
    );
    process.exit(status === 0 ? 1 : status);
  }
}

function check() {
  for (const [name, command, args] of CHECKS) {
    const started = Date.now();
    const status = run(command, args);
    process.stderr.write(
      `check: ${name} ${status === 0 ? 'ok' : 'FAILED'} (${((Date.now() - started) / 1000).toFixed(1)} s)\n`
    );
    if (status !== 0) return status;
  }
  return 0;
}

/** Whether what is built is older than what it is built from. */
function pluginIsStale() {
  const built = ['dist/module.js', 'preview/dist/host.js'].map((file) => join(root, 'grafana-plugin', file));
  if (!built.every((file) => existsSync(file))) return true;
  const builtMs = Math.min(...built.map((file) => statSync(file).mtimeMs));
  const sources = ['src', 'preview', '.config', 'package.json'].map((name) => join(root, 'grafana-plugin', name));
  return sources.some((source) => newestMs(source) > builtMs);
}

function newestMs(path) {
  const info = statSync(path);
  if (!info.isDirectory()) return info.mtimeMs;
  const names = readdirSync(path).filter((name) => name !== 'dist');
  return Math.max(0, ...names.map((name) => newestMs(join(path, name))));
}

/** For those who run from the repository; without the pages everything else works. */
function keepPluginBuilt() {
  if (!pluginIsStale()) return 0;
  process.stderr.write('Building the pages (grafana-plugin) …\n');
  return buildPlugin();
}

/** The plugin as Grafana loads it (`grafana-plugin/dist`), and the page of the stand-in that shows it without Grafana. */
function buildPlugin() {
  const status = run('webpack', [
    '--config',
    'grafana-plugin/.config/webpack/webpack.config.ts',
    '--env',
    'production',
    '--stats',
    'errors-warnings',
  ]);
  return status === 0 ? run(node, ['grafana-plugin/preview/build-host.ts']) : status;
}

const [task = 'help', ...rest] = process.argv.slice(2);
if (!installed()) install();

switch (task) {
  case 'serve':
    keepPluginBuilt();
    // room for new objects, as the first line of gatelens.mjs has it
    become(node, ['--min-semi-space-size=32', join(root, 'gateway', 'bin', 'gatelens.mjs'), 'serve', ...rest]);
    break;
  case 'check':
    process.exit(check());
    break;
  case 'build-plugin':
    process.exit(buildPlugin());
    break;
  case 'keep-plugin-built':
    process.exit(keepPluginBuilt());
    break;
  case 'test': {
    // `npm test -- some/path` runs just that; the whole suite checks the tree first.
    const status = rest.length === 0 ? check() || keepPluginBuilt() : 0;
    process.exit(status === 0 ? run('vitest', ['run', ...rest]) : status);
    break;
  }
  case 'screenshots':
    process.exit(keepPluginBuilt() || run(node, ['grafana-plugin/test/screenshots/take.ts', ...rest]));
    break;
  case 'node':
    become(node, rest);
    break;
  default:
    process.stderr.write(
      'usage: node scripts/run.mjs serve | test [path] | check | build-plugin | screenshots | node FILE …\n'
    );
    process.exit(2);
}
