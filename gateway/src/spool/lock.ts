/**
 * One process a directory. The lock is the operating system's (SQLite's exclusive file lock, the one kind Node can take):
 * it ends with the process however it dies and holds across containers. `owner.json` beside it says who has it, and is a
 * second guard where the system's lock was lost. It never breaks a lock that is held.
 */
import { chmodSync, closeSync, openSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { GatelensError } from '../errors.ts';
import { DIRECTORY_MODE, FILE_MODE, systemErrorCode } from './disk.ts';

export interface DirectoryLock {
  release(): void;
}

interface Owner {
  readonly pid: number;
  /** clock ticks between boot and the start of the process: tells a reused pid */
  readonly startTicks: string;
  readonly bootId: string;
}

const SQLITE_BUSY = 5;
const SQLITE_IO_ERROR = 10;

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** @returns undefined where there is no /proc, or no such process */
function startTicksOf(pid: number): string | undefined {
  const stat = readText(`/proc/${String(pid)}/stat`);
  // The command in parentheses may hold spaces; the start time is field 22.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

function bootId(): string {
  return readText('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
}

function readOwner(path: string): Owner | undefined {
  try {
    const value: unknown = JSON.parse(readText(path) ?? '');
    if (typeof value !== 'object' || value === null) return undefined;
    if (!('pid' in value) || !('startTicks' in value) || !('bootId' in value)) return undefined;
    const { pid, startTicks, bootId: boot } = value;
    if (typeof pid !== 'number' || !Number.isInteger(pid)) return undefined;
    return typeof startTicks === 'string' && typeof boot === 'string' ? { pid, startTicks, bootId: boot } : undefined;
  } catch {
    return undefined;
  }
}

/** Only a process that is proved to be the same one counts; without /proc the system's lock alone decides. */
function isAlive(owner: Owner): boolean {
  return owner.startTicks !== '' && owner.bootId === bootId() && startTicksOf(owner.pid) === owner.startTicks;
}

function locked(owner: Owner | undefined): GatelensError {
  const who = owner ? `process ${String(owner.pid)}` : 'another process';
  return new GatelensError(
    'data_dir_locked',
    `The data directory is in use by ${who}. Stop it, or give this one another dataDir.`
  );
}

export function unusable(cause: unknown): GatelensError {
  const code = systemErrorCode(cause);
  const remedy =
    code === 'ENOSPC'
      ? 'Free space on its disk'
      : 'It must be a directory on a local disk that this user may write: check owner, mode and mount, or set dataDir';
  return new GatelensError('data_dir_unusable', `The data directory cannot be used (${code}). ${remedy}.`, { cause });
}

function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}

async function makeDirectory(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true, mode: DIRECTORY_MODE });
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    // What Node answers for a read-only file system; asked plainly it tells the reason.
    await mkdir(dir, { mode: DIRECTORY_MODE });
  }
}

function takeSystemLock(path: string): DatabaseSync {
  try {
    // Opening an existing one here would, on closing, give up the lock that this process may hold already.
    closeSync(openSync(path, 'wx', FILE_MODE));
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
  }
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Makes the directory (0700) where it is missing.
 * @throws GatelensError `data_dir_locked`, `data_dir_unusable`
 */
export async function lockDirectory(dir: string): Promise<DirectoryLock> {
  const ownerPath = join(dir, 'owner.json');
  let database: DatabaseSync;
  try {
    await makeDirectory(dir);
    database = takeSystemLock(join(dir, 'lock'));
  } catch (error) {
    if (sqliteCode(error) === SQLITE_BUSY) throw locked(readOwner(ownerPath));
    if (sqliteCode(error) === SQLITE_IO_ERROR) {
      throw new GatelensError(
        'data_dir_unusable',
        'The file system of the data directory knows no locks. Put dataDir on a local disk.',
        { cause: error }
      );
    }
    throw unusable(error);
  }
  const before = readOwner(ownerPath);
  if (before && isAlive(before)) {
    database.close();
    throw locked(before);
  }
  try {
    chmodSync(dir, DIRECTORY_MODE);
    const owner: Owner = { pid: process.pid, startTicks: startTicksOf(process.pid) ?? '', bootId: bootId() };
    writeFileSync(ownerPath, `${JSON.stringify(owner)}\n`, { mode: FILE_MODE });
  } catch (error) {
    database.close();
    throw unusable(error);
  }
  return {
    release() {
      if (!database.isOpen) return;
      try {
        unlinkSync(ownerPath);
      } catch {
        // A directory that was taken away needs no release.
      }
      database.close();
    },
  };
}
