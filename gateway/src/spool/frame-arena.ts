/**
 * The memory frames are encoded into, handed out front to back from chunks that are used again. One allocation a
 * megabyte would be cheap by itself, but memory outside of the heap makes the collector run: this costs more than
 * encoding does. A chunk returns to the pool when the last piece of it is released.
 */
const CHUNK_BYTES = 1024 * 1024;

export interface ArenaChunk {
  readonly buffer: Buffer;
  uses: number;
}

/** A run of whole frames; whoever holds it last calls `release`. */
export interface ArenaPiece {
  readonly bytes: Buffer;
  readonly chunk: ArenaChunk;
}

export class FrameArena {
  readonly #maxPooled: number;
  readonly #pool: ArenaChunk[] = [];
  #current: ArenaChunk | undefined;
  #used = 0;

  /** @param pooledBytes how much unused memory is kept */
  constructor(pooledBytes: number) {
    this.#maxPooled = Math.ceil(pooledBytes / CHUNK_BYTES);
  }

  /** @returns a chunk and the offset in it where `bytes` bytes are free */
  take(bytes: number): { chunk: ArenaChunk; at: number } {
    let current = this.#current;
    if (!current || bytes > current.buffer.length - this.#used) {
      // A large frame gets memory of its own and leaves the current chunk to the small ones.
      if (bytes > CHUNK_BYTES / 4) return { chunk: { buffer: Buffer.allocUnsafeSlow(bytes), uses: 0 }, at: 0 };
      if (current) this.#drop(current);
      current = this.#pool.pop() ?? { buffer: Buffer.allocUnsafeSlow(CHUNK_BYTES), uses: 0 };
      current.uses = 1;
      this.#current = current;
      this.#used = 0;
    }
    const at = this.#used;
    this.#used += bytes;
    return { chunk: current, at };
  }

  /** The chunk stays until the piece that begins in it is released. Call before the next `take`. */
  hold(chunk: ArenaChunk): void {
    chunk.uses += 1;
  }

  release(piece: ArenaPiece): void {
    this.#drop(piece.chunk);
  }

  #drop(chunk: ArenaChunk): void {
    chunk.uses -= 1;
    if (chunk.uses === 0 && chunk.buffer.length === CHUNK_BYTES && this.#pool.length < this.#maxPooled) {
      this.#pool.push(chunk);
    }
  }
}
