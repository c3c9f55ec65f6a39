/**
 * A group: the appends that share one write and one fdatasync. Frames are encoded into an arena as they come (one copy,
 * which then also serves the shipper), so a group is a few contiguous pieces however many frames it has.
 */
import { encodeFrame } from './frame-codec.ts';
import { addFrame, noAmount, type StreamAmount } from './segment-log.ts';
import type { ChainLink, SpoolFrame, SpoolStream } from './spool.ts';

const ARENA_BYTES = 1024 * 1024;

/** Memory handed out front to back; a spent arena lives as long as pieces of it are in use. */
export class FrameArena {
  #buffer = Buffer.alloc(0);
  #used = 0;

  /** @returns a buffer and the offset in it where `bytes` bytes are free */
  take(bytes: number): { buffer: Buffer; at: number } {
    if (bytes > ARENA_BYTES / 4 && bytes > this.#buffer.length - this.#used) {
      return { buffer: Buffer.allocUnsafeSlow(bytes), at: 0 };
    }
    if (bytes > this.#buffer.length - this.#used) {
      this.#buffer = Buffer.allocUnsafeSlow(ARENA_BYTES);
      this.#used = 0;
    }
    const at = this.#used;
    this.#used += bytes;
    return { buffer: this.#buffer, at };
  }
}

/** An intent (with bytes) or a completion (without), in the order appended. */
export interface IntentMark {
  readonly callId: string;
  readonly bytes?: Uint8Array;
  readonly carried: boolean;
}

interface GroupStream {
  readonly amount: StreamAmount;
  /** offset in the group behind the stream's last frame */
  lastEnd: number;
}

export class Group {
  readonly pieces: Buffer[] = [];
  readonly intents: IntentMark[] = [];
  readonly streams: Record<SpoolStream, GroupStream> = {
    metadata: { amount: noAmount(), lastEnd: 0 },
    payload: { amount: noAmount(), lastEnd: 0 },
  };
  readonly done = Promise.withResolvers<undefined>();
  bytes = 0;
  /** frames of appends, not carried copies */
  frames = 0;
  recordFrames = 0;
  lastLink: ChainLink | undefined;
  #piece: { buffer: Buffer; from: number; to: number } | undefined;

  /**
   * Adds one append.
   * @param sizes `frameBytes` of each frame
   */
  add(
    frames: readonly SpoolFrame[],
    sizes: readonly number[],
    carried: boolean,
    arena: FrameArena,
    salt: number
  ): void {
    for (const [index, frame] of frames.entries()) {
      const { buffer, at } = arena.take(sizes[index] ?? 0);
      // A carried copy stands alone: each is whole in itself.
      const end = encodeFrame(buffer, at, frame, { last: carried || index === frames.length - 1, carried }, salt);
      this.bytes += end - at;
      this.#extendPiece(buffer, at, end);
      if (frame.type === 'intent') {
        this.intents.push({ callId: frame.callId, bytes: new Uint8Array(frame.bytes), carried });
      } else {
        const stream = this.streams[frame.stream];
        addFrame(stream.amount, end - at, frame.startedAtNs);
        stream.lastEnd = this.bytes;
        this.recordFrames += 1;
        if (frame.settles !== undefined) this.intents.push({ callId: frame.settles, carried: false });
        if (frame.link) this.lastLink = frame.link;
      }
    }
    if (!carried) this.frames += frames.length;
  }

  /** Call once, when nothing more is added. */
  finish(): void {
    if (this.#piece) this.pieces.push(this.#piece.buffer.subarray(this.#piece.from, this.#piece.to));
    this.#piece = undefined;
  }

  #extendPiece(buffer: Buffer, from: number, to: number): void {
    const piece = this.#piece;
    if (piece?.buffer === buffer && piece.to === from) {
      piece.to = to;
      return;
    }
    this.finish();
    this.#piece = { buffer, from, to };
  }
}
