/**
 * One life of a child that speaks the stateless era and is shared by all clients of its server. Asks it first what it
 * speaks and which tools it has; then takes requests there and back, under ids of the gateway's, so that clients never
 * meet. Whether a request may go at all was checked before; when a child is started again is the server's business.
 */
import type { Logger } from '../../logger.ts';
import type { Exchange } from '../exchange.ts';
import { idKey } from '../scan/message-builder.ts';
import type { ReceivedMessage } from '../message.ts';
import { ClientCalls } from './stdio-calls.ts';
import { LISTEN } from '../endless.ts';
import { StdioChild, type ChildCommand, type ChildExit, type ChildOptions } from './stdio-child.ts';
import type { StdioCounters } from './stdio-counters.ts';
import { discoverRequest, nextPage, OWN_META, readDiscovery, toolsRequest, type Discovery } from './stdio-discovery.ts';
import { EventStream } from './stdio-event-stream.ts';
import { failureOfSharedExit, type Failure } from './stdio-failure.ts';
import type { StdioLimits } from './stdio-limits.ts';
import { ParamHeaders } from './stdio-param-headers.ts';
import type { Acceptable } from './stdio-accept.ts';
import { PostAnswer } from './stdio-post-answer.ts';
import { SharedFlow } from './stdio-shared-flow.ts';
import { StatelessMessages } from './stdio-stateless-inbound.ts';
import type { InjectMeta } from '../trace-splice.ts';

export interface StatelessConnectionOptions {
  readonly server: string;
  readonly command: ChildCommand;
  readonly stderr: ChildOptions['stderr'];
  readonly limits: StdioLimits;
  readonly counters: StdioCounters;
  readonly injectMeta: InjectMeta;
  readonly logger: Logger;
}

/** What came out of asking the child: `silent` and `exited` say why there is no answer. */
export type Opening = Discovery | { readonly era: 'silent' } | { readonly era: 'exited'; readonly exit: ChildExit };

const RECORDED_AT = { upstreamTransport: 'stdio' } as const;
const MAX_TOOL_PAGES = 100;
const SLOWEST_CLIENT_MS = 2_000;
/** Statuses of the specification for errors of the server; all others are answers like any. */
const STATUS_OF_ERROR = new Map([
  [-32601, 404],
  [-32020, 400],
  [-32021, 400],
  [-32022, 400],
]);

export class StatelessConnection {
  readonly params = new ParamHeaders();
  /** Resolves once; the connection is of use only for the stateless era. */
  readonly opening: Promise<Opening>;
  readonly #options: StatelessConnectionOptions;
  readonly #child: StdioChild;
  readonly #flow: SharedFlow;
  readonly #calls: ClientCalls;
  readonly #inbound: StatelessMessages;
  readonly #ownRequests = new Map<string, (response: ReceivedMessage | undefined) => void>();
  #nextOwn = 1;
  #ended: ChildExit | undefined;
  #stopped = false;

