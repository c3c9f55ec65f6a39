/**
 * Records of what an HTTP upstream says besides the answers to the calls of the exchange: notifications, its own
 * requests, and answers that nobody waits for. Finds the call that each belongs to. Part of exchange-records.ts; it
 * ends no call.
 */
import type { BodyCapture } from './body-capture.ts';
import type { Exchange } from '../exchange.ts';
import type { ExchangeOutcome } from './exchange-outcome.ts';
import { idKey } from '../scan/message-builder.ts';
import type { ScannedMessage } from '../message.ts';
import type { CallObservation } from '../observer.ts';
import type { OpenCall } from './open-calls.ts';
import type { RecordsContext } from './records-context.ts';

const PROGRESS = 'notifications/progress';
/** Of one stream; what passes beyond it waits for its record. */
const UNRECORDED_BYTES = 262_144;

export interface UpstreamMessagesOptions {
  readonly exchange: Exchange;
  readonly context: RecordsContext;
  readonly outcome: ExchangeOutcome;
  /** of the exchange's own body */
  readonly calls: readonly OpenCall[];
  /** the record of a GET stream */
  readonly stream: CallObservation | undefined;
  /** names the session; it changes when the answer opens one */
  readonly scope: () => string;
  /** a record of something that was not held up could not be kept */
  readonly onLost: () => void;
}

export class UpstreamMessages {
  readonly #options: UpstreamMessagesOptions;
  /** of notifications whose records are on their way to the disk */
  #unrecordedBytes = 0;

  constructor(options: UpstreamMessagesOptions) {
    this.#options = options;
  }

  /** Not held up; replayed on a resumed stream it is no second request, for the client was asked once. */
  asked(message: ScannedMessage, event: BodyCapture): void {
    const { context, scope, onLost } = this.#options;
    const key = idKey(message.id ?? 'null');
    if (context.serverRequests.has(scope(), key)) return;
    const observation = this.#begin(message, event, 'server_request', this.#parentOf(message));
    context.serverRequests.add(scope(), key, observation);
    observation.intent().catch(onLost);
  }

  /**
   * Not held up, unless more comes than can be recorded: then the upstream waits, not our memory.
   * @returns what must be settled first; undefined: nothing
   */
  notified(message: ScannedMessage, event: BodyCapture): Promise<unknown> | undefined {
    const { context, scope, onLost } = this.#options;
    if (message.method === 'notifications/cancelled' && message.requestId !== undefined) {
      context.serverRequests.cancel(scope(), idKey(message.requestId));
    }
    const ended = this.#begin(message, event, 'notification', this.#parentOf(message)).end({ outcome: 'success' });
    const { bytes } = event;
    this.#unrecordedBytes += bytes;
    const settled = (): void => {
      this.#unrecordedBytes -= bytes;
    };
    ended.then(settled, () => {
      settled();
      onLost();
    });
    return this.#unrecordedBytes > UNRECORDED_BYTES ? ended : undefined;
  }

  /**
   * A second answer, or one after its call was given up: it passes, so it needs a record of its own.
   * @param bytes the message alone, when `event` holds more
   */
  answerOfNoCall(message: ScannedMessage, event: BodyCapture, bytes?: Buffer): Promise<unknown> {
    const { calls, stream, outcome } = this.#options;
    const parent = this.ownCall(message)?.observation ?? stream ?? calls[0]?.observation;
    return this.#begin(message, event, 'notification', parent, bytes).end(outcome.verdictOf(message));
  }

  /** The call that a response answers: one of this exchange, or one whose stream was resumed by it. */
  callOf(response: ScannedMessage): OpenCall | undefined {
    const { context, scope } = this.#options;
    if (response.id === undefined) return undefined;
    return this.ownCall(response) ?? context.openCalls.find(scope(), idKey(response.id));
  }

  ownCall(message: ScannedMessage): OpenCall | undefined {
    if (message.id === undefined) return undefined;
    const key = idKey(message.id);
    return this.#options.calls.find((call) => call.key === key);
  }

  /** The call whose progress it is, if it is here or was begun on a stream that is gone; else whose stream it came on. */
  #parentOf(message: ScannedMessage): CallObservation | undefined {
    const { calls, stream } = this.#options;
    return this.#progressing(message)?.observation ?? stream ?? calls[0]?.observation;
  }

  #progressing(message: ScannedMessage): OpenCall | undefined {
    if (message.method !== PROGRESS || message.progressToken === undefined) return undefined;
    const key = idKey(message.progressToken);
    return this.#callsHere().find((call) => call.progressKey === key);
  }

  /** A stream that was resumed carries what belongs to calls of other exchanges. */
  #callsHere(): readonly OpenCall[] {
    const { calls, context, scope } = this.#options;
    return calls.length > 0 ? calls : context.openCalls.of(scope());
  }

  #mayBelongTo(message: ScannedMessage): readonly string[] {
    if (message.kind === 'response') return [];
    return this.#callsHere().map((call) => call.observation.callId);
  }

  #begin(
    message: ScannedMessage,
    event: BodyCapture,
    kind: 'notification' | 'server_request',
    parent: CallObservation | undefined,
    alone?: Buffer
  ): CallObservation {
    const { exchange, context } = this.#options;
    const bytes = alone ?? event.joined();
    return exchange.begin({ ...message, bytes }, context.at, {
      kind,
      parentCallId: parent?.callId ?? '',
      underCallIds: this.#mayBelongTo(message),
      // progress of a call that is over belongs to a task of it, whichever that is
      ...(message.method === PROGRESS && message.relatedTaskId === undefined && this.#progressing(message) === undefined
        ? { taskId: '' }
        : {}),
      requestBody: bytes,
      ...(alone !== undefined || event.whole ? {} : { requestBytes: event.bytes }),
    });
  }
}
