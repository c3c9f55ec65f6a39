/**
 * A group: the appends that share one write and one fdatasync. Frames are encoded into an arena as they come (one copy,
 * which then also serves the shipper), so a group is a few contiguous pieces however many frames it has. The pieces are
 * the group's until somebody takes them over; `release` gives their memory back.
 */
import type { ArenaChunk, ArenaPiece, FrameArena } from './frame-arena.ts';
import { encodeFrame } from './frame-codec.ts';
import { addFrame, noAmount, type StreamAmount } from './segment-log.ts';
import type { ChainLink, SpoolFrame, SpoolStream } from './spool.ts';

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
  readonly pieces: ArenaPiece[] = [];
  readonly intents: IntentMark[] = [];
  readonly streams: Record<SpoolStream, GroupStream> = {
    metadata: { amount: noAmount(), lastEnd: 0 },
    payload: { amount: noAmount(), lastEnd: 0 },
  };
  readonly done = Promise.withResolvers<undefined>();
  bytes = 0;
  /** frames of appends, not carried copies */
  frames = 0;
  /** chained records */
  records = 0;
  lastLink: ChainLink | undefined;
  #piece: { chunk: ArenaChunk; from: number; to: number } | undefined;
  readonly #arena: FrameArena;

  constructor(arena: FrameArena) {
    this.#arena = arena;
  }

  /**
   * Adds one append.
   * @param sizes `frameBytes` of each frame
   */
  add(frames: readonly SpoolFrame[], sizes: readonly number[], carried: boolean, salt: number): void {
    for (const [index, frame] of frames.entries()) {
      const { chunk, at } = this.#arena.take(sizes[index] ?? 0);
      // A carried copy stands alone: each is whole in itself.
      const end = encodeFrame(chunk.buffer, at, frame, { last: carried || index === frames.length - 1, carried }, salt);
      this.bytes += end - at;
      this.#extendPiece(chunk, at, end);
      if (frame.type === 'intent') {
        this.intents.push({ callId: frame.callId, bytes: new Uint8Array(frame.bytes), carried });
      } else {
        const stream = this.streams[frame.stream];
        addFrame(stream.amount, end - at, frame.startedAtNs);
        stream.lastEnd = this.bytes;
        if (frame.settles !== undefined) this.intents.push({ callId: frame.settles, carried: false });
        if (frame.link) {
          this.lastLink = frame.link;
          this.records += 1;
        }
      }
    }
    if (!carried) this.frames += frames.length;
  }

  /** Call when nothing more is added. */
  finish(): void {
    const piece = this.#piece;
    if (piece) this.pieces.push({ chunk: piece.chunk, bytes: piece.chunk.buffer.subarray(piece.from, piece.to) });
    this.#piece = undefined;
  }

  release(): void {
    this.finish();
    for (const piece of this.pieces.splice(0)) this.#arena.release(piece);
  }

  #extendPiece(chunk: ArenaChunk, from: number, to: number): void {
    const piece = this.#piece;
    if (piece?.chunk === chunk && piece.to === from) {
      piece.to = to;
      return;
    }
    this.finish();
    this.#arena.hold(chunk);
    this.#piece = { chunk, from, to };
  }
}
