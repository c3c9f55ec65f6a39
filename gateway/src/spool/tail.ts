/**
 * The newest durable bytes, kept in memory within a bound so that shipping need not read back what was just written.
 * Pieces are runs of whole frames at their position in the log. A miss is no error: the reader then reads the disk. What
 * is found must be copied in the same tick: the memory is used again.
 */
import type { ArenaPiece, FrameArena } from './frame-arena.ts';

export interface TailPiece {
  readonly start: number;
  readonly end: number;
  readonly piece: ArenaPiece;
}

export class Tail {
  readonly #maxBytes: number;
  readonly #arena: FrameArena;
  #pieces: TailPiece[] = [];
  #first = 0;
  #bytes = 0;

  constructor(maxBytes: number, arena: FrameArena) {
    this.#maxBytes = maxBytes;
    this.#arena = arena;
  }

  /**
   * Takes the pieces over.
   * @param position of the first; they follow one another
   */
  add(pieces: readonly ArenaPiece[], position: number): void {
    let start = position;
    for (const piece of pieces) {
      const end = start + piece.bytes.length;
      this.#pieces.push({ start, end, piece });
      this.#bytes += piece.bytes.length;
      start = end;
    }
    while (this.#bytes > this.#maxBytes) this.#dropFirst();
  }

  /** Everything before `position` is no longer needed. */
  release(position: number): void {
    for (;;) {
      const first = this.#pieces[this.#first];
      if (!first || first.end > position) return;
      this.#dropFirst();
    }
  }

  /** @returns the piece that holds the byte at `position` */
  find(position: number): TailPiece | undefined {
    let low = this.#first;
    let high = this.#pieces.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const piece = this.#pieces[middle];
      if (!piece) return undefined;
      if (position < piece.start) high = middle - 1;
      else if (position >= piece.end) low = middle + 1;
      else return piece;
    }
    return undefined;
  }

  #dropFirst(): void {
    const first = this.#pieces[this.#first];
    if (!first) return;
    this.#bytes -= first.piece.bytes.length;
    this.#arena.release(first.piece);
    this.#first += 1;
    if (this.#first > 512 && this.#first * 2 > this.#pieces.length) {
      this.#pieces = this.#pieces.slice(this.#first);
      this.#first = 0;
    }
  }
}
