/**
 * A small file of hashed credentials in the data directory, written by the CLI and read by the running gateway. Holds
 * hashes only; written whole to a temporary name and renamed, under a lock, for its owner alone. A file that cannot be
 * understood is an error and opens no door.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import * as z from 'zod';
import { GatelensError } from '../errors.ts';
import { makePrivateDirectory } from '../private-directory.ts';
import { NAME_PATTERN, TOKEN_ROLES } from './names.ts';

const credentialSchema = z.strictObject({
  name: z.string().regex(NAME_PATTERN),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  user: z.string().min(1).exactOptional(),
  teams: z.array(z.string()).exactOptional(),
  role: z.enum(TOKEN_ROLES).exactOptional(),
  servers: z.array(z.string()).exactOptional(),
  createdAt: z.iso.datetime(),
  expires: z.iso.datetime().exactOptional(),
  revokedAt: z.iso.datetime().exactOptional(),
});
const fileSchema = z.strictObject({ version: z.literal(1), credentials: z.array(credentialSchema) });

export type StoredCredential = z.output<typeof credentialSchema>;

const EMPTY: readonly StoredCredential[] = [];

/** A missing file holds nothing. Throws GatelensError `data_dir_unusable` when it cannot be read or understood. */
export function readCredentials(file: string): readonly StoredCredential[] {
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return EMPTY;
    throw unusable(file, `cannot be read (${errorCode(error)})`, error);
  }
  try {
    return fileSchema.parse(JSON.parse(content)).credentials;
  } catch (error) {
    throw unusable(file, 'is damaged', error);
  }
}

/** Throws `config_invalid` when the name is in use. */
export function addCredential(file: string, credential: StoredCredential): void {
  changeFile(file, (credentials) => {
    if (credentials.some((one) => one.name === credential.name && one.revokedAt === undefined)) {
      throw new GatelensError(
        'config_invalid',
        `The name "${credential.name}" is in use. Choose another, or revoke the old one first.`
      );
    }
    return [...credentials, credential];
  });
}

/** @returns false when no credential in force has that name */
export function revokeCredential(file: string, name: string, at: Date): boolean {
  let found = false;
  changeFile(file, (credentials) =>
    credentials.map((one) => {
      if (one.name !== name || one.revokedAt !== undefined) return one;
      found = true;
      return { ...one, revokedAt: at.toISOString() };
    })
  );
  return found;
}

/** Takes out every credential of that name, as if it had never been: for those that a command made for itself. */
export function forgetCredential(file: string, name: string): void {
  changeFile(file, (credentials) => credentials.filter((one) => one.name !== name));
}

export function isInForce(credential: StoredCredential, nowMs: number): boolean {
  if (credential.revokedAt !== undefined) return false;
  return credential.expires === undefined || nowMs < Date.parse(credential.expires);
}

function changeFile(
  file: string,
  change: (credentials: readonly StoredCredential[]) => readonly StoredCredential[]
): void {
  makeDirectory(dirname(file));
  const lock = `${file}.lock`;
  const held = takeLock(lock);
  try {
    writePrivateFile(file, `${JSON.stringify({ version: 1, credentials: change(readCredentials(file)) }, null, 2)}\n`);
  } finally {
    closeSync(held);
    rmSync(lock, { force: true });
  }
}

const LOCK_WAIT_MS = 3000;

/** The CLI runs for a moment only, so waiting for another run may block. */
function takeLock(lock: string): number {
  const deadline = Date.now() + LOCK_WAIT_MS;
  for (;;) {
    try {
      return openSync(lock, 'wx', 0o600);
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw unusable(lock, `cannot be written (${errorCode(error)})`, error);
      if (Date.now() > deadline) {
        throw unusable(lock, 'is held by another command; if none is running, remove it', error);
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 25);
    }
  }
}

/** Throws GatelensError `data_dir_unusable`. */
function makeDirectory(directory: string): void {
  try {
    makePrivateDirectory(directory);
  } catch (error) {
    throw unusable(directory, `cannot be made (${errorCode(error)})`, error);
  }
}

/** Atomic, durable, mode 0600. */
export function writePrivateFile(file: string, content: string): void {
  const temporary = `${file}.${process.pid}.new`;
  try {
    makeDirectory(dirname(file));
    const handle = openSync(temporary, 'w', 0o600);
    try {
      writeSync(handle, content);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error instanceof GatelensError ? error : unusable(file, `cannot be written (${errorCode(error)})`, error);
  }
}

function unusable(file: string, why: string, cause: unknown): GatelensError {
  return new GatelensError(
    'data_dir_unusable',
    `${file} ${why}. Check the data directory: its owner, its rights, the free space, or choose another with --data-dir.`,
    { cause }
  );
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
