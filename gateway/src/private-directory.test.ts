import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePrivateDirectory } from './private-directory.ts';

let root: string;
beforeAll(() => (root = mkdtempSync(join(tmpdir(), 'gatelens-directory-'))));
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('makePrivateDirectory', () => {
  it('makes what is missing for the owner alone, and leaves what is there', () => {
    const deep = join(root, 'a', 'b', 'c');
    makePrivateDirectory(deep);
    makePrivateDirectory(deep);
    expect(statSync(deep).mode & 0o777).toBe(0o700);
    expect(statSync(join(root, 'a')).mode & 0o777).toBe(0o700);
  });

  it('says why when something else has the name', () => {
    writeFileSync(join(root, 'file'), '');
    expect(() => makePrivateDirectory(join(root, 'file'))).toThrow(/EEXIST/);
    expect(() => makePrivateDirectory(join(root, 'file', 'below'))).toThrow(/EEXIST|ENOTDIR/);
  });

  it.runIf(existsSync('/proc/self'))('gives up where the file system takes no directory', () => {
    expect(() => makePrivateDirectory('/proc/gatelens/keys')).toThrow(/ENOENT/);
  });
});
