/**
 * What stands in which segment: per stream how far its frames reach, how much of it waits to be shipped, and how many
 * open intents have their newest copy there. From this follows which segment may go. Bookkeeping in memory only; it
 * touches no file.
 */
import type { SpoolStream } from './spool.ts';

export const STREAMS: readonly SpoolStream[] = ['metadata', 'payload'];

export interface SegmentInfo {
  readonly base: number;
  readonly path: string;
  /** position behind the last frame that counts */
  end: number;
  /** position behind the last frame of each stream; 0: none here */
  readonly lastEnd: Record<SpoolStream, number>;
  openIntents: number;
  openIntentBytes: number;
}

/** Frames of one stream in a group, a batch or a segment. */
export interface StreamAmount {
  frames: number;
  /** on disk, headers included */
  bytes: number;
  /** the earliest start of a record among them; 0n: none */
  oldestNs: bigint;
}

export function noAmount(): StreamAmount {
  return { frames: 0, bytes: 0, oldestNs: 0n };
}

export function addFrame(amount: StreamAmount, bytes: number, startedAtNs: bigint): void {
  amount.frames += 1;
  amount.bytes += bytes;
  if (amount.oldestNs === 0n || startedAtNs < amount.oldestNs) amount.oldestNs = startedAtNs;
}

export class SegmentLog {
  readonly segments: SegmentInfo[] = [];
  /** everything before it was accepted by the store or set aside */
  readonly acked: Record<SpoolStream, number> = { metadata: 0, payload: 0 };
  readonly lastEnd: Record<SpoolStream, number> = { metadata: 0, payload: 0 };
  readonly waiting: Record<SpoolStream, StreamAmount> = { metadata: noAmount(), payload: noAmount() };
  /** the newest segment takes no more frames */
  newestSealed = true;
  #bytes = 0;

  newest(): SegmentInfo | undefined {
    return this.segments.at(-1);
  }

  /** Position behind everything durable. */
  end(): number {
    return this.newest()?.end ?? 0;
  }

  add(base: number, path: string): SegmentInfo {
    const info: SegmentInfo = {
      base,
      path,
      end: base,
      lastEnd: { metadata: 0, payload: 0 },
      openIntents: 0,
      openIntentBytes: 0,
    };
    this.segments.push(info);
    return info;
  }

  extend(info: SegmentInfo, end: number): void {
    this.#bytes += end - info.end;
    info.end = end;
  }

  /** The stream has frames in the segment up to there. */
  reached(info: SegmentInfo, stream: SpoolStream, lastEnd: number): void {
    info.lastEnd[stream] = lastEnd;
    this.lastEnd[stream] = lastEnd;
  }

  /** More of a stream waits to be shipped. */
  awaits(stream: SpoolStream, amount: StreamAmount): void {
    const waiting = this.waiting[stream];
    waiting.frames += amount.frames;
    waiting.bytes += amount.bytes;
    if (waiting.oldestNs === 0n || amount.oldestNs < waiting.oldestNs) waiting.oldestNs = amount.oldestNs;
  }

  /** What is due next: the age of the backlog is that of its head. */
  oldestIs(stream: SpoolStream, startedAtNs: bigint): void {
    this.waiting[stream].oldestNs = startedAtNs;
  }

  /** A stream has got rid of everything before `position`. */
  ack(stream: SpoolStream, position: number, frames: number, bytes: number): void {
    this.acked[stream] = position;
    const waiting = this.waiting[stream];
    const isEmpty = !this.hasWaiting(stream);
    waiting.frames = isEmpty ? 0 : Math.max(1, waiting.frames - frames);
    waiting.bytes = isEmpty ? 0 : Math.max(1, waiting.bytes - bytes);
    if (isEmpty) waiting.oldestNs = 0n;
  }

  hasWaiting(stream: SpoolStream): boolean {
    return this.lastEnd[stream] > this.acked[stream];
  }

  isShipped(info: SegmentInfo): boolean {
    return STREAMS.every((stream) => info.lastEnd[stream] <= this.acked[stream]);
  }

  /** The oldest segment, once shipped and not the newest; its open intents may still hold it. */
  oldestShipped(): SegmentInfo | undefined {
    const [oldest] = this.segments;
    return oldest && this.segments.length > 1 && this.isShipped(oldest) ? oldest : undefined;
  }

  /** Bytes that deletion, oldest first, could free if no open intent were in the way. */
  shippedBytes(): number {
    let bytes = 0;
    for (const info of this.segments.slice(0, -1)) {
      if (!this.isShipped(info)) break;
      bytes += info.end - info.base;
    }
    return bytes;
  }

  removeOldest(): void {
    const oldest = this.segments.shift();
    if (oldest) this.#bytes -= oldest.end - oldest.base;
  }

  /** Bytes that count against the cap: all but a newest segment that the next append replaces. */
  occupiedBytes(): number {
    const newest = this.newest();
    if (!newest || !this.newestSealed || !this.isShipped(newest)) return this.#bytes;
    return this.#bytes - (newest.end - newest.base);
  }
}
