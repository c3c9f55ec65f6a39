/**
 * The hash chain of one gateway instance. Three heads: given (by `next`), accepted (appended, on its way to disk) and
 * durable. A link that is not appended before the next await, or whose append fails, is given again, so the durable
 * chain has neither gap nor fork. It stores nothing: frames and segment headers carry the links, chain-file.ts the identity.
 */
import { GENESIS_HASH, recordHash } from '../record/canonical.ts';
import type { Chain, ChainLink, SpoolFrame } from './spool.ts';

/** The head of a chain without records: the first record gets seq 1. */
export const GENESIS: ChainLink = { seq: 0n, hash: GENESIS_HASH };

export class RecordChain implements Chain {
  readonly id: string;
  /** given in this tick and not appended yet */
  #given: ChainLink[] = [];
  #accepted: ChainLink;
  #durable: ChainLink;
  #isLapsing = false;

  constructor(id: string, head: ChainLink) {
    this.id = id;
    this.#accepted = head;
    this.#durable = head;
  }

  head(): ChainLink {
    return this.#given.at(-1) ?? this.#accepted;
  }

  /** The newest link on disk: what a checkpoint may sign. */
  durableHead(): ChainLink {
    return this.#durable;
  }

  next(canonicalForm: string): ChainLink {
    const head = this.head();
    const link = { seq: head.seq + 1n, hash: recordHash(head.hash, canonicalForm) };
    this.#given.push(link);
    if (!this.#isLapsing) {
      this.#isLapsing = true;
      queueMicrotask(() => {
        this.#isLapsing = false;
        this.refuse();
      });
    }
    return link;
  }

  /** @returns false when the links are not those given next; then nothing has changed */
  accept(frames: readonly SpoolFrame[]): boolean {
    let taken = 0;
    for (const frame of frames) {
      if (frame.type !== 'record' || !frame.link) continue;
      if (frame.link.hash !== this.#given[taken]?.hash) return false;
      taken += 1;
    }
    const last = this.#given[taken - 1];
    if (last) {
      this.#accepted = last;
      this.#given.splice(0, taken);
    }
    return true;
  }

  /** Takes back what was given and not accepted. */
  refuse(): void {
    this.#given.length = 0;
  }

  /** The link and all before it are on disk. */
  reached(link: ChainLink): void {
    this.#durable = link;
  }

  /** Everything not durable has failed. */
  rollBack(): void {
    this.#accepted = this.#durable;
    this.refuse();
  }
}
