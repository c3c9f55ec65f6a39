/**
 * The key files in `<dataDir>/keys`: one JWK a file, for its owner alone, written whole (temporary name, sync, link) so
 * that a crash leaves no half of a key and two processes that start at once agree on the same one. Knows no meaning of
 * the keys.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { GatelensError } from '../errors.ts';
import { makePrivateDirectory } from '../private-directory.ts';

const FILE_MODE = 0o600;
const OTHERS_MAY_WRITE = 0o022;
const OTHERS_MAY_LOOK = 0o077;
const ANYBODY_MAY_WRITE = 0o002;
/** what lies in such a directory can be renamed by its owner only */
const STICKY = 0o1000;
const ROOT = 0;

export class KeyFiles {
  readonly directory: string;
  readonly #platform: NodeJS.Platform;

  constructor(dataDir: string, platform: NodeJS.Platform = process.platform) {
    this.directory = join(dataDir, 'keys');
    this.#platform = platform;
  }

  /** Names of files; none when there is no directory yet. */
  list(): readonly string[] {
    return this.#orUnusable('read', this.directory, () => {
      try {
        return readdirSync(this.directory).filter((name) => !name.startsWith('.'));
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') return [];
        throw error;
      }
    });
  }

  /** undefined when there is no such file */
  read(name: string): string | undefined {
    const path = join(this.directory, name);
    return this.#orUnusable('read', path, () => {
      try {
        return readFileSync(path, 'utf8');
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') return undefined;
        throw error;
      }
    });
  }

  /** @returns false, leaving all as it is, when the file is there already */
  create(name: string, content: string): boolean {
    const path = join(this.directory, name);
    return this.#orUnusable('written', path, () => {
      const temporary = this.#writeTemporary(content);
      try {
        linkSync(temporary, path);
      } catch (error) {
        if (errnoOf(error) === 'EEXIST') return false;
        throw error;
      } finally {
        rmSync(temporary, { force: true });
      }
      this.#syncDirectory();
      return true;
    });
  }

  replace(name: string, content: string): void {
    const path = join(this.directory, name);
    this.#orUnusable('written', path, () => {
      renameSync(this.#writeTemporary(content), path);
      this.#syncDirectory();
    });
  }

  /**
   * What others may do with these files. Who can write here, owns them, or can put another directory in the place of this
   * one, can exchange a public key for his own, so that is refused; who can read private halves is warned about.
   * @throws GatelensError `data_dir_unusable`
   */
  checkPermissions(): readonly string[] {
    if (this.#platform === 'win32') return [];
    const above = dirname(this.directory);
    const { mode: modeAbove } = this.#orUnusable('read', above, () => statSync(above));
    if ((modeAbove & ANYBODY_MAY_WRITE) !== 0 && (modeAbove & STICKY) === 0) {
      throw new GatelensError(
        'data_dir_unusable',
        `Anybody may write to ${above} and put other keys in the place of these, so they cannot be trusted. Look whether they were changed, then: chmod o-w '${above}'`
      );
    }
    const paths = [this.directory, ...this.list().map((name) => join(this.directory, name))];
    const open: string[] = [];
    for (const path of paths) {
      const { mode, uid } = this.#orUnusable('read', path, () => statSync(path));
      if (uid !== ROOT && uid !== process.getuid?.()) {
        throw new GatelensError(
          'data_dir_unusable',
          `${path} belongs to another user, so its keys cannot be trusted. Run Gatelens as its owner, or set dataDir to a directory of its own.`
        );
      }
      if ((mode & OTHERS_MAY_WRITE) !== 0) {
        throw new GatelensError(
          'data_dir_unusable',
          `Other users may write to ${path}, so its keys cannot be trusted. Look whether they were changed, then: chmod -R go= '${this.directory}'`
        );
      }
      if ((mode & OTHERS_MAY_LOOK) !== 0) open.push(path);
    }
    if (open.length === 0) return [];
    return [
      `Other users may read ${open.join(', ')}: with a private key there they can read payloads. Close it with: chmod -R go= '${this.directory}'`,
    ];
  }

  #writeTemporary(content: string): string {
    makePrivateDirectory(this.directory);
    const path = join(this.directory, `.${randomBytes(6).toString('hex')}.tmp`);
    const file = openSync(path, 'wx', FILE_MODE);
    try {
      writeSync(file, content);
      fsyncSync(file);
    } catch (error) {
      rmSync(path, { force: true });
      throw error;
    } finally {
      closeSync(file);
    }
    return path;
  }

  /** So that the new name survives a power cut. */
  #syncDirectory(): void {
    if (this.#platform === 'win32') return;
    const directory = openSync(this.directory, 'r');
    try {
      fsyncSync(directory);
    } finally {
      closeSync(directory);
    }
  }

  #orUnusable<T>(verb: 'read' | 'written', path: string, action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw new GatelensError(
        'data_dir_unusable',
        `${path} cannot be ${verb} (${errnoOf(error)}). Give the user that runs Gatelens the right to it, or set dataDir to a directory of its own.`,
        { cause: error }
      );
    }
  }
}

function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown error';
}
