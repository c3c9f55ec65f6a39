/**
 * How long sessions last, for the session metrics of the MCP conventions: from the first call of a session to its end.
 * A session ends when the client closes it (DELETE, or its connection), or counts as ended at its last call when nothing
 * was heard for half an hour. Knows sessions by their keyed hash; bounded: the one silent longest is ended first.
 */
const IDLE_MS = 30 * 60_000;
const MAX_SESSIONS = 20_000;
/** far below IDLE_MS: a session that could be swept never stands behind one that could not for long */
const REORDER_MS = 10_000;

interface Session<Info> {
  readonly startedMs: number;
  seenMs: number;
  /** moved to the end of the map */
  orderedMs: number;
  readonly info: Info;
}

export class SessionDurations<Info> {
  readonly #sessions = new Map<string, Session<Info>>();
  readonly #onEnded: (durationMs: number, info: Info) => void;

  constructor(onEnded: (durationMs: number, info: Info) => void) {
    this.#onEnded = onEnded;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** @param nowMs by the monotonic clock */
  seen(sessionKey: string, nowMs: number, info: () => Info): void {
    const known = this.#sessions.get(sessionKey);
    if (known !== undefined) {
      known.seenMs = nowMs;
      if (nowMs - known.orderedMs < REORDER_MS) return;
      // keeps the map ordered by last sight, or nearly, so that sweeping stops at the first live one
      known.orderedMs = nowMs;
      this.#sessions.delete(sessionKey);
      this.#sessions.set(sessionKey, known);
      return;
    }
    this.#sessions.set(sessionKey, { startedMs: nowMs, seenMs: nowMs, orderedMs: nowMs, info: info() });
    if (this.#sessions.size > MAX_SESSIONS) this.#endOldest();
  }

  ended(sessionKey: string, nowMs: number): void {
    const session = this.#sessions.get(sessionKey);
    if (session === undefined) return;
    this.#sessions.delete(sessionKey);
    this.#onEnded(nowMs - session.startedMs, session.info);
  }

  /** Ends what has been silent too long. Cheap when nothing is. */
  sweep(nowMs: number): void {
    for (const session of this.#sessions.values()) {
      if (nowMs - session.seenMs < IDLE_MS) return;
      this.#endOldest();
    }
  }

  #endOldest(): void {
    for (const [key, session] of this.#sessions) {
      this.#sessions.delete(key);
      this.#onEnded(session.seenMs - session.startedMs, session.info);
      return;
    }
  }
}
