/**
 * `set-aside/`: frames the store refuses for good, one OTLP request a file, as they would have been sent (payload is
 * sealed in them). They are kept until a person has looked; nothing here deletes them.
 */
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DIRECTORY_MODE, type Disk } from './disk.ts';
import { replaceFile } from './durable-file.ts';
import type { SpoolStream } from './spool.ts';

export class SetAside {
  readonly #disk: Disk;
  readonly #dir: string;
  #files = 0;
  #bytes = 0;

  private constructor(disk: Disk, dir: string) {
    this.#disk = disk;
    this.#dir = dir;
  }

  static async open(disk: Disk, spoolDir: string): Promise<SetAside> {
    const setAside = new SetAside(disk, join(spoolDir, 'set-aside'));
    await mkdir(setAside.#dir, { recursive: true, mode: DIRECTORY_MODE });
    for (const name of await readdir(setAside.#dir)) {
      if (!name.endsWith('.otlp')) continue;
      setAside.#files += 1;
      setAside.#bytes += (await stat(join(setAside.#dir, name))).size;
    }
    return setAside;
  }

  get files(): number {
    return this.#files;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @param end position behind the frame: names the file, so that doing it twice leaves one */
  async keep(stream: SpoolStream, end: number, bytes: Uint8Array): Promise<void> {
    await replaceFile(this.#disk, join(this.#dir, `${stream}-${String(end).padStart(16, '0')}.otlp`), bytes, true);
    this.#files += 1;
    this.#bytes += bytes.length;
  }
}
