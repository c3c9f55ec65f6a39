/**
 * Streams that are open, each with a way to ask whether its caller may still have it and one to end it. A stream is let in
 * once and may run for days: a key that was revoked, a token that expired or a rule that changed meanwhile ends it.
 */
import { setImmediate } from 'node:timers/promises';
import type { Revocation } from '../mcp/revocable-observation.ts';

export interface OpenStream {
  /** why its caller may not have it any more, by what holds now; undefined: they may */
  judge(): Revocation | undefined | Promise<Revocation | undefined>;
  end(why: Revocation): void;
}

/** Other work comes in between. */
const JUDGED_AT_ONCE = 100;

export class OpenStreams {
  readonly #streams = new Set<OpenStream>();
  #running: Promise<number> | undefined;
  /** how often it was asked for while it ran */
  #changes = 0;

  /** @returns what to call when it is over */
  add(stream: OpenStream): () => void {
    this.#streams.add(stream);
    return () => this.#streams.delete(stream);
  }

  /** Judges all of them. @returns how many were ended; never rejects */
  recheck(): Promise<number> {
    if (this.#running !== undefined) {
      // those judged already were judged by what held before
      this.#changes += 1;
      return this.#running;
    }
    this.#running = this.#recheck().finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #recheck(): Promise<number> {
    let ended = 0;
    let changes: number;
    do {
      changes = this.#changes;
      let judged = 0;
      for (const stream of [...this.#streams]) {
        const verdict = stream.judge();
        const why = verdict instanceof Promise ? await verdict : verdict;
        if (why !== undefined && this.#streams.delete(stream)) {
          stream.end(why);
          ended += 1;
        }
        if (++judged % JUDGED_AT_ONCE === 0) await setImmediate();
      }
    } while (changes !== this.#changes);
    return ended;
  }
}