  constructor(options: StatelessConnectionOptions) {
    this.#options = options;
    const { limits, counters } = options;
    this.#flow = new SharedFlow({
      maxBytes: limits.maxQueuedBytes,
      patienceMs: SLOWEST_CLIENT_MS,
      onFull: () => this.#child.pause(),
      onFree: () => this.#child.resume(),
    });
    this.#calls = new ClientCalls({
      server: options.server,
      at: RECORDED_AT,
      // the bound for one client is the server's business: here are all of them
      limits: { ...limits, maxOpenRequests: limits.maxOpenRequests * limits.maxSessions },
      counters,
      injectMeta: options.injectMeta,
      ownMeta: OWN_META,
      send: (json) => this.#child.send(json),
      clientIsAsked: () => false,
      isEndless: (message) => message.method === LISTEN,
      statusOf: (response) => STATUS_OF_ERROR.get(response.errorCode ?? 0) ?? 200,
      sessionFacts: () => ({}),
      onInitializeAnswered: () => undefined,
      onInitializeTimeout: () => undefined,
    });
    this.#inbound = new StatelessMessages({
      calls: this.#calls,
      counters,
      takeOwn: (response) => this.#takeOwn(response),
      onResponse: (response, { message }) => {
        if (message.method === 'tools/list' && response.hasResult) this.params.learn(response);
      },
    });
    const childOptions = { ...limits, maxLineBytes: limits.maxMessageBytes, stderr: options.stderr };
    this.#child = new StdioChild(options.command, childOptions, {
      onLine: (line) => this.#inbound.onLine(line),
      onExit: (exit) => this.#onExit(exit),
    });
    counters.childrenStarted += 1;
    this.opening = this.#open();
  }

  /** Resolves when the child and what it started are gone. */
  get gone(): Promise<unknown> {
    return this.#child.exited.then(() => this.#child.stop());
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** It can take requests, or will once it has opened. */
  get usable(): boolean {
    return this.#ended === undefined && !this.#stopped;
  }

  /** The child does not read what it was sent. */
  get congested(): boolean {
    return this.#child.backlogBytes > this.#options.limits.maxBacklogBytes;
  }

  async request(exchange: Exchange, message: ReceivedMessage, accepts: Acceptable): Promise<void> {
    const answer = this.#createAnswer(exchange, accepts);
    const request = this.#calls.open(exchange, message, answer);
    answer.start();
    this.#calls.forward(request);
    await answer.done;
  }

  /** @param passOn false: it is recorded and goes no further */
  async notify(exchange: Exchange, message: ReceivedMessage, passOn: boolean): Promise<void> {
    const observation = exchange.begin(message, RECORDED_AT);
    observation.upstreamStarted();
    if (passOn) this.#child.send(message.bytes);
    const recorded = [observation.intent(), observation.end({ outcome: 'success', httpStatus: 202 })];
    await exchange.sendJson(202, undefined, Promise.all(recorded));
  }

  /** Ends the child and answers what is open. Safe to call often. @returns when the child is gone */
  async end(failure: Failure): Promise<void> {
    this.#stopped = true;
    this.#calls.failAll(failure);
    await this.#child.stop();
  }

  killNow(): void {
    this.#child.killNow();
  }

  async #open(): Promise<Opening> {
    const response = await this.#ask(discoverRequest);
    if (response === undefined)
      return this.#ended === undefined ? { era: 'silent' } : { era: 'exited', exit: this.#ended };
    const discovery = readDiscovery(response);
    if (discovery.era === 'stateless' && discovery.hasTools) await this.#learnTools();
    return discovery;
  }

  /** Also settles the era of a child that decides it by the first request after the discovery. */
  async #learnTools(): Promise<void> {
    let cursor: string | undefined;
    for (let page = 0; page < MAX_TOOL_PAGES; page += 1) {
      const response = await this.#ask((id) => toolsRequest(id, cursor));
      if (response?.hasResult !== true) return;
      this.params.learn(response);
      cursor = nextPage(response);
      if (cursor === undefined) return;
    }
  }

  /** @returns undefined when the child ends or stays silent */
  #ask(requestOf: (rpcId: string) => Buffer): Promise<ReceivedMessage | undefined> {
    // texts, which no id of a client's request is
    const rpcId = JSON.stringify(`gatelens-${this.#nextOwn}`);
    this.#nextOwn += 1;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settleOwn(rpcId, undefined), this.#options.limits.startTimeoutMs);
      this.#ownRequests.set(rpcId, (response) => {
        clearTimeout(timer);
        resolve(response);
      });
      if (!this.#child.send(requestOf(rpcId))) this.#settleOwn(rpcId, undefined);
    });
  }

  #takeOwn(response: ReceivedMessage): boolean {
    return response.id !== undefined && this.#settleOwn(idKey(response.id), response);
  }

  #settleOwn(rpcId: string, response: ReceivedMessage | undefined): boolean {
    const settle = this.#ownRequests.get(rpcId);
    this.#ownRequests.delete(rpcId);
    settle?.(response);
    return settle !== undefined;
  }

  #createAnswer(exchange: Exchange, accepts: Acceptable): PostAnswer {
    const { sseAfterMs, stallTimeoutMs, keepAliveMs } = this.#options.limits;
    const gauge = this.#flow.open(() => exchange.res.destroy());
    const answer: PostAnswer = new PostAnswer(exchange, {
      accepts,
      gauge,
      sseAfterMs,
      stallTimeoutMs,
      prime: false,
      headers: () => ({}),
      // Streams of this era cannot be resumed: a client that is gone has cancelled.
      openStream: () =>
        new EventStream({ streamNo: 0, gauge, stallTimeoutMs, keepAliveMs, graceMs: 0, onLost: () => undefined }),
      onGone: () => void this.#calls.abandon(answer),
      onRefused: () => void this.#calls.refuse(answer),
    });
    return answer;
  }

  #onExit(exit: ChildExit): void {
    const { server, counters, logger } = this.#options;
    this.#ended = exit;
    counters.stderrBytes += this.#child.stderrBytes;
    for (const rpcId of [...this.#ownRequests.keys()]) this.#settleOwn(rpcId, undefined);
    logger[this.#stopped ? 'info' : 'warn']('stdio.child_exited', {
      server,
      expected: this.#stopped,
      shared: true,
      code: exit.code ?? exit.startError ?? '',
      signal: exit.signal ?? '',
      stderrBytes: this.#child.stderrBytes,
    });
    if (!this.#stopped) counters.childrenLost += 1;
    this.#calls.failAll(failureOfSharedExit(server, exit));
    void this.#child.stop();
  }
}
