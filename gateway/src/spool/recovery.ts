/**
 * Reads the segments back at start: cuts the torn tail of the last write off, covers damaged ranges so that everything
 * readable before and behind them stays, and gathers the intents without completion. Damage is never fatal and never
 * silent: the damaged file is copied aside as `*.corrupt`, counted and logged.
 */
import { constants } from 'node:fs';
import { copyFile, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Logger } from '../logger.ts';
import { laterLink } from './chain-file.ts';
import { type Disk, systemErrorCode } from './disk.ts';
import {
  declaredFrameBytes,
  encodeGap,
  FRAME_END_MARK,
  FRAME_HEADER_BYTES,
  scanFrames,
  type StoredFrame,
} from './frame-codec.ts';
import type { OpenIntents } from './open-intents.ts';
import { decodeSegmentHeader, encodeSegmentHeader, SEGMENT_HEADER_BYTES } from './segment.ts';
import { addFrame, noAmount, type SegmentInfo, type SegmentLog } from './segment-log.ts';
import type { ChainLink } from './spool.ts';

export interface RecoveryOptions {
  readonly disk: Disk;
  readonly chainId: string;
  readonly salt: number;
  /** filled here; `acked` must be set */
  readonly log: SegmentLog;
  readonly intents: OpenIntents;
  readonly logger: Logger;
}

export interface RecoveryResult {
  readonly head: ChainLink;
  readonly damagedRanges: number;
  /** frames that wait to be shipped */
  readonly waitingFrames: number;
  /** chained records among them */
  readonly waitingRecords: number;
}

/** Of one segment: damage that cannot be covered is found again at each start. */
const MAX_COPIES = 4;

interface Range {
  readonly from: number;
  readonly to: number;
}

export class SegmentRecovery {
  readonly #options: RecoveryOptions;
  #head: ChainLink;
  /** the newest link that a segment shows; the head may be later */
  #seenSeq: bigint | undefined;
  #damagedRanges = 0;
  #waitingFrames = 0;
  #waitingRecords = 0;

  /** @param head the chain's head is this one or a later one */
  constructor(options: RecoveryOptions, head: ChainLink) {
    this.#options = options;
    this.#head = head;
  }

  result(): RecoveryResult {
    return {
      head: this.#head,
      damagedRanges: this.#damagedRanges,
      waitingFrames: this.#waitingFrames,
      waitingRecords: this.#waitingRecords,
    };
  }

