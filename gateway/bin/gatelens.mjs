#!/usr/bin/env -S node --min-semi-space-size=32
/**
 * The door of the program on any Node from 18. Gatelens is TypeScript that Node itself runs, which needs 22.18; on an
 * older one this starts the Node that the `node` package brings and passes arguments, streams, signals and exit code on.
 * The first line gives new objects room: a record dies young, unless the collector comes while it waits for the disk.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** As in the first line. Node cannot be told later. */
const ROOM_FOR_NEW = '--min-semi-space-size=32';

if (isNewEnough(process.versions.node)) {
  const { main } = await import('../src/cli.ts');
  await main();
} else {
  reexecute();
}

function reexecute() {
  const node = findNode();
  if (node === undefined) {
    process.stderr.write(
      `gatelens: needs Node 22.18 or newer, this is ${process.versions.node}. Run npm install in the repository, which brings one, or install a newer Node.\n`
    );
    process.exitCode = 1;
    return;
  }
  const child = spawn(node, [ROOM_FOR_NEW, fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`gatelens: could not start ${node} (${error.code ?? error.name}). Run npm install again.\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = signal === null ? (code ?? 1) : 1;
  });
}

/** The binary of the `node` package, if it is new enough to run us. */
function findNode() {
  try {
    const require = createRequire(import.meta.url);
    if (!isNewEnough(require('node/package.json').version)) return undefined;
    const directory = dirname(require.resolve('node/package.json'));
    const binary = join(directory, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    return existsSync(binary) ? binary : undefined;
  } catch {
    return undefined;
  }
}

/** @param {string} version */
function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 18);
}
