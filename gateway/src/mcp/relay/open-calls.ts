/**
 * Calls whose answer is still to come, by session and JSON-RPC id: so that a cancellation finds its request, and an
 * answer that arrives on a resumed stream finds the call it belongs to. It ends each record exactly once and in the end
 * every one: by answer, by session end, or when nobody came back for it in time.
 */
import type { CallEnd, CallObservation } from '../observer.ts';
import { idKey } from '../scan/message-builder.ts';

export class OpenCall {
  readonly observation: CallObservation;
  /** JSON text of the JSON-RPC id, as sent */
  readonly id: string;
  /** comparable form of it */
  readonly key: string;
  /** comparable form of its progress token */
  readonly progressKey: string | undefined;
  cancelRequested = false;
  /** `performance.now()` when it went upstream */
  sentAtMs = 0;
  firstByteAtMs: number | undefined;
  #ended: Promise<void> | undefined;
  #onEnd: (() => void) | undefined;

  /** @param id JSON text of the id; `progressToken` likewise */
  constructor(observation: CallObservation, id: string, progressToken?: string) {
    this.observation = observation;
    this.id = id;
    this.key = idKey(id);
    this.progressKey = progressToken === undefined ? undefined : idKey(progressToken);
  }

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  onEnd(listener: () => void): void {
    this.#onEnd = listener;
  }

  /** Somebody else ends it. */
  release(): CallObservation {
    this.#ended ??= Promise.resolve();
    this.#onEnd?.();
    return this.observation;
  }

  /** Only the first counts; every caller waits for the same record. */
  end(end: CallEnd): Promise<void> {
    if (this.#ended === undefined) {
      this.#ended = this.observation.end(end);
      this.#ended.catch(() => undefined);
      this.#onEnd?.();
    }
    return this.#ended;
  }
}

export interface OpenCallsOptions {
  /** After a cancellation the answer may still come for so long; default 5 s. */
  readonly cancelGraceMs?: number;
}

export class OpenCalls {
  readonly #bySession = new Map<string, Map<string, OpenCall>>();
  readonly #cancelGraceMs: number;

  constructor(options: OpenCallsOptions = {}) {
    this.#cancelGraceMs = options.cancelGraceMs ?? 5_000;
  }

  /** @param session upstream server and session id, or any other text that names the session */
  add(session: string, call: OpenCall): void {
    let calls = this.#bySession.get(session);
    if (calls === undefined) {
      calls = new Map<string, OpenCall>();
      this.#bySession.set(session, calls);
    }
    calls.set(call.key, call);
    call.onEnd(() => this.#remove(session, call));
  }

  find(session: string, key: string): OpenCall | undefined {
    return this.#bySession.get(session)?.get(key);
  }

  of(session: string): readonly OpenCall[] {
    return [...(this.#bySession.get(session)?.values() ?? [])];
  }

  /** The client wants no answer any more. The server may have answered already, so the record waits a little. */
  cancel(session: string, key: string): void {
    const call = this.find(session, key);
    if (call === undefined || call.cancelRequested) return;
    call.cancelRequested = true;
    this.endLater(call, { outcome: 'cancelled', errorType: 'client_gone' }, this.#cancelGraceMs);
  }

  /** Ends the record if nothing else does in time. */
  endLater(call: OpenCall, end: CallEnd, afterMs: number): void {
    const timer = setTimeout(() => void call.end(end).catch(() => undefined), afterMs);
    timer.unref();
  }

  endSession(session: string): void {
    for (const call of [...(this.#bySession.get(session)?.values() ?? [])]) {
      call.end({ outcome: 'cancelled', errorType: 'client_gone' }).catch(() => undefined);
    }
  }

  /** Ends whatever is still open, e.g. at shutdown. */
  async endAll(end: CallEnd): Promise<void> {
    const calls = [...this.#bySession.values()].flatMap((one) => [...one.values()]);
    await Promise.allSettled(calls.map((call) => call.end(end)));
  }

  #remove(session: string, call: OpenCall): void {
    const calls = this.#bySession.get(session);
    if (calls?.get(call.key) !== call) return;
    calls.delete(call.key);
    if (calls.size === 0) this.#bySession.delete(session);
  }
}
