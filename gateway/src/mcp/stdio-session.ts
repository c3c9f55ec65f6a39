/**
 * One MCP session of a stdio server: one child process for one client. Takes the messages of the client's POSTs to the
 * child; what comes back is stdio-inbound.ts's. Everything that passes is recorded before the other side sees the end of
 * it. Ends when the child does, when the client deletes it, or when the bridge says so. Which session an exchange belongs
 * to, and whether the caller may use it, is the bridge's business.
 */
import type { Logger } from '../logger.ts';
import type { Exchange } from './exchange.ts';
import type { ImplementationName, ReceivedMessage } from './message.ts';
import type { CallEnd } from './observer.ts';
import { ClientCalls, type CallsLink } from './stdio-calls.ts';
import { StdioChild, type ChildCommand, type ChildExit, type ChildOptions } from './stdio-child.ts';
import type { StdioCounters } from './stdio-counters.ts';
import { FlowGauge } from './stdio-event-stream.ts';
import { failureOfExit, isStartFailure, startTimedOut, type Failure } from './stdio-failure.ts';
import { ChildMessages } from './stdio-inbound.ts';
import type { StdioLimits } from './stdio-limits.ts';
import type { Acceptable } from './stdio-accept.ts';
import { PostAnswer } from './stdio-post-answer.ts';
import { ServerQuestions } from './stdio-questions.ts';
import { SessionStreams } from './stdio-streams.ts';
import type { InjectMeta } from './trace-splice.ts';

export interface SessionOptions {
  /** `Mcp-Session-Id` */
  readonly id: string;
  /** who may use it, see the bridge */
  readonly owner: string;
  readonly server: string;
  readonly command: ChildCommand;
  readonly stderr: ChildOptions['stderr'];
  readonly limits: StdioLimits;
  readonly counters: StdioCounters;
  readonly injectMeta: InjectMeta;
  readonly logger: Logger;
  /** `initialize` was answered with a result */
  onOpen(): void;
  /**
   * Once, as soon as no exchange can use it any more; its child may still be ending.
   * @param startFailed the child ended or stayed silent before it answered `initialize`
   */
  onEnd(startFailed: boolean): void;
}

const RECORDED_AT = { upstreamTransport: 'stdio' } as const;
/** The first revision whose clients know an event without data. */
const PRIMING_REVISION = '2025-11-25';

export class StdioSession {
  readonly id: string;
  readonly owner: string;
  readonly #options: SessionOptions;
  readonly #child: StdioChild;
  readonly #gauge: FlowGauge;
  readonly #streams: SessionStreams;
  readonly #calls: ClientCalls;
  readonly #questions: ServerQuestions;
  readonly #inbound: ChildMessages;
  #state: 'starting' | 'open' | 'ended' = 'starting';
  #latestExchange: Exchange;
  #client: ImplementationName | undefined;
  #protocolVersion: string | undefined;
  #exchanges = 0;
  #idleSince = performance.now();

