/**
 * Runs a Node program with a small file system of its own mounted on a directory: a real full disk, a real read-only
 * one. Needs Linux with user namespaces (or root); where that is missing the tests that need it are skipped.
 */
import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

function probe(): boolean {
  try {
    execFileSync('unshare', ['-rm', 'sh', '-c', 'mount -t tmpfs -o size=64k tmpfs /tmp'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export const canMount = probe();

export function inMountNamespace(
  dir: string,
  options: string,
  program: readonly string[]
): Promise<{ stdout: string }> {
  const script = 'mount -t tmpfs -o "$1" tmpfs "$2" && shift 2 && exec "$@"';
  return run('unshare', ['-rm', 'sh', '-c', script, 'sh', options, dir, process.execPath, ...program], {
    timeout: 50_000,
  });
}
