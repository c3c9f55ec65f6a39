/**
 * Keeps views on the first bytes of something that passes, up to a cap, and counts the rest. Copies nothing: a view
 * keeps the socket's chunk alive until the record is sealed, which the cap bounds.
 */
import type { CapturedBody } from '../observer.ts';

export class BodyCapture {
  readonly #cap: number;
  #chunks: Uint8Array[] = [];
  #kept = 0;
  #bytes = 0;

  constructor(capBytes: number) {
    this.#cap = capBytes;
  }

  /** true size */
  get bytes(): number {
    return this.#bytes;
  }

  get whole(): boolean {
    return this.#kept === this.#bytes;
  }

  add(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    const room = this.#cap - this.#kept;
    if (room <= 0) return;
    const piece = chunk.length <= room ? chunk : chunk.subarray(0, room);
    this.#chunks.push(piece);
    this.#kept += piece.length;
  }

  reset(): void {
    this.#chunks = [];
    this.#kept = 0;
    this.#bytes = 0;
  }

  /** What was kept, as one piece. */
  joined(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  body(format: CapturedBody['format']): CapturedBody {
    return { chunks: [...this.#chunks], bytes: this.#bytes, format };
  }
}
