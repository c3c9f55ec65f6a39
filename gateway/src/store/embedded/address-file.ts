/**
 * `store.address` in the data directory: where the embedded store listens while it runs, for commands beside it. It may
 * be left over from a process that was killed, so whoever reads it must try. Holds no secret.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = 'store.address';
const LOOPBACK = /^http:\/\/127\.0\.0\.1:\d{1,5}$/;

/** Where it cannot be written, commands ask at the configured address. @returns what takes it away again */
export function publishStoreAddress(dataDir: string, url: string): () => void {
  const file = join(dataDir, FILE);
  try {
    writeFileSync(file, `${url}\n`, { mode: 0o600 });
  } catch {
    return () => undefined;
  }
  return () => rmSync(file, { force: true });
}

export function publishedStoreAddress(dataDir: string): string | undefined {
  try {
    const url = readFileSync(join(dataDir, FILE), 'utf8').trim();
    return LOOPBACK.test(url) ? url : undefined;
  } catch {
    return undefined;
  }
}
