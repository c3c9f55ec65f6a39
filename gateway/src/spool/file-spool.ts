/**
 * The spool of one data directory: appends go to group commit, what is durable goes to the shipper, what is shipped is
 * deleted. Here the rules meet: the cap, the chain, open intents. Made by open-spool.ts. Its length is that meeting: what
 * each rule needs of its own stands in files beside it.
 */
import { GatelensError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { RecordChain } from './chain.ts';
import { type Clock, systemClock } from './clock.ts';
import { type Disk, systemErrorCode } from './disk.ts';
import { FrameArena } from './frame-arena.ts';
import { frameBytes } from './frame-codec.ts';
import type { Group } from './group.ts';
import { GroupCommit } from './group-commit.ts';
import type { OpenIntents } from './open-intents.ts';
import type { SegmentLog } from './segment-log.ts';
import { STREAMS } from './segment-log.ts';
import type { SegmentWriter } from './segment-writer.ts';
import { Shipper, type ShipperParts, type ShippingOptions } from './shipper.ts';
import type { Spool, SpoolFrame, SpoolStats } from './spool.ts';
import { Tail } from './tail.ts';

/** The spool as the composition root sees it. */
export interface ShippingSpool extends Spool {
  readonly chain: RecordChain;
  /**
   * Begins to ship; until then records wait on disk. Once per spool.
   * @throws GatelensError `config_invalid` when an address is none
   */
  startShipping(options: ShippingOptions): void;
  /**
   * Ships everything appended so far, without lingering, and deletes what that frees.
   * @returns false when the time is over first; shipping goes on
   */
  flush(timeoutMs: number): Promise<boolean>;
}

export interface FileSpoolParts {
  readonly dir: string;
  readonly disk: Disk;
  readonly chain: RecordChain;
  readonly salt: number;
  readonly log: SegmentLog;
  readonly intents: OpenIntents;
  readonly cursors: ShipperParts['cursors'];
  readonly setAside: ShipperParts['setAside'];
  readonly logger: Logger;
  readonly maxBytes: number;
  readonly segmentBytes: number;
  readonly layOutBytes: number;
  readonly tailBytes: number;
  /** position of the next segment, and behind what counts in the one before */
  readonly position: number;
  readonly previousEnd: number;
  /** found at start */
  readonly records: number;
  readonly damagedRanges: number;
  readonly now: () => number;
  /** Keeps a floor under the chain's head. */
  readonly saveHead: () => Promise<void>;
  readonly release: () => void;
}

/**
 * So long frames go into one segment at most. Where little is written a segment would take weeks to fill, and what the
 * store has by then, e-mails of principals among it, must not lie about here for as long.
 */
const SEGMENT_LASTS_MS = 5 * 60_000;
/** What may wait in memory when the disk is slower than the calls. */
const MAX_QUEUED_BYTES = 64 * 1024 * 1024;

export class FileSpool implements ShippingSpool {
  readonly chain: RecordChain;
  readonly #parts: FileSpoolParts;
  readonly #commit: GroupCommit;
  readonly #tail: Tail;
  readonly #unreadable = new Set<number>();
  #shipper: Shipper | undefined;
  #recorded: number;
  #shipped = 0;
  #refused = 0;
  #isFull = false;
  #isDeleteFailing = false;
  /** when the newest segment was begun */
  #newestSinceMs = 0;
  #cleaning: Promise<void> | undefined;
  #saving: Promise<void> = Promise.resolve();
  #progress = Promise.withResolvers<undefined>();
  #closing: Promise<void> | undefined;

  constructor(parts: FileSpoolParts) {
    this.#parts = parts;
    this.chain = parts.chain;
    this.#recorded = parts.records;
    const arena = new FrameArena(parts.tailBytes);
    this.#tail = new Tail(parts.tailBytes, arena);
    this.#commit = new GroupCommit({
      ...parts,
      arena,
      onDurable: (group, segment, position) => this.#onDurable(group, segment, position),
      onFailed: (group) => this.#onFailed(group),
      onSealed: () => (parts.log.newestSealed = true),
    });
  }

  append(frames: readonly SpoolFrame[]): Promise<void> {
    if (frames.length === 0) return Promise.resolve();
    try {
      const sizes = frames.map(frameBytes);
      this.#checkRoom(
        sizes.reduce((sum, bytes) => sum + bytes, 0),
        frames.every((frame) => frame.type === 'intent')
      );
      if (!this.chain.accept(frames)) {
        throw new GatelensError('internal', 'A record was appended later than the tick in which it was chained.');
      }
      for (const frame of frames) {
        if (frame.type === 'record' && frame.settles !== undefined) this.#parts.intents.settling(frame.settles);
      }
      return this.#commit.append(frames, sizes);
    } catch (error) {
      this.chain.refuse();
      this.#refused += frames.length;
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- thrown above or by frameBytes
      return Promise.reject(error);
    }
  }

  startShipping(options: ShippingOptions): void {
    if (this.#shipper || this.#closing) return;
    this.#shipper = new Shipper(
      {
        ...this.#parts,
        tail: this.#tail,
        onProgress: (shippedRecords) => this.#onProgress(shippedRecords),
        onUnreadable: (stream, position, bytes) => {
          if (this.#unreadable.has(position)) return;
          this.#unreadable.add(position);
          this.#parts.logger.error('spool.frames_unreadable', { stream, position, bytes });
        },
      },
      options
    );
    this.#shipper.start();
  }

  async flush(timeoutMs: number, clock: Clock = systemClock): Promise<boolean> {
    const { log } = this.#parts;
    await this.#commit.drained();
    const target = { ...log.lastEnd };
    const isDone = (): boolean => STREAMS.every((stream) => log.acked[stream] >= target[stream]);
    const ending = new AbortController();
    const late = new AbortController();
    const deadline = clock.sleep(timeoutMs, ending.signal).then(() => late.abort());
    this.#shipper?.hurry(true);
    while (!isDone() && !late.signal.aborted) await Promise.race([this.#progress.promise, deadline]);
    this.#shipper?.hurry(false);
    ending.abort();
    while (this.#cleaning) await this.#cleaning;
    return isDone();
  }

  stats(): SpoolStats {
    const { log, intents, setAside } = this.#parts;
    const waits = STREAMS.map((stream) => log.waiting[stream].oldestNs).filter((startedAtNs) => startedAtNs > 0n);
    return {
      recorded: this.#recorded,
      shipped: this.#shipped,
      refused: this.#refused,
      setAsideBatches: setAside.files,
      backlogBytes: log.waiting.metadata.bytes + log.waiting.payload.bytes,
      oldestUnshippedNs: waits.reduce((oldest, one) => (one < oldest ? one : oldest), waits[0] ?? 0n),
      fdatasyncs: this.#commit.fdatasyncs,
      openIntents: intents.size,
      damagedRanges: this.#parts.damagedRanges + this.#unreadable.size,
      shipRetries: this.#shipper?.retries ?? 0,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#commit.drained();
    await this.#shipper?.stop();
    while (this.#cleaning) await this.#cleaning;
    await this.#commit.close();
    this.#saveHead();
    await this.#saving;
    this.#parts.release();
  }

  /** Throws when the append must be refused. */
  #checkRoom(bytes: number, isOnlyIntents: boolean): void {
    const { log, setAside, maxBytes, logger } = this.#parts;
    if (this.#closing) throw new GatelensError('shutting_down', 'The gateway is shutting down.');
    const queuedBytes = this.#commit.queuedBytes;
    if (queuedBytes + bytes > MAX_QUEUED_BYTES && queuedBytes > 0) {
      throw new GatelensError(
        'audit_unavailable',
        'The disk of the data directory does not keep up with the audit log.'
      );
    }
    // A call that was let in must find room for its completion, so intents stop earlier.
    const reservedBytes = isOnlyIntents ? Math.min(maxBytes / 16, MAX_QUEUED_BYTES) : 0;
    const isFull = log.occupiedBytes() + setAside.bytes + queuedBytes + bytes > maxBytes - reservedBytes;
    if (isFull !== this.#isFull) {
      this.#isFull = isFull;
      if (isFull) logger.error('spool.full', { max_bytes: maxBytes, set_aside_bytes: setAside.bytes });
      else logger.info('spool.has_room');
    }
    if (!isFull) return;
    throw new GatelensError(
      'spool_full',
      'The audit log has reached its space on disk because the store does not take records. Bring the store back, ' +
        'remove what was set aside, or raise spool.maxBytes.'
    );
  }

  #onDurable(group: Group, segment: SegmentWriter, position: number): void {
    const { log, intents } = this.#parts;
    let info = log.newest();
    if (info?.base !== segment.base) {
      info = log.add(segment.base, segment.path);
      log.newestSealed = false;
      this.#newestSinceMs = this.#parts.now();
      this.#saveHead();
    }
    log.extend(info, position + group.bytes);
    for (const stream of STREAMS) {
      const { amount, lastEnd } = group.streams[stream];
      if (amount.frames === 0) continue;
      log.reached(info, stream, position + lastEnd);
      log.awaits(stream, amount);
    }
    for (const { callId, bytes, carried } of group.intents) {
      if (bytes) intents.opened(callId, bytes, info, carried);
      else intents.settled(callId);
    }
    this.#recorded += group.records;
    this.#tail.add(group.pieces, position);
    this.#shipper?.notify();
    this.#clean();
  }

  #onFailed(group: Group): void {
    this.#refused += group.frames;
    for (const { callId, bytes } of group.intents) {
      if (!bytes) this.#parts.intents.settlingFailed(callId);
    }
  }

  #onProgress(shippedRecords: number): void {
    const { log, maxBytes } = this.#parts;
    this.#shipped += shippedRecords;
    this.#tail.release(Math.min(...STREAMS.map((stream) => (log.hasWaiting(stream) ? log.acked[stream] : log.end()))));
    this.#progress.resolve(undefined);
    this.#progress = Promise.withResolvers<undefined>();
    const newest = log.newest();
    if (newest !== undefined && !log.newestSealed) {
      const isLarge = newest.end - newest.base > maxBytes / 8;
      // Shipped already, but still the newest: under a small cap it must make room.
      const isInTheWay = isLarge && log.isShipped(newest) && log.occupiedBytes() > maxBytes / 2;
      const isOld = this.#parts.now() - this.#newestSinceMs >= SEGMENT_LASTS_MS;
      if (isInTheWay || isOld) this.#commit.sealSegment();
    }
    this.#clean();
  }

  #saveHead(): void {
    this.#saving = this.#saving.then(() =>
      this.#parts.saveHead().catch((error: unknown) => {
        this.#parts.logger.warn('spool.head_unsaved', { code: systemErrorCode(error) });
      })
    );
  }

  #clean(): void {
    if (this.#cleaning || !this.#parts.log.oldestShipped()) return;
    this.#cleaning = this.#deleteShipped()
      .then(
        () => {
          this.#isDeleteFailing = false;
        },
        (error: unknown) => {
          if (!this.#isDeleteFailing) this.#parts.logger.warn('spool.delete_failed', { code: systemErrorCode(error) });
          this.#isDeleteFailing = true;
        }
      )
      .finally(() => (this.#cleaning = undefined));
  }

  async #deleteShipped(): Promise<void> {
    const { log, intents, disk, dir } = this.#parts;
    for (let oldest = log.oldestShipped(); oldest; oldest = log.oldestShipped()) {
      if (oldest.openIntents > 0) {
        // Only where it frees several times what it writes; else thousands of open calls would be copied round and round.
        if (this.#closing || oldest.openIntentBytes * 4 > log.shippedBytes()) return;
        const frames = intents.inSegment(oldest);
        if (frames.length > 0) await this.#commit.append(frames, frames.map(frameBytes), true);
        if (oldest.openIntents > 0) return;
      }
      await disk.remove(oldest.path).catch((error: unknown) => {
        if (systemErrorCode(error) !== 'ENOENT') throw error;
      });
      // Before the next is removed: a completion must never vanish while its intent is still there.
      await disk.syncDirectory(dir);
      log.removeOldest();
    }
  }
}
