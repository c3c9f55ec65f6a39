/**
 * Which requests are open between a client and its child process, both ways, and how their ids map. Towards the child a
 * request has an id and a progress token that only the gateway chose, so a client's duplicate or hostile ids cannot
 * collide; the same towards the client for requests of the child. Keeps maps and timers, sends nothing.
 */
import type { ReceivedMessage } from '../message.ts';
import { idKey } from '../scan/message-builder.ts';
import type { CallObservation } from '../observer.ts';
import type { RequestAnswer } from './request-answer.ts';
import type { EventStream } from './stdio-event-stream.ts';

export interface OpenRequest {
  /** JSON text, towards the child; also its progress token there */
  readonly gatewayId: string;
  /** JSON text, as the client sent it */
  readonly clientId: string;
  readonly message: ReceivedMessage;
  readonly observation: CallObservation;
  readonly intent: Promise<void>;
  readonly answer: RequestAnswer;
  /** undefined: it may take as long as it likes */
  readonly timer: NodeJS.Timeout | undefined;
  /** `performance.now()` */
  readonly sentAt: number;
}

/** Of a request that was answered with a task. */
export interface KeptToken {
  readonly clientToken: string;
  readonly callId: string;
}

/** Progress tokens of requests that were answered with a task: they stay valid while the task runs. */
const KEPT_TOKENS = 256;

export class OpenRequests {
  readonly #byGatewayId = new Map<string, OpenRequest>();
  readonly #keptTokens = new Map<string, KeptToken>();
  #nextId = 1;

  get size(): number {
    return this.#byGatewayId.size;
  }

  nextId(): string {
    const id = String(this.#nextId);
    this.#nextId += 1;
    return id;
  }

  add(request: OpenRequest): void {
    this.#byGatewayId.set(request.gatewayId, request);
  }

  has(request: OpenRequest): boolean {
    return this.#byGatewayId.has(request.gatewayId);
  }

  get(gatewayId: string | undefined): OpenRequest | undefined {
    return gatewayId === undefined ? undefined : this.#byGatewayId.get(gatewayId);
  }

  /** Takes it out: whoever gets it answers it. @returns undefined when it was answered before */
  take(gatewayId: string | undefined): OpenRequest | undefined {
    const request = this.get(gatewayId);
    if (request === undefined) return undefined;
    this.#byGatewayId.delete(request.gatewayId);
    clearTimeout(request.timer);
    return request;
  }

  takeAll(of?: RequestAnswer): OpenRequest[] {
    const requests = [...this.#byGatewayId.values()].filter((request) => of === undefined || request.answer === of);
    for (const request of requests) this.take(request.gatewayId);
    return requests;
  }

  /** The newest open request with this id of the client. */
  findByClientId(clientId: string): OpenRequest | undefined {
    const key = idKey(clientId);
    return [...this.#byGatewayId.values()].findLast((request) => idKey(request.clientId) === key);
  }

  /** Calls that something may belong to which names none. */
  callIds(): readonly string[] {
    return [...this.#byGatewayId.values()].map((request) => request.observation.callId);
  }

  /** The only open request, if there is exactly one. */
  only(): OpenRequest | undefined {
    return this.size === 1 ? this.#byGatewayId.values().next().value : undefined;
  }

  /** The only one of which that is so, if there is exactly one. */
  onlyWhere(matches: (request: OpenRequest) => boolean): OpenRequest | undefined {
    let found: OpenRequest | undefined;
    for (const request of this.#byGatewayId.values()) {
      if (!matches(request)) continue;
      if (found !== undefined) return undefined;
      found = request;
    }
    return found;
  }

  newestWhere(matches: (request: OpenRequest) => boolean): OpenRequest | undefined {
    return [...this.#byGatewayId.values()].findLast(matches);
  }

  keepToken(request: OpenRequest): void {
    if (request.message.progressToken === undefined) return;
    this.#keptTokens.set(request.gatewayId, {
      clientToken: request.message.progressToken,
      callId: request.observation.callId,
    });
    const [oldest] = this.#keptTokens.keys();
    if (this.#keptTokens.size > KEPT_TOKENS && oldest !== undefined) this.#keptTokens.delete(oldest);
  }

  /** The client's token for one of a task. */
  keptToken(gatewayToken: string | undefined): KeptToken | undefined {
    return gatewayToken === undefined ? undefined : this.#keptTokens.get(gatewayToken);
  }
}

/** Something the child asks of the client: sampling, elicitation, roots, ping. */
export interface OpenQuestion {
  /** JSON text, towards the client */
  readonly gatewayId: string;
  /** JSON text, as the child sent it */
  readonly childId: string;
  readonly observation: CallObservation;
  readonly timer: NodeJS.Timeout;
  /** where it went, and where its cancellation has to go */
  readonly push: (event: Parameters<EventStream['push']>[0]) => void;
}

export class OpenQuestions {
  readonly #byGatewayId = new Map<string, OpenQuestion>();
  #nextId = 1;

  get size(): number {
    return this.#byGatewayId.size;
  }

  nextId(): string {
    const id = String(this.#nextId);
    this.#nextId += 1;
    return id;
  }

  add(question: OpenQuestion): void {
    this.#byGatewayId.set(question.gatewayId, question);
  }

  take(gatewayId: string | undefined): OpenQuestion | undefined {
    const question = gatewayId === undefined ? undefined : this.#byGatewayId.get(gatewayId);
    if (question === undefined) return undefined;
    this.#byGatewayId.delete(question.gatewayId);
    clearTimeout(question.timer);
    return question;
  }

  takeByChildId(childId: string): OpenQuestion | undefined {
    const key = idKey(childId);
    const question = [...this.#byGatewayId.values()].findLast((open) => idKey(open.childId) === key);
    return this.take(question?.gatewayId);
  }

  takeAll(): OpenQuestion[] {
    const questions = [...this.#byGatewayId.values()];
    for (const question of questions) this.take(question.gatewayId);
    return questions;
  }
}
