/**
 * Files in a directory of this machine. Written beside under a name that is none of the template's, synced, renamed: under
 * its own name a file is always whole. No name leads out of the directory, not by a link either.
 */
import { lstat, mkdir, open, readFile, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { DestinationProblem, type Destination } from './destination.ts';

const REMEDY: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk is full. Make room; the window is made again.',
  EDQUOT: 'The quota is used up. Make room; the window is made again.',
  EFBIG: 'The file is longer than it may be here. Raise the limit, or export more often.',
  EIO: 'The disk failed. Look at it, or choose another.',
  ENAMETOOLONG: 'The name is too long. Shorten the template of names, or the name of the schedule.',
  EROFS: 'It can only be read. Mount it writable, or choose another.',
  EACCES: 'The audit API may not write there. Give its user the right to.',
  EPERM: 'The audit API may not write there. Give its user the right to.',
  ENOENT: 'It is not there. Make it, or name another.',
  ENOTDIR: 'A part of the path is a file. Name another directory.',
};

export function directoryDestination(directory: string): Destination {
  const base = resolve(directory);

  const pathOf = async (name: string, make: boolean): Promise<string> => {
    const path = resolve(base, name);
    if (!path.startsWith(base + sep)) throw new DestinationProblem('The name leads out of the directory.');
    // the directory itself is not made: it may be a mount that is missing
    let parent = await realpath(base);
    for (const level of dirname(path.slice(base.length + 1)).split(sep)) {
      if (level === '.') continue;
      parent = join(parent, level);
      if (make) await mkdir(parent, { mode: 0o750 }).catch(unlessThere);
      // seen to level by level: nothing is made on the other side of a link
      if ((await lstat(parent)).isSymbolicLink()) {
        throw new DestinationProblem(`In the directory is a link (${level}), which may lead out. Remove it.`);
      }
    }
    return join(parent, basename(path));
  };

  return {
    where: base,
    keeps: true,
    write: (name, content, { signal }) =>
      told(async () => {
        const path = await pathOf(name, true);
        // the same at each attempt, so that what a killed process left is written over
        const beside = join(dirname(path), `.${basename(path)}.part`);
        const file = await open(beside, 'w', 0o640);
        try {
          try {
            for await (const piece of content) {
              signal.throwIfAborted();
              await file.writeFile(piece);
            }
            await file.sync();
          } finally {
            // some file systems say only here that they are full
            await file.close();
          }
          await rename(beside, path);
        } catch (error) {
          await rm(beside, { force: true });
          throw error;
        }
        await syncDirectory(dirname(path));
      }),
    read: (name) => told(async () => readFile(await pathOf(name, false))),
    remove: (name) => told(async () => rm(await pathOf(name, false))),
  };
}

function unlessThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = error instanceof Error && 'code' in error && 'syscall' in error ? String(error.code) : undefined;
    if (code === undefined) throw error;
    throw new DestinationProblem(
      `The directory does not take the file (${code}). ${REMEDY[code] ?? 'Look at the directory.'}`,
      {
        cause: error,
      }
    );
  }
}
