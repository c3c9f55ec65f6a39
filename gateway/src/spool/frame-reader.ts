/**
 * Reads the frames of one stream in order, from the tail in memory or from the segment files. What the disk gives back
 * is checked (CRC); a range that has become unreadable since the start is skipped and reported, never shipped.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { declaredFrameBytes, decodeFrame, findFrame, type StoredFrame } from './frame-codec.ts';
import { SEGMENT_HEADER_BYTES } from './segment.ts';
import type { SegmentInfo, SegmentLog } from './segment-log.ts';
import type { ChainLink, SpoolStream } from './spool.ts';
import type { Tail } from './tail.ts';

const WINDOW_BYTES = 1024 * 1024;

export interface ShipFrame {
  /** position behind the frame */
  readonly end: number;
  /** on disk, header included */
  readonly storedBytes: number;
  readonly startedAtNs: bigint;
  readonly link: ChainLink | undefined;
  readonly bytes: Uint8Array;
}

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

/** Whole frames at a position of the log; `end` may lie before the end of `bytes`. */
interface Run {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** the memory is used again: frames must be copied out */
  readonly isBorrowed: boolean;
}

export class FrameReader {
  readonly #options: FrameReaderOptions;
  #file: { segment: SegmentInfo; handle: FileHandle } | undefined;
  #window = Buffer.alloc(0);

  constructor(options: FrameReaderOptions) {
    this.#options = options;
  }

  async read(from: number, limits: ReadLimits): Promise<ShipFrame[]> {
    const frames: ShipFrame[] = [];
    let bytes = 0;
    let position = from;
    while (position < limits.until) {
      const run = await this.#runAt(position);
      if (!run) break;
      const first = Math.max(position, run.start) - run.start;
      let at = first;
      const limit = run.end - run.start;
      while (at < limit) {
        const frame = decodeFrame(run.bytes, at, limit, this.#options.salt);
        if (!frame) break;
        at = frame.end;
        if (frame.type !== 'record' || frame.stream !== this.#options.stream) continue;
        const end = run.start + frame.end;
        const isFull = bytes + frame.bytes.length > limits.maxBytes || frames.length >= limits.maxFrames;
        if (end > limits.until || (frames.length > 0 && isFull)) return frames;
        bytes += frame.bytes.length;
        frames.push(shipFrame(frame, end, run.isBorrowed));
      }
      position = at > first ? run.start + at : await this.#skipUnreadable(run.start + first);
    }
    return frames;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#window = Buffer.alloc(0);
    await file?.handle.close();
  }

  async #runAt(position: number): Promise<Run | undefined> {
    const segment = this.#options.log.segments.find((one) => position < one.end);
    if (!segment) return undefined;
    const start = Math.max(position, segment.base + SEGMENT_HEADER_BYTES);
    const piece = this.#options.tail.find(start);
    if (piece) return { bytes: piece.bytes, start: piece.start, end: piece.end, isBorrowed: false };
    let size = Math.min(WINDOW_BYTES, segment.end - start);
    let bytes = await this.#readDisk(segment, start, size);
    const declared = declaredFrameBytes(bytes, 0, bytes.length);
    if (declared !== undefined && declared > size && declared <= segment.end - start) {
      size = declared;
      bytes = await this.#readDisk(segment, start, size);
    }
    return { bytes, start, end: start + bytes.length, isBorrowed: true };
  }

  async #readDisk(segment: SegmentInfo, position: number, size: number): Promise<Buffer> {
    if (this.#file?.segment !== segment) {
      await this.close();
      this.#file = { segment, handle: await open(segment.path, 'r') };
    }
    if (this.#window.length < size) this.#window = Buffer.allocUnsafeSlow(Math.max(size, WINDOW_BYTES));
    const { bytesRead } = await this.#file.handle.read(this.#window, 0, size, position - segment.base);
    return this.#window.subarray(0, bytesRead);
  }

  /** @returns the next position with a readable frame, or the segment's end */
  async #skipUnreadable(position: number): Promise<number> {
    const { log, salt, onUnreadable } = this.#options;
    const segment = log.segments.find((one) => position < one.end);
    if (!segment) return position;
    const rest = await this.#readDisk(segment, position, segment.end - position);
    const found = findFrame(rest, 0, rest.length, salt);
    const next = found === undefined ? segment.end : position + found;
    if (next > position) onUnreadable(position, next - position);
    return next;
  }
}

function shipFrame(frame: StoredFrame, end: number, isBorrowed: boolean): ShipFrame {
  return {
    end,
    storedBytes: frame.end - frame.start,
    startedAtNs: frame.startedAtNs,
    link: frame.link,
    bytes: isBorrowed ? Uint8Array.prototype.slice.call(frame.bytes) : frame.bytes,
  };
}
