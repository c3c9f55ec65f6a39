/**
 * `last-verified` in the data directory: when the whole log was last found to be as it was recorded. Health reports carry
 * it on, so that a dashboard shows how old the proof is. A note, no proof itself: whoever owns the directory can write it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = 'last-verified';
const NS_PER_MS = 1_000_000n;

/** Where it cannot be written, e.g. on another machine without that directory, it is left out. */
export function noteVerified(dataDir: string, at: Date): void {
  try {
    writeFileSync(join(dataDir, FILE), `${at.toISOString()}\n`, { mode: 0o600 });
  } catch {
    // the verification itself is what counts
  }
}

/** @returns ns since 1970, 0n if never */
export function lastVerifiedNs(dataDir: string): bigint {
  try {
    const ms = Date.parse(readFileSync(join(dataDir, FILE), 'utf8').trim());
    return Number.isFinite(ms) ? BigInt(ms) * NS_PER_MS : 0n;
  } catch {
    return 0n;
  }
}
