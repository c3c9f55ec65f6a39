/**
 * What a child asks of its client: sampling, elicitation, roots, ping. Each goes out under an id of the gateway's, is
 * recorded as a server request under the call it belongs to, and its answer comes back with a later POST of the client.
 * Part of a session. A question that cannot be recorded is not asked.
 */
import { wireError } from '../../errors.ts';
import type { Exchange, RecordedAt } from '../exchange.ts';
import { idKey } from '../scan/message-builder.ts';
import type { ReceivedMessage } from '../message.ts';
import type { CallEnd } from '../observer.ts';
import type { StdioCounters } from './stdio-counters.ts';
import type { OutgoingEvent } from './stdio-event-stream.ts';
import { toEventData } from '../scan/stdio-framing.ts';
import type { StdioLimits } from './stdio-limits.ts';
import { endOfResponse } from './stdio-outcome.ts';
import { relabel } from './stdio-relabel.ts';
import { OpenQuestions, type OpenQuestion } from './stdio-requests.ts';
import { rpcErrorBody } from './stdio-rpc.ts';

/** Where messages for the client go. */
export interface Target {
  push(event: OutgoingEvent): void;
}

export interface QuestionsLink {
  readonly at: RecordedAt;
  readonly limits: StdioLimits;
  readonly counters: StdioCounters;
  send(json: Uint8Array): boolean;
}

export class ServerQuestions {
  readonly #open = new OpenQuestions();
  readonly #link: QuestionsLink;

  constructor(link: QuestionsLink) {
    this.#link = link;
  }

  get size(): number {
    return this.#open.size;
  }

  /**
   * @param exchange whose caller and connection the record names
   * @param under the call under which it is asked, or all that it may be when nothing says which
   */
  ask(question: ReceivedMessage, exchange: Exchange, target: Target, under: string | readonly string[]): void {
    const childId = question.id ?? 'null';
    const { limits } = this.#link;
    if (this.#open.size >= limits.maxOpenRequests) {
      this.#link.send(
        rpcErrorBody(childId, wireError('rate_limited').rpcCode, 'Too many requests to the client are open.')
      );
      return;
    }
    const gatewayId = this.#open.nextId();
    const bytes = relabel(question, { id: gatewayId });
    const observation = exchange.begin({ ...question, id: gatewayId, bytes }, this.#link.at, {
      kind: 'server_request',
      fromUpstream: true,
      requestBody: bytes,
      ...(typeof under === 'string' ? { parentCallId: under } : { underCallIds: under }),
    });
    const open: OpenQuestion = {
      gatewayId,
      childId,
      observation,
      timer: setTimeout(() => this.#expire(gatewayId), limits.serverRequestTimeoutMs),
      push: (event) => target.push(event),
    };
    this.#open.add(open);
    observation.upstreamStarted();
    observation.hurry();
    target.push({ data: toEventData(bytes), settled: observation.intent(), instead: () => this.#refuse(gatewayId) });
  }

  /** A response of the client. @returns when it is recorded; only then the child gets it */
  async answer(response: ReceivedMessage): Promise<void> {
    const open = this.#open.take(response.id === undefined ? undefined : idKey(response.id));
    if (open === undefined) {
      this.#link.counters.unknownAnswers += 1;
      return;
    }
    const { observation, childId } = open;
    try {
      await observation.end(endOfResponse(response, response.bytes, observation.captureBytes));
    } catch (error) {
      this.#sendRefusal(childId);
      throw error;
    }
    this.#link.send(relabel(response, { id: childId }));
  }

  /** The child's notifications/cancelled. @returns the cancellation for the client and where the question went */
  cancelByChild(notification: ReceivedMessage): { readonly bytes: Buffer; readonly target: Target } | undefined {
    const open = notification.requestId === undefined ? undefined : this.#open.takeByChildId(notification.requestId);
    if (open === undefined) return undefined;
    void settle(open, { outcome: 'cancelled' });
    return { bytes: relabel(notification, { requestId: open.gatewayId }), target: open };
  }

  /** The session is over. */
  endAll(end: CallEnd): void {
    for (const open of this.#open.takeAll()) void settle(open, end);
  }

  #expire(gatewayId: string): void {
    const open = this.#open.take(gatewayId);
    if (open === undefined) return;
    const { rpcCode } = wireError('upstream_timeout');
    this.#link.send(rpcErrorBody(open.childId, rpcCode, 'The client did not answer in time.'));
    void settle(open, { outcome: 'timeout', errorType: 'upstream_timeout' });
  }

  #refuse(gatewayId: string): undefined {
    const open = this.#open.take(gatewayId);
    if (open === undefined) return;
    this.#sendRefusal(open.childId);
    void settle(open, { outcome: 'denied', errorType: 'audit_unavailable', deniedBy: 'audit' });
  }

  #sendRefusal(childId: string): void {
    const { rpcCode } = wireError('audit_unavailable');
    this.#link.send(rpcErrorBody(childId, rpcCode, 'The request could not be recorded, so it is refused.'));
  }
}

/** Ends a record that nobody waits for. */
async function settle(open: OpenQuestion, end: CallEnd): Promise<void> {
  await open.observation.end(end).catch(() => undefined);
}
