/**
 * The bytes of the batch that is on its way, one after the other, so that a batch and each half of it are one run
 * without copying again. One a stream, used for batch after batch; memory that only a giant needed is given back.
 */
export class BatchBuffer {
  readonly #keptBytes: number;
  #buffer = Buffer.alloc(0);
  #used = 0;

  /** @param keptBytes what may stay allocated from batch to batch */
  constructor(keptBytes: number) {
    this.#keptBytes = keptBytes;
  }

  clear(): void {
    this.#used = 0;
    if (this.#buffer.length > this.#keptBytes) this.#buffer = Buffer.alloc(0);
  }

  /** @returns the offset of the copy */
  add(bytes: Uint8Array): number {
    const at = this.#used;
    this.#used += bytes.length;
    if (this.#used > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.#used, 2 * this.#buffer.length, 64 * 1024));
      this.#buffer.copy(larger, 0, 0, at);
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, at);
    return at;
  }

  /** A view, valid until `clear`. */
  view(from: number, to: number): Buffer {
    return this.#buffer.subarray(from, to);
  }
}