  /**
   * Call in the order of the log.
   * @param knownEnd position behind what counts here, by the segment that follows; undefined for the newest
   */
  async read(base: number, path: string, knownEnd: number | undefined): Promise<void> {
    const { disk, salt, log } = this.#options;
    const buffer = await readFile(path);
    const limit = Math.min(buffer.length, knownEnd === undefined ? buffer.length : knownEnd - base);
    const header = decodeSegmentHeader(buffer);
    if (header) {
      this.#follow(header.head, header.head.seq);
    }
    const before = { head: this.#head, end: log.end() };
    const info = log.add(base, path);
    const ranges: Range[] = [];
    let append: StoredFrame[] = [];
    let keptEnd = Math.min(SEGMENT_HEADER_BYTES, limit);
    const keep = (end: number): void => {
      for (const frame of append) this.#apply(frame, info);
      append = [];
      keptEnd = end;
    };
    const readableEnd = scanFrames(buffer, SEGMENT_HEADER_BYTES, limit, salt, {
      frame(frame) {
        append.push(frame);
        if (frame.last) keep(frame.end);
      },
      gap(from, to) {
        keep(from);
        ranges.push({ from, to });
      },
    });
    if (knownEnd === undefined && !header && keptEnd <= SEGMENT_HEADER_BYTES && ranges.length === 0) {
      // The crash came while this file was made.
      log.segments.pop();
      await disk.remove(path);
      return;
    }
    if (!header) ranges.push({ from: 0, to: SEGMENT_HEADER_BYTES });
    if (knownEnd === undefined) {
      const lost = damagedTail(buffer, readableEnd);
      if (lost) {
        keep(readableEnd);
        ranges.push(lost);
      }
    } else {
      keep(Math.max(readableEnd, keptEnd));
      if (keptEnd < knownEnd - base) ranges.push({ from: keptEnd, to: knownEnd - base });
    }
    const end = await this.#repair(info, ranges, buffer, {
      end: knownEnd === undefined ? keptEnd : limit,
      before,
    });
    log.extend(info, base + end);
  }

  #apply(frame: StoredFrame, info: SegmentInfo): void {
    const { log, intents } = this.#options;
    const end = info.base + frame.end;
    if (frame.type === 'intent') intents.opened(frame.callId, new Uint8Array(frame.bytes), info, false);
    if (frame.type !== 'record' || !frame.stream) return;
    if (frame.callId !== '') intents.settled(frame.callId);
    log.reached(info, frame.stream, end);
    if (end > log.acked[frame.stream]) {
      const amount = noAmount();
      addFrame(amount, frame.end - frame.start, frame.startedAtNs);
      log.awaits(frame.stream, amount);
      this.#waitingFrames += 1;
      if (frame.link) this.#waitingRecords += 1;
    }
    if (frame.link) this.#follow(frame.link, frame.link.seq - 1n);
  }

  /** @param previous the seq that must have been there before */
  #follow(link: ChainLink, previous: bigint): void {
    if (this.#seenSeq !== undefined && previous > this.#seenSeq) {
      const fields = { after: this.#seenSeq.toString(), before: (previous + 1n).toString() };
      this.#options.logger.error('spool.chain_gap', fields);
    }
    this.#seenSeq = link.seq;
    this.#head = laterLink(this.#head, link);
  }

  /** @returns where the segment ends now, as an offset */
  async #repair(
    info: SegmentInfo,
    ranges: readonly Range[],
    buffer: Buffer,
    { end, before }: { readonly end: number; readonly before: { readonly head: ChainLink; readonly end: number } }
  ): Promise<number> {
    const { disk, salt, chainId, logger } = this.#options;
    if (ranges.length === 0 && buffer.length === end) return end;
    try {
      if (ranges.length > 0) await this.#reportAndCopy(info, ranges);
      const fd = await disk.openForUpdate(info.path);
      try {
        for (const { from, to } of ranges) {
          if (to <= SEGMENT_HEADER_BYTES) {
            const { base } = info;
            const header = { salt, base, chainId, createdAtMs: 0, previousEnd: before.end, head: before.head };
            await disk.write(fd, [encodeSegmentHeader(header)], 0);
          }
          const isInside = from >= SEGMENT_HEADER_BYTES && to <= end && to - from >= FRAME_HEADER_BYTES;
          if (isInside) await disk.write(fd, [encodeGap(to - from, salt)], from);
        }
        if (buffer.length > end) await disk.truncate(fd, end);
        await disk.fdatasync(fd);
      } finally {
        await disk.close(fd);
      }
    } catch (error) {
      // What is readable stays readable: the reader skips ranges by itself.
      logger.warn('spool.repair_failed', { segment: basename(info.path), code: systemErrorCode(error) });
    }
    return end;
  }

  async #reportAndCopy(info: SegmentInfo, ranges: readonly Range[]): Promise<void> {
    this.#damagedRanges += ranges.length;
    const copy = await copyAside(info.path);
    for (const { from, to } of ranges) {
      this.#options.logger.error('spool.segment_damaged', {
        segment: basename(info.path),
        offset: from,
        bytes: to - from,
        kept_as: basename(copy),
      });
    }
  }
}

/**
 * What stands behind the last readable frame of the newest segment: zeros (laid out, unused) and a frame cut short (the
 * crash came while it was written, so nobody was told it is safe) are normal; anything else was once whole.
 */
function damagedTail(buffer: Buffer, from: number): Range | undefined {
  let end = buffer.length;
  while (end > from && buffer[end - 1] === 0) end -= 1;
  if (end === from) return undefined;
  if (end - from <= FRAME_HEADER_BYTES) return undefined;
  const declared = declaredFrameBytes(buffer, from, buffer.length);
  const isCutShort = declared !== undefined && end < from + declared;
  // A frame that has its end mark was written to the end, whatever its header says now. (One in 256 torn frames ends by
  // chance with a byte like it: reported for nothing, which is the better mistake.)
  return isCutShort && buffer[end - 1] !== FRAME_END_MARK ? undefined : { from, to: end };
}

async function copyAside(path: string): Promise<string> {
  for (let copy = 1; ; copy += 1) {
    if (copy > MAX_COPIES) return `${path}.${String(MAX_COPIES)}.corrupt`;
    const target = `${path}.${String(copy)}.corrupt`;
    try {
      await copyFile(path, target, constants.COPYFILE_EXCL);
      return target;
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST') throw error;
    }
  }
}
