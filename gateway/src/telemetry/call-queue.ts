/**
 * When records are made. Gathered, not one by one: a call leaves what is known of it here and goes on; its record is made
 * together with those of its neighbours, just before they are written. That costs a fraction (code and data are in the
 * caches), and the intent of a call that ends soon is never written at all, since the completion says more. Who waits for
 * the disk waits as before. Makes no record itself; without `gathering` everything is written at once.
 */

export interface Gathering {
  /** How long an intent may wait for the end of its call. A crash in that time leaves no trace of an unanswered call. */
  readonly intentMs: number;
  /** How long a completion for which no reply waits (`audit.durability: async`) may wait for others. */
  readonly completionMs: number;
}

export interface QueuedCall {
  /** @returns what settles when it is on disk or refused; undefined: nothing to write (any more), or not known yet */
  writeIntent(): Promise<unknown> | undefined;
  writeCompletion(): Promise<unknown> | undefined;
}

export interface Timers {
  nowMs(): number;
  /** after the events that are due now */
  soon(run: () => void): void;
  after(delayMs: number, run: () => void): { cancel(): void };
}

/** So many are made in one go: more would hold up the event loop. */
const MOST_AT_ONCE = 32;
/** So many wait, for the group that is being written or for others; then they are made at once. */
const MOST_WAITING = 32;
/** Entries behind which the list is not cut each time. */
const PASSED_KEPT = 256;

export class CallQueue {
  readonly #gathering: Gathering | undefined;
  readonly #timers: Timers;
  /** calls in the order of arrival, and when their intents are due; those that have ended meanwhile are passed over */
  #begun: { readonly call: QueuedCall; readonly dueMs: number }[] = [];
  #firstBegun = 0;
  #hurried: QueuedCall[] = [];
  #ended: QueuedCall[] = [];
  /** a reply waits for something here */
  #isAwaited = false;
  #isSoon = false;
  /** the newest group on its way to the disk */
  #writing: Promise<unknown> | undefined;
  #timer: { readonly dueMs: number; readonly timer: { cancel(): void } } | undefined;

  constructor(gathering: Gathering | undefined, timers: Timers = nodeTimers) {
    this.#gathering = gathering;
    this.#timers = timers;
  }

  begun(call: QueuedCall): void {
    if (this.#gathering === undefined) {
      void call.writeIntent();
      return;
    }
    const dueMs = this.#timers.nowMs() + this.#gathering.intentMs;
    this.#begun.push({ call, dueMs });
    this.#wakeAt(dueMs);
  }

  /** Its reply waits for the intent. Once a call. */
  hurry(call: QueuedCall): void {
    this.#hurried.push(call);
    this.#isAwaited = true;
    this.#writeSoon();
  }

  /** @param isAwaited a reply waits for the completion */
  ended(call: QueuedCall, isAwaited: boolean): void {
    if (this.#gathering === undefined) {
      void call.writeCompletion();
      return;
    }
    this.#ended.push(call);
    if (isAwaited) this.#isAwaited = true;
    if (isAwaited || this.#ended.length >= MOST_WAITING) this.#writeSoon();
    else this.#wakeAt(this.#timers.nowMs() + this.#gathering.completionMs);
  }

  /** Writes everything that waits here, in this tick. */
  flush(): void {
    while (this.#ended.length > 0) this.#write(Infinity);
    this.#write(Infinity);
  }

  #writeSoon(): void {
    if (this.#isSoon) return;
    // While a group is being written the next one gathers.
    if (this.#writing !== undefined && this.#ended.length < MOST_WAITING) return;
    this.#isSoon = true;
    this.#timers.soon(() => {
      this.#isSoon = false;
      this.#write(this.#timers.nowMs());
    });
  }

  /** @param nowMs intents due by then are written */
  #write(nowMs: number): void {
    let kept: Promise<unknown> | undefined;
    const ended = this.#ended.splice(0, MOST_AT_ONCE);
    for (const call of ended) kept = call.writeCompletion() ?? kept;
    const hurried = this.#hurried;
    this.#hurried = [];
    for (const call of hurried) kept = call.writeIntent() ?? kept;
    for (let next = this.#begun[this.#firstBegun]; next && next.dueMs <= nowMs; next = this.#begun[this.#firstBegun]) {
      this.#firstBegun += 1;
      kept = next.call.writeIntent() ?? kept;
    }
    if (this.#firstBegun > PASSED_KEPT) {
      this.#begun.splice(0, this.#firstBegun);
      this.#firstBegun = 0;
    }
    if (kept !== undefined) this.#follow(kept);
    // What is left has waited long enough.
    this.#isAwaited = this.#ended.length > 0;
    if (this.#isAwaited) this.#writeSoon();
  }

  #follow(kept: Promise<unknown>): void {
    this.#writing = kept;
    const done = (): void => {
      if (this.#writing !== kept) return;
      this.#writing = undefined;
      if (this.#isAwaited) this.#writeSoon();
    };
    kept.then(done, done);
  }

  #wakeAt(dueMs: number): void {
    if (this.#timer !== undefined) {
      if (this.#timer.dueMs <= dueMs) return;
      this.#timer.timer.cancel();
    }
    const delayMs = Math.max(0, Math.ceil(dueMs - this.#timers.nowMs()));
    const timer = this.#timers.after(delayMs, () => {
      this.#timer = undefined;
      // Timers may fire a little early.
      this.#write(Math.max(dueMs, this.#timers.nowMs()));
      const next = this.#begun[this.#firstBegun];
      if (next !== undefined) this.#wakeAt(next.dueMs);
    });
    this.#timer = { dueMs, timer };
  }
}

const nodeTimers: Timers = {
  nowMs: () => performance.now(),
  soon: (run) => setImmediate(run),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};
