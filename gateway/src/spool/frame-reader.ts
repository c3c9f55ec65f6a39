/**
 * Reads the frames of one stream in order, from the tail in memory or from the segment files. What the disk gives back
 * is checked (CRC); a range that has become unreadable since the start is skipped and reported, never shipped.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { systemErrorCode } from './disk.ts';
import {
  declaredFrameBytes,
  decodeFrame,
  findFrame,
  isLinked,
  isRecordOf,
  linkOf,
  recordBytes,
  startedAtNs,
} from './frame-codec.ts';
import { SEGMENT_HEADER_BYTES } from './segment.ts';
import type { SegmentInfo, SegmentLog } from './segment-log.ts';
import type { ShipBatch } from './ship-batch.ts';
import type { SpoolStream } from './spool.ts';
import type { Tail } from './tail.ts';

const WINDOW_BYTES = 1024 * 1024;

export interface ReadLimits {
  /** stop behind this position */
  readonly until: number;
  /** at least one frame is read however large it is */
  readonly maxBytes: number;
  readonly maxFrames: number;
}

export interface FrameReaderOptions {
  readonly stream: SpoolStream;
  readonly log: SegmentLog;
  readonly tail: Tail;
  readonly salt: number;
  readonly onUnreadable: (position: number, bytes: number) => void;
}

/** Frames at a position of the log, in memory that is used again. */
interface Run {
  readonly bytes: Buffer;
  readonly start: number;
  /** never left the memory since it was encoded: needs no check */
  readonly isOwn: boolean;
}

export class FrameReader {
  readonly #options: FrameReaderOptions;
  #file: { segment: SegmentInfo; handle: FileHandle } | undefined;
  #window = Buffer.alloc(0);

  constructor(options: FrameReaderOptions) {
    this.#options = options;
  }

  /** @param batch gets the frames, one after the other */
  async read(from: number, limits: ReadLimits, batch: ShipBatch): Promise<void> {
    let position = from;
    while (position < limits.until) {
      const segment = this.#segmentAt(position);
      if (!segment) break;
      const start = Math.max(position, segment.base + SEGMENT_HEADER_BYTES);
      // No await between finding in the tail and copying: its memory is used again.
      const run = this.#tailRun(start) ?? (await this.#diskRun(segment, start));
      const first = Math.max(position, run.start) - run.start;
      const at = this.#copy(run, first, limits, batch);
      if (at === undefined) return;
      position = at > first ? run.start + at : await this.#skipUnreadable(run.start + first);
    }
  }

  /** @returns the offset behind what was read, or undefined when the batch takes no more */
  #copy({ bytes, start, isOwn }: Run, from: number, limits: ReadLimits, batch: ShipBatch): number | undefined {
    const { stream, salt } = this.#options;
    let at = from;
    let linkAt: number | undefined;
    let isFull = false;
    while (at < bytes.length) {
      const total = isOwn ? declaredFrameBytes(bytes, at, bytes.length) : intactFrameBytes(bytes, at, salt);
      if (total === undefined) break;
      if (isRecordOf(bytes, at, stream)) {
        const content = recordBytes(bytes, at, total);
        const end = start + at + total;
        const isTooMuch = batch.bytes + content.length > limits.maxBytes || batch.frames >= limits.maxFrames;
        isFull = end > limits.until || (batch.frames > 0 && isTooMuch);
        if (isFull) break;
        const isRecord = isLinked(bytes, at);
        if (isRecord) linkAt = at;
        batch.add(content, end, total, startedAtNs(bytes, at), isRecord);
      }
      at += total;
    }
    if (linkAt !== undefined) batch.link = linkOf(bytes, linkAt);
    return isFull ? undefined : at;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#window = Buffer.alloc(0);
    await file?.handle.close();
  }

  /** Passes over segments with no more of this stream: they may be in deletion. */
  #segmentAt(position: number): SegmentInfo | undefined {
    const { log, stream } = this.#options;
    return log.segments.find((one) => one.lastEnd[stream] > position);
  }

  #tailRun(position: number): Run | undefined {
    const found = this.#options.tail.find(position);
    return found && { bytes: found.piece.bytes, start: found.start, isOwn: true };
  }

  async #diskRun(segment: SegmentInfo, start: number): Promise<Run> {
    let size = Math.min(WINDOW_BYTES, segment.end - start);
    let bytes = await this.#readDisk(segment, start, size);
    const declared = declaredFrameBytes(bytes, 0, bytes.length);
    if (declared !== undefined && declared > size && declared <= segment.end - start) {
      size = declared;
      bytes = await this.#readDisk(segment, start, size);
    }
    return { bytes, start, isOwn: false };
  }

  async #readDisk(segment: SegmentInfo, position: number, size: number): Promise<Buffer> {
    if (this.#file?.segment !== segment) {
      await this.close();
      try {
        this.#file = { segment, handle: await open(segment.path, 'r') };
      } catch (error) {
        // Removed by hand: as unreadable as a damaged one. Any other error may pass.
        if (systemErrorCode(error) === 'ENOENT') return Buffer.alloc(0);
        throw error;
      }
    }
    if (this.#window.length < size) this.#window = Buffer.allocUnsafeSlow(Math.max(size, WINDOW_BYTES));
    const { bytesRead } = await this.#file.handle.read(this.#window, 0, size, position - segment.base);
    return this.#window.subarray(0, bytesRead);
  }

  /** @returns the next position with a readable frame, or the segment's end */
  async #skipUnreadable(position: number): Promise<number> {
    const { log, stream, salt, onUnreadable } = this.#options;
    const segment = this.#segmentAt(position);
    if (!segment) return log.lastEnd[stream];
    const rest = await this.#readDisk(segment, position, segment.end - position);
    const found = findFrame(rest, 0, rest.length, salt);
    const next = found === undefined ? segment.end : position + found;
    if (next > position) onUnreadable(position, next - position);
    return next;
  }
}

function intactFrameBytes(buffer: Buffer, at: number, salt: number): number | undefined {
  const frame = decodeFrame(buffer, at, buffer.length, salt);
  return frame && frame.end - frame.start;
}
