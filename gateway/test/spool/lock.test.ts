import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, closeSync, mkdirSync, openSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { lockDirectory } from '../../src/spool/lock.ts';
import { completion, fakeStore, payload, reopen, systemError, temporaryDirectory } from './fixture.ts';
import { canMount, inMountNamespace } from './mount-namespace.ts';

const CHILD = join(import.meta.dirname, 'spool-child.ts');
const children: ChildProcess[] = [];

async function hold(dir: string): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, [CHILD, dir, 'hold'], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const [said] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { child, said };
}

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

describe('one process a directory', () => {
  it('refuses a second process and names the first; takes over when that was killed', async () => {
    using dir = temporaryDirectory();
    const { child, said } = await hold(dir.path);
    expect(said).toBe(`open ${child.pid}`);
    await expect(reopen(dir.path)).rejects.toMatchObject({
      code: 'data_dir_locked',
      message: `The data directory is in use by process ${child.pid}. Stop it, or give this one another dataDir.`,
    });
    child.kill('SIGKILL');
    await once(child, 'exit');
    const { spool } = await reopen(dir.path);
    await spool.append([payload('x')]);
    expect((await hold(dir.path)).said).toMatch(new RegExp(`^data_dir_locked .*process ${process.pid}\\.`));
    await spool.close();
    expect((await hold(dir.path)).said).toMatch(/^open/);
  });

  it('lets exactly one of several through that come to a killed owner at once', async () => {
    using dir = temporaryDirectory();
    const { child } = await hold(dir.path);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const said = await Promise.all(Array.from({ length: 5 }, async () => (await hold(dir.path)).said.split(' ')[0]));
    expect(said.sort()).toEqual(['data_dir_locked', 'data_dir_locked', 'data_dir_locked', 'data_dir_locked', 'open']);
  });

  it('refuses a second process even where the first lost the system lock to a stray close of the file', async () => {
    using dir = temporaryDirectory();
    const lock = await lockDirectory(dir.path);
    closeSync(openSync(join(dir.path, 'lock'), 'r'));
    expect((await hold(dir.path)).said).toMatch(new RegExp(`^data_dir_locked .*process ${process.pid}\\.`));
    lock.release();
    expect((await hold(dir.path)).said).toMatch(/^open/);
  });

  it('refuses a second spool in the same process', async () => {
    using dir = temporaryDirectory();
    const lock = await lockDirectory(dir.path);
    await expect(lockDirectory(dir.path)).rejects.toMatchObject({ code: 'data_dir_locked' });
    lock.release();
    lock.release();
    (await lockDirectory(dir.path)).release();
  });

  it('does not take a reused process id for the owner', async () => {
    using dir = temporaryDirectory();
    writeFileSync(join(dir.path, 'owner.json'), JSON.stringify({ pid: process.pid, startTicks: '1', bootId: 'x' }));
    (await lockDirectory(dir.path)).release();
    writeFileSync(join(dir.path, 'owner.json'), 'garbage');
    (await lockDirectory(dir.path)).release();
  });
});

describe('a data directory', () => {
  it('and all in it is for its owner alone, whatever the umask', async () => {
    using dir = temporaryDirectory();
    const spoolDir = join(dir.path, 'spool');
    mkdirSync(spoolDir);
    chmodSync(spoolDir, 0o777);
    const umask = process.umask(0);
    try {
      const { spool } = await reopen(spoolDir);
      await spool.append(completion(spool, 'a'));
      let refused = 0;
      spool.startShipping({
        ...fakeStore((texts) => {
          if (texts.length === 0) return undefined;
          if ((refused += 1) > 1) throw systemError('ECONNRESET');
          return { status: 400, contentType: '', retryAfter: undefined, body: new Uint8Array() };
        }),
        lingerMs: 0,
      });
      await expect.poll(() => spool.stats().setAsideBatches).toBe(1);
      const entries = readdirSync(spoolDir, { recursive: true, encoding: 'utf8' });
      expect(entries.length).toBeGreaterThan(6);
      for (const entry of ['.', ...entries]) {
        const stat = statSync(join(spoolDir, entry));
        expect((stat.mode & 0o777).toString(8), entry).toBe(stat.isDirectory() ? '700' : '600');
      }
      await spool.close();
    } finally {
      process.umask(umask);
    }
  });

  it('that is a file is refused with the remedy', async () => {
    using dir = temporaryDirectory();
    const file = join(dir.path, 'file');
    writeFileSync(file, '');
    for (const path of [file, join(file, 'below')]) {
      await expect(reopen(path)).rejects.toMatchObject({
        code: 'data_dir_unusable',
        message: expect.stringContaining('set dataDir') as string,
      });
    }
  });

  it.skipIf(!canMount)('on a read-only file system is refused with the remedy', async () => {
    using dir = temporaryDirectory();
    for (const path of [dir.path, join(dir.path, 'spool')]) {
      const { stdout } = await inMountNamespace(dir.path, 'ro,size=1m', [CHILD, path, 'hold']);
      expect(stdout).toMatch(/^data_dir_unusable .*EROFS.*check owner, mode and mount/);
    }
  });
});
