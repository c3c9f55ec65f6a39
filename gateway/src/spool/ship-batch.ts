/**
 * The frames of a batch that is on its way: where each ends, in the log and in the bytes to send. Plain numbers in a row,
 * not an object a frame, since thousands of them live just long enough to be a burden for the garbage collector.
 */
import { BatchBuffer } from './batch-buffer.ts';
import type { ChainLink } from './spool.ts';

/** Frames next to one another, from `first` to before `behind`. */
export interface BatchPart {
  readonly first: number;
  readonly behind: number;
}

export class ShipBatch {
  readonly #bytes: BatchBuffer;
  /** by frame: the position behind it in the log */
  #ends: number[] = [];
  /** by frame: the offset behind its bytes */
  #tos: number[] = [];
  /** by frame, headers included */
  #storedBytes: number[] = [];
  /** by frame: chained records up to and with it */
  #records: number[] = [];
  /** of the last chained record */
  link: ChainLink | undefined;
  /** the earliest start among the frames; 0n: no frames */
  oldestNs = 0n;

  /** @param keptBytes what may stay allocated from batch to batch */
  constructor(keptBytes: number) {
    this.#bytes = new BatchBuffer(keptBytes);
  }

  get frames(): number {
    return this.#ends.length;
  }

  get bytes(): number {
    return this.#tos.at(-1) ?? 0;
  }

  clear(): void {
    this.#bytes.clear();
    this.#ends = [];
    this.#tos = [];
    this.#storedBytes = [];
    this.#records = [];
    this.link = undefined;
    this.oldestNs = 0n;
  }

  add(bytes: Uint8Array, end: number, storedBytes: number, startedAtNs: bigint, isRecord: boolean): void {
    if (this.#ends.length === 0 || startedAtNs < this.oldestNs) this.oldestNs = startedAtNs;
    this.#bytes.add(bytes);
    this.#ends.push(end);
    this.#tos.push(this.bytes + bytes.length);
    this.#storedBytes.push(storedBytes);
    this.#records.push((this.#records.at(-1) ?? 0) + (isRecord ? 1 : 0));
  }

  /** @returns the frames from `first` that end at or before a position of the log */
  partUntil(first: number, position: number): BatchPart {
    let behind = first;
    while (behind < this.frames && (this.#ends[behind] ?? Infinity) <= position) behind += 1;
    return { first, behind };
  }

  /** The bytes of its frames: a view, valid until `clear`. */
  view({ first, behind }: BatchPart): Buffer {
    return this.#bytes.view(this.#tos[first - 1] ?? 0, this.#tos[behind - 1] ?? 0);
  }

  /** The position behind a frame. */
  endOf(frame: number): number {
    return this.#ends[frame] ?? 0;
  }

  storedBytes({ first, behind }: BatchPart): number {
    let bytes = 0;
    for (let frame = first; frame < behind; frame += 1) bytes += this.#storedBytes[frame] ?? 0;
    return bytes;
  }

  records({ first, behind }: BatchPart): number {
    return (this.#records[behind - 1] ?? 0) - (this.#records[first - 1] ?? 0);
  }
}
