/**
 * Reads what a child says and brings each message to the stream it belongs to: responses and progress to their request,
 * questions and other notifications where the client can hear them. Part of a session. What is no message is counted,
 * never shown.
 */
import type { Exchange, RecordedAt } from '../exchange.ts';
import type { ReceivedMessage } from '../message.ts';
import type { CallEnd } from '../observer.ts';
import type { ClientCalls } from './stdio-calls.ts';
import type { StdioCounters } from './stdio-counters.ts';
import { toEventData } from '../scan/stdio-framing.ts';
import type { ServerQuestions, Target } from './stdio-questions.ts';
import { readLine, relabel } from './stdio-relabel.ts';
import type { SessionStreams } from './stdio-streams.ts';

export interface InboundLink {
  readonly at: RecordedAt;
  readonly calls: ClientCalls;
  readonly questions: ServerQuestions;
  readonly streams: SessionStreams;
  readonly counters: StdioCounters;
  /** whose caller and connection the records of unrelated messages name */
  latestExchange(): Exchange;
  sessionFacts(): Partial<CallEnd>;
}

export class ChildMessages {
  readonly #link: InboundLink;

  constructor(link: InboundLink) {
    this.#link = link;
  }

  onLine(line: Buffer): void {
    const { messages, garbage } = readLine(line);
    if (garbage > 0) {
      this.#link.counters.garbageLines += 1;
      this.#link.counters.garbageBytes += line.length;
    }
    for (const message of messages) {
      if (message.kind === 'response') this.#link.calls.onResponse(message);
      else if (message.kind === 'request') this.#onQuestion(message);
      else this.#onNotification(message);
    }
  }

  /**
   * Neither stdio nor the older HTTP+SSE transport says which request a question belongs to. With one open request it is
   * that one; with several nobody can tell, so it takes the standalone stream, as the newest of them would be a guess.
   */
  #onQuestion(question: ReceivedMessage): void {
    const related = this.#link.calls.requests.only();
    const target = related?.answer.carriesEvents === true ? related.answer : this.#unrelatedTarget();
    const exchange = related?.answer.exchange ?? this.#link.latestExchange();
    this.#link.questions.ask(
      question,
      exchange,
      target,
      related?.observation.callId ?? this.#link.calls.requests.callIds()
    );
  }

  #unrelatedTarget(): Target {
    const { standalone } = this.#link.streams;
    if (standalone.attached) return standalone;
    // Without one, the stream keeps what comes until the client opens it.
    return this.#link.calls.requests.newestWhere((request) => request.answer.carriesEvents)?.answer ?? standalone;
  }

  #onNotification(message: ReceivedMessage): void {
    if (message.method === 'notifications/progress') {
      this.#onProgress(message);
    } else if (message.method === 'notifications/cancelled') {
      const cancelled = this.#link.questions.cancelByChild(message);
      if (cancelled === undefined) this.#link.counters.droppedNotifications += 1;
      else this.#deliver(message, cancelled.bytes, cancelled.target);
    } else {
      this.#deliver(message, message.bytes, this.#unrelatedTarget());
    }
  }

  #onProgress(progress: ReceivedMessage): void {
    const request = this.#link.calls.progressed(progress.progressToken);
    const kept = this.#link.calls.requests.keptToken(progress.progressToken);
    const clientToken = request?.message.progressToken ?? kept?.clientToken;
    const target = request?.answer.carriesEvents === true ? request.answer : this.#unrelatedTarget();
    if (clientToken === undefined) {
      this.#link.counters.droppedNotifications += 1;
      return;
    }
    const bytes = relabel(progress, { progressToken: clientToken });
    this.#deliver(progress, bytes, target, request?.observation.callId ?? kept?.callId);
  }

  #deliver(message: ReceivedMessage, bytes: Buffer, target: Target, parentCallId?: string): void {
    const observation = this.#link.latestExchange().begin({ ...message, bytes }, this.#link.at, {
      kind: 'notification',
      fromUpstream: true,
      requestBody: bytes,
      ...(parentCallId === undefined ? { underCallIds: this.#link.calls.requests.callIds() } : { parentCallId }),
    });
    const settled = Promise.all([
      observation.intent(),
      observation.end({ ...this.#link.sessionFacts(), outcome: 'success' }),
    ]);
    settled.catch(() => undefined);
    target.push({ data: toEventData(bytes), settled });
  }
}