  /** Starts the child. @param exchange the one that brings `initialize`; give it to `post` next */
  constructor(exchange: Exchange, options: SessionOptions) {
    this.id = options.id;
    this.owner = options.owner;
    this.#options = options;
    this.#latestExchange = exchange;
    const { limits, counters } = options;
    this.#gauge = new FlowGauge(
      limits.maxQueuedBytes,
      () => this.#child.pause(),
      () => this.#child.resume()
    );
    this.#streams = new SessionStreams(limits, this.#gauge, (events) => (counters.lostEvents += events));
    this.#questions = new ServerQuestions({ limits, counters, send: (json) => this.#child.send(json) });
    this.#calls = new ClientCalls(this.#callsLink());
    this.#inbound = new ChildMessages({
      calls: this.#calls,
      questions: this.#questions,
      streams: this.#streams,
      counters,
      latestExchange: () => this.#latestExchange,
      sessionFacts: () => this.#facts(),
    });
    const childOptions = { ...limits, maxLineBytes: limits.maxMessageBytes, stderr: options.stderr };
    this.#child = new StdioChild(options.command, childOptions, {
      onLine: (line) => this.#inbound.onLine(line),
      onExit: (exit) => this.#onExit(exit),
    });
    counters.childrenStarted += 1;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** The revision that client and server agreed on. */
  get protocolVersion(): string | undefined {
    return this.#protocolVersion;
  }

  /** Milliseconds since the last exchange ended; 0 while there is one. */
  get idleMs(): number {
    return this.#exchanges > 0 || this.#calls.requests.size > 0 ? 0 : performance.now() - this.#idleSince;
  }

  /** The child does not read what it was sent. */
  get congested(): boolean {
    return this.#child.backlogBytes > this.#options.limits.maxBacklogBytes;
  }

  /** Resolves when the child and what it started are gone. */
  get gone(): Promise<unknown> {
    return this.#child.stop();
  }

  async post(exchange: Exchange, accepts: Acceptable): Promise<void> {
    await this.#during(exchange, async () => {
      const requests = exchange.messages.filter((message) => message.kind === 'request');
      const others = exchange.messages.filter((message) => message.kind !== 'request');
      if (requests.length === 0) {
        const settled = others.map((message) => this.#takeOther(exchange, message));
        await exchange.sendJson(202, undefined, Promise.all(settled), this.#headers());
        return;
      }
      const answer = this.#createAnswer(exchange, accepts);
      const opened = requests.map((message) => this.#calls.open(exchange, message, answer));
      answer.start();
      for (const request of opened) this.#calls.forward(request);
      for (const message of others) this.#takeOther(exchange, message).catch(() => undefined);
      await answer.done;
    });
  }

  async get(exchange: Exchange): Promise<void> {
    await this.#during(exchange, () => this.#streams.get(exchange, this.#headers()));
  }

  /** Ends the child and answers what is open. Safe to call often. @returns when the child is gone */
  async end(failure: Failure): Promise<void> {
    if (this.#state !== 'ended') {
      const startFailed = this.#state === 'starting' && isStartFailure(failure);
      this.#state = 'ended';
      this.#options.onEnd(startFailed);
      this.#calls.failAll(failure);
      this.#questions.endAll({ outcome: failure.outcome, errorType: failure.code });
      void this.#streams.endAll();
    }
    await this.#child.stop();
  }

  killNow(): void {
    this.#child.killNow();
  }

  #callsLink(): CallsLink {
    const { server, limits, counters, injectMeta } = this.#options;
    return {
      injectMeta,
      server,
      limits,
      counters,
      send: (json) => this.#child.send(json),
      clientIsAsked: () => this.#questions.size > 0,
      sessionFacts: () => this.#facts(),
      onInitializeAnswered: (response, settled) => this.#onInitializeAnswered(response, settled),
      onInitializeTimeout: () => void this.end(startTimedOut(server, limits.startTimeoutMs)),
    };
  }

  async #during(exchange: Exchange, work: () => Promise<void>): Promise<void> {
    this.#latestExchange = exchange;
    this.#exchanges += 1;
    try {
      await work();
    } finally {
      this.#exchanges -= 1;
      this.#idleSince = performance.now();
    }
  }

  #headers(): Record<string, string> {
    return this.#state === 'ended' ? {} : { 'mcp-session-id': this.id };
  }

  #facts(): Partial<CallEnd> {
    return {
      session: { id: this.id, kind: 'mcp' },
      ...(this.#client === undefined ? {} : { client: this.#client }),
      ...(this.#protocolVersion === undefined ? {} : { protocolVersion: this.#protocolVersion }),
    };
  }

  #createAnswer(exchange: Exchange, accepts: Acceptable): PostAnswer {
    const answer = new PostAnswer(exchange, {
      accepts,
      gauge: this.#gauge,
      sseAfterMs: this.#options.limits.sseAfterMs,
      stallTimeoutMs: this.#options.limits.stallTimeoutMs,
      prime: (this.#protocolVersion ?? '') >= PRIMING_REVISION,
      headers: () => this.#headers(),
      openStream: (onAbandoned) => this.#streams.openForPost(onAbandoned),
      onGone: () => this.#endIfStarting(this.#calls.abandon(answer).length > 0),
      onRefused: () => this.#endIfStarting(this.#calls.refuse(answer).length > 0),
    });
    return answer;
  }

  /** While it starts, the only request is `initialize`: without its client there is no session. */
  #endIfStarting(withdrawn: boolean): void {
    if (!withdrawn || this.#state !== 'starting') return;
    void this.end({ code: 'client_gone', outcome: 'cancelled', message: 'The session was given up.' });
  }

  /** A notification of the client, or its answer to a question. @returns when it is recorded */
  async #takeOther(exchange: Exchange, message: ReceivedMessage): Promise<void> {
    if (message.kind === 'response') return this.#questions.answer(message);
    const observation = exchange.begin(message, RECORDED_AT);
    observation.upstreamStarted();
    if (message.method === 'notifications/cancelled') this.#calls.cancelByClient(message);
    else this.#child.send(message.bytes);
    await Promise.all([
      observation.intent(),
      observation.end({ ...this.#facts(), outcome: 'success', httpStatus: 202 }),
    ]);
  }

  #onInitializeAnswered(response: ReceivedMessage, settled: Promise<unknown>): void {
    if (!response.hasResult) {
      const message = 'The MCP server refused to initialize.';
      void this.end({ code: 'upstream_protocol', outcome: 'upstream_unreachable', message });
      return;
    }
    this.#state = 'open';
    this.#protocolVersion = response.resultProtocolVersion;
    this.#options.onOpen();
    settled.catch(() => {
      const message = 'The session could not be recorded.';
      void this.end({ code: 'audit_unavailable', outcome: 'denied', message });
    });
  }

  #onExit(exit: ChildExit): void {
    const { server, counters, logger } = this.#options;
    counters.stderrBytes += this.#child.stderrBytes;
    const expected = this.#state === 'ended';
    const starting = this.#state === 'starting';
    if (!expected && !starting) counters.childrenLost += 1;
    logger[expected ? 'info' : 'warn']('stdio.child_exited', {
      server,
      expected,
      starting,
      code: exit.code ?? exit.startError ?? '',
      signal: exit.signal ?? '',
      stderrBytes: this.#child.stderrBytes,
    });
    void this.end(failureOfExit(server, exit, starting));
  }
}
