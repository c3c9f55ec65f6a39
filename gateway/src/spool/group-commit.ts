/**
 * Group commit: what is appended in one turn of the event loop is written and synced together, and while that sync runs
 * the next group collects. No timers: the disk sets the pace. A failure takes back its own group and everything queued
 * behind it (those records are chained to it); nothing is retried here, the next append simply tries again.
 */
import { join } from 'node:path';
import { GatelensError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { RecordChain } from './chain.ts';
import { type Disk, systemErrorCode } from './disk.ts';
import type { FrameArena } from './frame-arena.ts';
import { Group } from './group.ts';
import { encodeSegmentHeader, segmentName } from './segment.ts';
import { SegmentWriter } from './segment-writer.ts';
import type { SpoolFrame } from './spool.ts';

export interface GroupCommitOptions {
  readonly disk: Disk;
  readonly dir: string;
  readonly chain: RecordChain;
  readonly salt: number;
  readonly segmentBytes: number;
  readonly layOutBytes: number;
  /** position of the first new segment */
  readonly position: number;
  /** position behind what counts in the newest segment found */
  readonly previousEnd: number;
  readonly arena: FrameArena;
  readonly logger: Logger;
  readonly now: () => number;
  /** Runs in the tick the group became durable, before its appends resolve. Takes over the group's pieces. */
  readonly onDurable: (group: Group, segment: SegmentWriter, position: number) => void;
  /** Runs in the tick the group failed, before its appends reject. */
  readonly onFailed: (group: Group) => void;
  readonly onSealed: () => void;
}

function unavailable(cause: unknown): GatelensError {
  return new GatelensError(
    'audit_unavailable',
    `The audit log cannot be written (${systemErrorCode(cause)}). Free space on, or repair, the disk that holds the ` +
      'data directory; recording goes on by itself once it can be written.',
    { cause }
  );
}

export class GroupCommit {
  readonly #options: GroupCommitOptions;
  readonly #zeros: Buffer;
  #collecting: Group | undefined;
  #segment: SegmentWriter | undefined;
  #position: number;
  #previousEnd: number;
  #isBusy = false;
  #isSealWanted = false;
  #isFailing = false;
  #idle = Promise.withResolvers<undefined>();
  #writingBytes = 0;
  fdatasyncs = 0;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
    this.#zeros = Buffer.alloc(options.layOutBytes);
    this.#position = options.position;
    this.#previousEnd = options.previousEnd;
  }

  /** Bytes accepted and not durable yet. */
  get queuedBytes(): number {
    return this.#writingBytes + (this.#collecting?.bytes ?? 0);
  }

  /**
   * Appends share the promise of their group.
   * @param sizes `frameBytes` of each frame
   */
  append(frames: readonly SpoolFrame[], sizes: readonly number[], carried = false): Promise<void> {
    this.#collecting ??= new Group(this.#options.arena);
    const group = this.#collecting;
    group.add(frames, sizes, carried, this.#options.salt);
    this.#wake();
    return group.done.promise;
  }

  /** The next group begins a new segment, so that the present one can go. */
  sealSegment(): void {
    this.#isSealWanted = true;
    this.#wake();
  }

  /** Resolves when nothing is queued any more. */
  async drained(): Promise<void> {
    while (this.#isBusy) await this.#idle.promise;
  }

  async close(): Promise<void> {
    await this.drained();
    const segment = this.#segment;
    this.#segment = undefined;
    await segment?.seal();
  }

  #wake(): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    // After the poll phase: requests that arrived together share a sync.
    setImmediate(() => void this.#drain());
  }

  async #drain(): Promise<void> {
    for (;;) {
      if (this.#isSealWanted) await this.#seal();
      const group = this.#collecting;
      if (!group) break;
      this.#collecting = undefined;
      group.finish();
      this.#writingBytes = group.bytes;
      try {
        await this.#write(group);
      } catch (error) {
        this.#writingBytes = 0;
        await this.#fail(group, error);
        continue;
      }
      this.#writingBytes = 0;
      this.#succeed(group);
    }
    this.#isBusy = false;
    this.#idle.resolve(undefined);
    this.#idle = Promise.withResolvers<undefined>();
  }

  async #write(group: Group): Promise<void> {
    if (this.#segment && this.#segment.goodBytes >= this.#options.segmentBytes) await this.#seal();
    this.#segment ??= await this.#createSegment();
    await this.#segment.append(
      group.pieces.map((piece) => piece.bytes),
      group.bytes
    );
    this.fdatasyncs += 1;
  }

  #createSegment(): Promise<SegmentWriter> {
    const { disk, dir, chain, salt, now } = this.#options;
    const base = this.#position;
    const header = encodeSegmentHeader({
      salt,
      base,
      previousEnd: this.#previousEnd,
      createdAtMs: now(),
      head: chain.durableHead(),
      chainId: chain.id,
    });
    return SegmentWriter.create(disk, join(dir, segmentName(base)), base, header, this.#zeros);
  }

  async #seal(): Promise<void> {
    this.#isSealWanted = false;
    const segment = this.#segment;
    if (!segment) return;
    this.#segment = undefined;
    this.#options.onSealed();
    await segment.seal();
  }

  #succeed(group: Group): void {
    const segment = this.#segment;
    if (!segment) return;
    this.#position = segment.base + segment.goodBytes;
    this.#previousEnd = this.#position;
    if (group.lastLink) this.#options.chain.reached(group.lastLink);
    if (this.#isFailing) {
      this.#isFailing = false;
      this.#options.logger.info('spool.write_recovered');
    }
    this.#options.onDurable(group, segment, this.#position - group.bytes);
    group.done.resolve(undefined);
  }

  async #fail(group: Group, error: unknown): Promise<void> {
    const queued = this.#collecting;
    this.#collecting = undefined;
    this.#options.chain.rollBack();
    const failure = unavailable(error);
    for (const one of queued ? [group, queued] : [group]) {
      one.release();
      this.#options.onFailed(one);
      one.done.reject(failure);
    }
    if (!this.#isFailing) {
      this.#isFailing = true;
      this.#options.logger.error('spool.write_failed', { code: systemErrorCode(error) });
    }
    if ((await this.#segment?.recover()) === 'broken') {
      this.#segment = undefined;
      this.#options.onSealed();
    }
  }
}
