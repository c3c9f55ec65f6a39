/**
 * Memory for small results, cut from blocks: many buffers of their own outside of the heap make the garbage collector
 * run more often than the work they hold is worth. What was handed out is never used again by anybody else.
 */
const BLOCK_BYTES = 64 * 1024;

export class Slab {
  #block = Buffer.alloc(0);
  #used = 0;

  /** @returns memory with anything in it: fill all of it */
  take(bytes: number): Buffer {
    if (bytes > BLOCK_BYTES / 4) return Buffer.allocUnsafeSlow(bytes);
    if (this.#used + bytes > this.#block.length) {
      this.#block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
      this.#used = 0;
    }
    this.#used += bytes;
    return this.#block.subarray(this.#used - bytes, this.#used);
  }
}
