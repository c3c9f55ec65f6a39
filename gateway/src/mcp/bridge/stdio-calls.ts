/**
 * The requests of a client on their way to the child and back: each gets an id and a progress token of the gateway's, a
 * timer and a record, and is ended exactly once: by the child's response, by a failure, by the client's cancellation.
 * Part of a session; it neither starts nor ends the child.
 */
import { wireError } from '../../errors.ts';
import type { Exchange, RecordedAt } from '../exchange.ts';
import { idKey } from '../scan/message-builder.ts';
import type { ReceivedMessage } from '../message.ts';
import type { CallEnd } from '../observer.ts';
import type { RequestAnswer } from './request-answer.ts';
import type { StdioCounters } from './stdio-counters.ts';
import type { Failure } from './stdio-failure.ts';
import type { StdioLimits } from './stdio-limits.ts';
import { capture, endOfResponse } from './stdio-outcome.ts';
import { relabel } from './stdio-relabel.ts';
import { OpenRequests, type OpenRequest } from './stdio-requests.ts';
import { cancelledNotification, rpcErrorBody } from './stdio-rpc.ts';
import type { InjectMeta } from '../trace-splice.ts';

/** What the calls need of their session. */
export interface CallsLink {
  readonly server: string;
  readonly at: RecordedAt;
  readonly limits: StdioLimits;
  readonly counters: StdioCounters;
  readonly injectMeta: InjectMeta;
  /** JSON text of `_meta` for messages of the gateway's own, where the revision wants one */
  readonly ownMeta?: string;
  /**
   * @param onFailed the child did not take this message, but may take others
   * @returns false when it takes nothing any more
   */
  send(json: Uint8Array, onFailed?: (failure: Failure) => void): boolean;
  /** The client was asked something and has not answered: then a request may take longer. */
  clientIsAsked(): boolean;
  /** A request whose answer has no end, and so no time limit. */
  isEndless?(request: ReceivedMessage): boolean;
  /** HTTP status for a response of the child; omitted: 200 */
  statusOf?(response: ReceivedMessage): number;
  /** Adds what the session knows about its client and itself. */
  sessionFacts(): Partial<CallEnd>;
  /** @param settled resolves when the answer was recorded */
  onInitializeAnswered(response: ReceivedMessage, settled: Promise<unknown>): void;
  onInitializeTimeout(): void;
}

const AUDIT_UNAVAILABLE = 'The call could not be recorded, so it is refused. Try again later.';

export class ClientCalls {
  readonly requests = new OpenRequests();
  readonly #link: CallsLink;

  constructor(link: CallsLink) {
    this.#link = link;
  }

  /** Opens the record and announces the request to its answer; nothing is sent yet. */
  open(exchange: Exchange, message: ReceivedMessage, answer: RequestAnswer): OpenRequest {
    const observation = exchange.begin(message, this.#link.at);
    const intent = observation.intent();
    intent.catch(() => undefined);
    answer.expect(intent);
    const gatewayId = this.requests.nextId();
    const { requestTimeoutMs, startTimeoutMs } = this.#link.limits;
    const timeoutMs = message.method === 'initialize' ? startTimeoutMs : requestTimeoutMs;
    const endless = this.#link.isEndless?.(message) === true;
    const request: OpenRequest = {
      gatewayId,
      clientId: message.id ?? 'null',
      message,
      observation,
      intent,
      answer,
      timer: endless ? undefined : setTimeout(() => this.#onTimeout(request), timeoutMs),
      sentAt: performance.now(),
    };
    this.requests.add(request);
    return request;
  }

  forward(request: OpenRequest): void {
    if (!this.requests.has(request)) return;
    const { server, limits } = this.#link;
    if (this.requests.size > limits.maxOpenRequests) {
      this.#fail(request, {
        code: 'rate_limited',
        outcome: 'denied',
        message: `This session has ${limits.maxOpenRequests} requests open. Wait for answers first.`,
      });
      return;
    }
    const { gatewayId, message, observation } = request;
    const { injectMeta } = this.#link;
    const labels = { id: gatewayId, progressToken: gatewayId, trace: observation.upstreamTrace, injectMeta };
    const json = relabel(message, labels);
    observation.upstreamStarted();
    if (!this.#link.send(json, (failure) => this.#fail(request, failure))) {
      const text = `The MCP server "${server}" has ended. Try again, with a new session if you had one.`;
      this.#fail(request, { code: 'child_exited', outcome: 'upstream_unreachable', message: text });
    }
  }

