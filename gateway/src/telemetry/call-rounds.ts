/**
 * Calls that a server answered with questions (`input_required`, 2026-07-28): the client's next request, under another id,
 * goes on with the same call. Found by the state that the server gave it, else by what is called; always of the same
 * caller and server. Keeps digests of states, no state; bounded and with an expiry, after which a round stands alone.
 */
import { createHash } from 'node:crypto';
import type { CallStart } from '../mcp/observer.ts';

interface Waiting {
  readonly callId: string;
  readonly untilMs: number;
}

const MAX_WAITING = 10_000;
/** a person may have to be asked */
const EXPIRY_MS = 60 * 60_000;

export class CallRounds {
  readonly #waiting = new Map<string, Waiting>();
  readonly #monotonicMs: () => number;

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /** The call was answered with questions. */
  asked(callId: string, start: CallStart, state: string | undefined): void {
    const key = keyOf(start, state);
    this.#waiting.delete(key);
    this.#waiting.set(key, { callId, untilMs: this.#monotonicMs() + EXPIRY_MS });
    const oldest = this.#waiting.keys().next();
    if (this.#waiting.size > MAX_WAITING && oldest.done !== true) this.#waiting.delete(oldest.value);
  }

  /** The round before this one. It stays: a client may send its answers again. */
  before(start: CallStart): string | undefined {
    if (start.answersRound === undefined) return undefined;
    const found = this.#waiting.get(keyOf(start, start.answersRound.state));
    return found !== undefined && found.untilMs > this.#monotonicMs() ? found.callId : undefined;
  }
}

function keyOf({ server, caller, method, target }: CallStart, state: string | undefined): string {
  const of = [server, caller.userKey, caller.keyName, method, target?.type ?? '', target?.name ?? '', state ?? null];
  return createHash('sha256').update(JSON.stringify(of)).digest('base64');
}
