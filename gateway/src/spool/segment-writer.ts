/**
 * The segment that grows. One write and one fdatasync a group; the file is laid out in steps of zeros ahead of the
 * frames, since a sync that changes neither size nor extents spares the file system's journal (about a third of the CPU
 * of a small group, docs/adr/0002). A failed group is cut off again; a segment that cannot be trusted any more is left
 * behind. It knows no queue and no chain.
 */
import { dirname } from 'node:path';
import type { Disk } from './disk.ts';

/**
 * Larger groups are written without laying out: there the zeros, written and then overwritten, cost more than the journal
 * they spare (measured: docs/adr/0002).
 */
const SMALL_GROUP_BYTES = 16 * 1024;

/** A segment after a failure: `usable` it goes on, `broken` the next group needs a new file. */
export type SegmentCondition = 'usable' | 'broken';

export class SegmentWriter {
  readonly base: number;
  readonly path: string;
  readonly #disk: Disk;
  readonly #fd: number;
  readonly #zeros: Buffer;
  #header: Buffer | undefined;
  #goodBytes = 0;
  #laidOutBytes = 0;
  #syncFailed = false;

  private constructor(disk: Disk, fd: number, path: string, base: number, header: Buffer, zeros: Buffer) {
    this.#disk = disk;
    this.#fd = fd;
    this.#zeros = zeros;
    this.#header = header;
    this.base = base;
    this.path = path;
  }

  /**
   * Makes the file. The header is written together with the first group.
   * @param zeros how far the file is laid out ahead; one buffer for all segments
   */
  static async create(disk: Disk, path: string, base: number, header: Buffer, zeros: Buffer): Promise<SegmentWriter> {
    return new SegmentWriter(disk, await disk.create(path), path, base, header, zeros);
  }

  /** Size of what is durable. */
  get goodBytes(): number {
    return this.#goodBytes;
  }

  /** Where the next group will begin, as a position of the log. */
  get nextPosition(): number {
    return this.base + this.#goodBytes + (this.#header?.length ?? 0);
  }

  /** Resolves when the group is durable; after a rejection call `recover`. */
  async append(pieces: readonly Buffer[], groupBytes: number): Promise<void> {
    const header = this.#header;
    const neededBytes = groupBytes + (header?.length ?? 0);
    const end = this.#goodBytes + neededBytes;
    const all = header ? [header, ...pieces] : [...pieces];
    let laidOutBytes = this.#laidOutBytes;
    if (end > laidOutBytes && groupBytes <= SMALL_GROUP_BYTES && this.#zeros.length > 0) {
      laidOutBytes = Math.ceil(end / this.#zeros.length) * this.#zeros.length;
      all.push(this.#zeros.subarray(0, laidOutBytes - end));
    }
    const written = await this.#disk.write(this.#fd, all, this.#goodBytes);
    // Zeros that found no room are no loss.
    if (written < neededBytes) throw Object.assign(new Error('short write'), { code: 'ENOSPC' });
    try {
      await this.#disk.fdatasync(this.#fd);
      if (header) await this.#disk.syncDirectory(dirname(this.path));
    } catch (error) {
      this.#syncFailed = true;
      throw error;
    }
    this.#header = undefined;
    this.#laidOutBytes = Math.max(this.#laidOutBytes, Math.min(laidOutBytes, this.#goodBytes + written));
    this.#goodBytes = end;
  }

  /** Cuts a failed group off. After a failed sync nobody knows what is on disk: such a segment is never used again. */
  async recover(): Promise<SegmentCondition> {
    if (this.#goodBytes === 0) {
      await this.#disk.close(this.#fd).catch(() => undefined);
      await this.#disk.remove(this.path).catch(() => undefined);
      return 'broken';
    }
    try {
      await this.#disk.truncate(this.#fd, this.#goodBytes);
      this.#laidOutBytes = this.#goodBytes;
      if (!this.#syncFailed) return 'usable';
    } catch {
      // The next segment's base says where this one ends.
    }
    await this.#disk.close(this.#fd).catch(() => undefined);
    return 'broken';
  }

  /** Gives the unused zeros back and closes. */
  async seal(): Promise<void> {
    // Only for size: recovery reads past zeros, and a later segment's base bounds this one.
    await this.#disk.truncate(this.#fd, this.#goodBytes).catch(() => undefined);
    await this.#disk.close(this.#fd).catch(() => undefined);
  }
}