  onResponse(response: ReceivedMessage): void {
    const request = this.requests.take(response.id === undefined ? undefined : idKey(response.id));
    if (request === undefined) {
      this.#link.counters.unknownResponses += 1;
      return;
    }
    // A task's progress goes on after its request was answered.
    if (request.message.bytes.includes('"task"')) this.requests.keepToken(request);
    const body = relabel(response, { id: request.clientId, ...subscriptionLabel(response, request) });
    const status = this.#link.statusOf?.(response) ?? 200;
    const settled = this.#end(request, endOfResponse(response, body, request.observation.captureBytes), status);
    request.answer.respond(body, settled, () => this.#auditError(request), status);
    if (request.message.method === 'initialize') this.#link.onInitializeAnswered(response, settled);
  }

  /** @returns the request that the child's progress belongs to, if it is open; it then has its full time again */
  progressed(gatewayToken: string | undefined): OpenRequest | undefined {
    const request = this.requests.get(gatewayToken);
    request?.timer?.refresh();
    return request;
  }

  /** The client's notifications/cancelled. */
  cancelByClient(notification: ReceivedMessage): void {
    const { requestId } = notification;
    const open = requestId === undefined ? undefined : this.requests.findByClientId(requestId);
    // The revisions forbid to cancel initialize.
    const request = open?.message.method === 'initialize' ? undefined : this.requests.take(open?.gatewayId);
    if (request === undefined) {
      this.#link.counters.unknownCancellations += 1;
      return;
    }
    this.#link.send(relabel(notification, { requestId: request.gatewayId }));
    void this.#end(request, { outcome: 'cancelled' });
    request.answer.withdraw(request.clientId);
  }

  /** The child ends a subscription, which has no response. */
  endWithoutResponse(request: OpenRequest): void {
    if (this.requests.take(request.gatewayId) === undefined) return;
    this.#end(request, { outcome: 'success' }, 200).catch(() => undefined);
    request.answer.withdraw(request.clientId);
  }

  /**
   * The client is gone: its requests are cancelled at the child.
   * @param answer omitted: all of the session
   * @returns what was open
   */
  abandon(answer?: RequestAnswer): readonly OpenRequest[] {
    const requests = this.requests.takeAll(answer);
    for (const request of requests) {
      this.#cancelAtChild(request, 'The client disconnected.');
      void this.#end(request, { outcome: 'cancelled', errorType: 'client_gone' });
    }
    return requests;
  }

  /** An intent of this answer could not be recorded: nothing of it may go on. @returns what was open */
  refuse(answer: RequestAnswer): readonly OpenRequest[] {
    const requests = this.requests.takeAll(answer);
    for (const request of requests) {
      this.#cancelAtChild(request, 'The call could not be recorded.');
      const refused = { outcome: 'denied', errorType: 'audit_unavailable', deniedBy: 'audit' } as const;
      answer.respond(this.#auditError(request), this.#end(request, refused), () => this.#auditError(request), 503);
    }
    return requests;
  }

  failAll(failure: Failure): void {
    for (const request of this.requests.takeAll()) this.#answerFailure(request, failure);
  }

  #fail(request: OpenRequest, failure: Failure): void {
    if (this.requests.take(request.gatewayId) !== undefined) this.#answerFailure(request, failure);
  }

  #answerFailure(request: OpenRequest, failure: Failure): void {
    const { status, rpcCode } = wireError(failure.code);
    const body = rpcErrorBody(request.clientId, rpcCode, failure.message);
    const end: CallEnd = {
      outcome: failure.outcome,
      errorType: failure.code,
      rpcErrorCode: rpcCode,
      response: capture(body, request.observation.captureBytes),
      ...(failure.outcome === 'denied' ? { deniedBy: 'rate_limit' } : {}),
    };
    request.answer.respond(body, this.#end(request, end, status), () => this.#auditError(request), status);
  }

  #onTimeout(request: OpenRequest): void {
    if (request.message.method === 'initialize') {
      this.#link.onInitializeTimeout();
    } else if (this.#link.clientIsAsked()) {
      request.timer?.refresh();
    } else {
      const { server, limits } = this.#link;
      const text = `The MCP server "${server}" did not answer within ${limits.requestTimeoutMs} ms.`;
      this.#cancelAtChild(request, 'The request timed out.');
      this.#fail(request, { code: 'upstream_timeout', outcome: 'timeout', message: text });
    }
  }

  #cancelAtChild(request: OpenRequest, reason: string): void {
    if (request.message.method === 'initialize') return;
    this.#link.send(cancelledNotification(request.gatewayId, reason, this.#link.ownMeta));
  }

  /** @returns when request and end are on disk; rejections reach whoever waits, and nobody else */
  #end(request: OpenRequest, end: CallEnd, httpStatus?: number): Promise<unknown> {
    const upstreamMs = performance.now() - request.sentAt;
    const whole = { ...this.#link.sessionFacts(), upstreamMs, ttfbMs: upstreamMs, ...end };
    const status = httpStatus === undefined ? undefined : (request.answer.httpStatus ?? httpStatus);
    const recorded = request.observation.end(status === undefined ? whole : { ...whole, httpStatus: status });
    const settled = Promise.all([request.intent, recorded]);
    settled.catch(() => undefined);
    return settled;
  }

  #auditError(request: OpenRequest): Buffer {
    return rpcErrorBody(request.clientId, wireError('audit_unavailable').rpcCode, AUDIT_UNAVAILABLE);
  }
}

/** What belongs to a subscription names the request that opened it, by the id that its reader knows. */
export function subscriptionLabel(
  message: ReceivedMessage,
  request: OpenRequest
): { readonly subscriptionId?: string } {
  const named = message.subscriptionId;
  return named !== undefined && idKey(named) === request.gatewayId ? { subscriptionId: request.clientId } : {};
}
