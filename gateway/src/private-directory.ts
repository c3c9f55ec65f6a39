/**
 * Makes a directory for its owner alone, and those above it that are missing. Level by level: the recursive mode of
 * `mkdir` never returns where a file system answers ENOENT for a directory that it will not have, as /proc does. Changes
 * nothing that is there already.
 */
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const DIRECTORY_MODE = 0o700;

/** @throws the error of the system, for the caller to put into words */
export function makePrivateDirectory(directory: string): void {
  if (isDirectory(directory)) return;
  const parent = dirname(directory);
  if (parent !== directory) makePrivateDirectory(parent);
  try {
    mkdirSync(directory, { mode: DIRECTORY_MODE });
  } catch (error) {
    // Another process was quicker.
    if (!isDirectory(directory)) throw error;
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
