/**
 * The few disk operations the spool writes with, each by Node's callback API on a bare descriptor (a FileHandle costs
 * more per call). An argument everywhere, so that a test can let any of them fail. It refuses to retry: what a failure
 * means is decided by its caller.
 */
import { close, constants, fdatasync, fsync, ftruncate, open, rename, unlink, writev } from 'node:fs';

export const FILE_MODE = 0o600;
export const DIRECTORY_MODE = 0o700;

export interface Disk {
  /** Makes the file, or empties one of that name. */
  create(path: string): Promise<number>;
  openForUpdate(path: string): Promise<number>;
  /** Resolves with the bytes written, which may be fewer than given. */
  write(fd: number, pieces: readonly Uint8Array[], position: number): Promise<number>;
  fdatasync(fd: number): Promise<void>;
  truncate(fd: number, bytes: number): Promise<void>;
  close(fd: number): Promise<void>;
  remove(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Makes names created, renamed or removed in the directory survive a power cut. */
  syncDirectory(path: string): Promise<void>;
}

function done(start: (callback: (error: NodeJS.ErrnoException | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

function openFile(path: string, flags: number): Promise<number> {
  return new Promise((resolve, reject) => {
    open(path, flags, FILE_MODE, (error, fd) => {
      if (error) reject(error);
      else resolve(fd);
    });
  });
}

export const nodeDisk: Disk = {
  create: (path) => openFile(path, constants.O_CREAT | constants.O_TRUNC | constants.O_RDWR),
  openForUpdate: (path) => openFile(path, constants.O_RDWR),
  write: (fd, pieces, position) =>
    new Promise((resolve, reject) => {
      writev(fd, pieces, position, (error, written) => {
        if (error) reject(error);
        else resolve(written);
      });
    }),
  fdatasync: (fd) => done((callback) => fdatasync(fd, callback)),
  truncate: (fd, bytes) => done((callback) => ftruncate(fd, bytes, callback)),
  close: (fd) => done((callback) => close(fd, callback)),
  remove: (path) => done((callback) => unlink(path, callback)),
  rename: (from, to) => done((callback) => rename(from, to, callback)),
  async syncDirectory(path) {
    const fd = await openFile(path, constants.O_RDONLY);
    try {
      await done((callback) => fsync(fd, callback));
    } finally {
      await nodeDisk.close(fd);
    }
  },
};

/** The code of a system error (`ENOSPC`), or its class: never its message, which may hold a path. */
export function systemErrorCode(error: unknown): string {
  if (error instanceof Error) return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return 'unknown';
}
