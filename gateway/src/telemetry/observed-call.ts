/**
 * One call on its way: notes what passes and tells the relay what to wait for. The record itself (call-record.ts) is
 * made when the queue says so: an intent, unless the call ends before it is due, and the completion. A call ends once;
 * whatever comes later is ignored.
 */
import type { GatelensError } from '../errors.ts';
import type { CallEnd, CallObservation, CallStart, TraceContextCarrier } from '../mcp/observer.ts';
import type { QueuedCall } from './call-queue.ts';
import { CallRecord } from './call-record.ts';
import type { ObserverContext } from './observer-context.ts';

const DONE = Promise.resolve();

export class ObservedCall implements CallObservation, QueuedCall {
  readonly #context: ObserverContext;
  readonly #record: CallRecord;
  /** what never reaches an upstream server leaves nothing to find out after a crash */
  readonly #needsIntent: boolean;
  #isIntentWritten = false;
  #isHurried = false;
  #attempts = 0;
  #sentMs = 0;
  #end: CallEnd | undefined;
  #endedMs = 0;
  /** the reply waits for the completion */
  #waits = false;
  // Made when somebody waits.
  #intent: PromiseWithResolvers<undefined> | undefined;
  #ended: PromiseWithResolvers<undefined> | undefined;

  constructor(context: ObserverContext, start: CallStart) {
    this.#context = context;
    this.#record = new CallRecord(context, start);
    context.keeper.counts.seen += 1;
    this.#needsIntent = start.kind !== 'attempt';
    if (this.#needsIntent) context.queue.begun(this);
  }

  get callId(): string {
    return this.#record.callId;
  }

  get upstreamTrace(): TraceContextCarrier {
    return this.#record.trace.upstream();
  }

  get captureBytes(): number {
    const { mode, maxBytes } = this.#record.capture;
    return mode === 'off' ? 0 : maxBytes;
  }

  intent(): Promise<void> {
    if (this.#intent !== undefined) return this.#intent.promise;
    if (!this.#needsIntent || !this.#context.keeper.waits) return DONE;
    // A completion says more than an intent that was not written.
    if (this.#end !== undefined && !this.#isIntentWritten) return this.#ended?.promise ?? DONE;
    this.#intent = Promise.withResolvers<undefined>();
    return this.#intent.promise;
  }

  hurry(): void {
    if (!this.#needsIntent || this.#isIntentWritten || this.#isHurried || !this.#context.keeper.waits) return;
    this.#isHurried = true;
    this.#context.queue.hurry(this);
  }

  upstreamStarted(): void {
    if (this.#end !== undefined) return;
    this.#attempts += 1;
    // A second attempt belongs to the same span.
    if (this.#attempts === 1) this.#sentMs = this.#context.clock.monotonicMs();
  }

  end(end: CallEnd): Promise<void> {
    if (this.#end === undefined) {
      this.#end = end;
      this.#record.goesOn(end);
      this.#endedMs = this.#context.clock.monotonicMs();
      this.#waits = this.#context.keeper.waits;
      if (this.#waits) this.#ended = Promise.withResolvers<undefined>();
      this.#context.queue.ended(this, this.#waits);
    }
    return this.#ended?.promise ?? DONE;
  }

  writeIntent(): Promise<void> | undefined {
    if (!this.#needsIntent || this.#isIntentWritten || this.#end !== undefined) return undefined;
    this.#isIntentWritten = true;
    const { waits } = this.#context.keeper;
    if (waits) this.#intent ??= Promise.withResolvers<undefined>();
    return this.#record.appendIntent(waits, (error) => settle(this.#intent, error));
  }

  writeCompletion(): Promise<void> | undefined {
    const end = this.#end;
    if (end === undefined) return undefined;
    return this.#record.appendCompletion({
      end,
      endedMs: this.#endedMs,
      attempts: this.#attempts,
      sentMs: this.#sentMs,
      waits: this.#waits,
      settles: this.#isIntentWritten,
      onSettled: (error) => {
        settle(this.#ended, error);
        if (!this.#isIntentWritten) settle(this.#intent, error);
      },
    });
  }
}

function settle(waiting: PromiseWithResolvers<undefined> | undefined, error: GatelensError | undefined): void {
  if (waiting === undefined) return;
  if (error === undefined) {
    waiting.resolve(undefined);
    return;
  }
  // A relay whose client is gone may not look at it.
  waiting.promise.catch(() => undefined);
  waiting.reject(error);
}
