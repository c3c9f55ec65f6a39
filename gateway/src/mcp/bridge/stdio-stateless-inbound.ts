/**
 * Reads what a shared child says and brings each message to the one request it belongs to: responses by id, progress by
 * token, what is listened to by subscription. A log message names nothing; it goes to the only request that asked for
 * any, and to nobody when several did, since it could be another client's. What is no message is counted, never shown.
 */
import { idKey } from '../scan/message-builder.ts';
import type { ReceivedMessage } from '../message.ts';
import { LISTEN } from '../endless.ts';
import { subscriptionLabel, type ClientCalls } from './stdio-calls.ts';
import type { StdioCounters } from './stdio-counters.ts';
import { toEventData } from '../scan/stdio-framing.ts';
import { readLine, relabel, type Labels } from './stdio-relabel.ts';
import type { OpenRequest } from './stdio-requests.ts';

export interface StatelessInboundLink {
  readonly calls: ClientCalls;
  readonly counters: StdioCounters;
  /** Takes responses to requests of the gateway's own. @returns false when it is none */
  takeOwn(response: ReceivedMessage): boolean;
  /** A response of the child to a client's request. */
  onResponse(response: ReceivedMessage, request: OpenRequest): void;
}

const RECORDED_AT = { upstreamTransport: 'stdio' } as const;

export class StatelessMessages {
  readonly #link: StatelessInboundLink;

  constructor(link: StatelessInboundLink) {
    this.#link = link;
  }

  onLine(line: Buffer): void {
    const { messages, garbage } = readLine(line);
    const { counters } = this.#link;
    if (garbage > 0) {
      counters.garbageLines += 1;
      counters.garbageBytes += line.length;
    }
    for (const message of messages) {
      if (message.kind === 'response') this.#onResponse(message);
      else if (message.kind === 'request') counters.forbiddenQuestions += 1;
      else this.#onNotification(message);
    }
  }

  #onResponse(response: ReceivedMessage): void {
    if (this.#link.takeOwn(response)) return;
    const { calls } = this.#link;
    const request = calls.requests.get(response.id === undefined ? undefined : idKey(response.id));
    if (request !== undefined) this.#link.onResponse(response, request);
    calls.onResponse(response);
  }

  #onNotification(message: ReceivedMessage): void {
    const { calls, counters } = this.#link;
    if (message.method === 'notifications/progress') {
      const request = calls.progressed(message.progressToken);
      const progressToken = request?.message.progressToken;
      if (request === undefined || progressToken === undefined) counters.droppedNotifications += 1;
      else this.#deliver(message, request, { progressToken });
    } else if (message.method === 'notifications/cancelled') {
      this.#onCancelled(message);
    } else if (message.subscriptionId !== undefined) {
      const request = calls.requests.get(idKey(message.subscriptionId));
      if (request?.message.method !== LISTEN) counters.droppedNotifications += 1;
      else this.#deliver(message, request, subscriptionLabel(message, request));
    } else {
      this.#onUnrelated(message);
    }
  }

  /** The server ends a subscription: the client hears it, and its stream ends. */
  #onCancelled(message: ReceivedMessage): void {
    const { calls, counters } = this.#link;
    const request = calls.requests.get(message.requestId === undefined ? undefined : idKey(message.requestId));
    if (request?.message.method !== LISTEN) {
      counters.droppedNotifications += 1;
      return;
    }
    this.#deliver(message, request, { requestId: request.clientId, ...subscriptionLabel(message, request) });
    calls.endWithoutResponse(request);
  }

  #onUnrelated(message: ReceivedMessage): void {
    const { calls, counters } = this.#link;
    const isLog = message.method === 'notifications/message';
    const request = calls.requests.onlyWhere(({ message: { method, logLevel } }) =>
      isLog ? logLevel !== undefined : method !== LISTEN
    );
    if (request === undefined) counters.unrelatedNotifications += 1;
    else this.#deliver(message, request, {});
  }

  #deliver(message: ReceivedMessage, request: OpenRequest, labels: Labels): void {
    const { answer, observation: call } = request;
    if (!answer.carriesEvents) {
      this.#link.counters.droppedNotifications += 1;
      return;
    }
    const bytes = relabel(message, labels);
    const observation = answer.exchange.begin({ ...message, bytes }, RECORDED_AT, {
      kind: 'notification',
      fromUpstream: true,
      requestBody: bytes,
      parentCallId: call.callId,
    });
    const settled = Promise.all([observation.intent(), observation.end({ outcome: 'success' })]);
    settled.catch(() => undefined);
    answer.push({ data: toEventData(bytes), settled });
  }
}
