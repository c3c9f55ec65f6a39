/**
 * The newest durable bytes, kept in memory within a bound so that shipping need not read back what was just written.
 * Pieces are runs of whole frames at their position in the log. A miss is no error: the reader then reads the disk.
 */
export interface TailPiece {
  readonly start: number;
  readonly end: number;
  readonly bytes: Buffer;
}

export class Tail {
  readonly #maxBytes: number;
  #pieces: TailPiece[] = [];
  #first = 0;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @param position of the first piece; pieces follow one another */
  add(pieces: readonly Buffer[], position: number): void {
    let start = position;
    for (const bytes of pieces) {
      this.#pieces.push({ start, end: start + bytes.length, bytes });
      this.#bytes += bytes.length;
      start += bytes.length;
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
    this.#bytes -= first.bytes.length;
    this.#first += 1;
    if (this.#first > 512 && this.#first * 2 > this.#pieces.length) {
      this.#pieces = this.#pieces.slice(this.#first);
      this.#first = 0;
    }
  }
}
