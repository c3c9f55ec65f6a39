/**
 * Reads a credential file again whenever it changed, by looking at it when asked: no timer, no watcher, nothing to
 * close. A damaged file counts as empty and is logged once; nobody gets in by it.
 */
import { statSync } from 'node:fs';
import type { Logger } from '../logger.ts';
import { readCredentials, type StoredCredential } from './credential-file.ts';

export interface CredentialSource {
  /** the current entries, revoked and expired ones included; the same array as long as the file is the same */
  list(): readonly StoredCredential[];
}

export function createCredentialSource(file: string, logger: Logger): CredentialSource {
  let entries: readonly StoredCredential[] = [];
  let seen = '';
  return {
    list() {
      const state = fileState(file);
      if (state === seen) return entries;
      seen = state;
      try {
        entries = readCredentials(file);
      } catch {
        entries = [];
        logger.error('credentials.file_unusable', { file });
      }
      return entries;
    },
  };
}

/** Changes with every rename, also within one tick of the file system's clock. */
function fileState(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false, bigint: true });
  return stat === undefined ? 'none' : `${stat.ino}/${stat.mtimeNs}/${stat.size}`;
}
