/**
 * One MCP session of a server that is spoken to message by message: one channel (a child process, or a connection of the
 * older HTTP+SSE transport) for one client. Takes the messages of the client's POSTs there; what comes back is
 * stdio-inbound.ts's. Everything that passes is recorded before the other side sees the end of it. Ends when the channel
 * does, when the client deletes it, or when the bridge says so. Which session an exchange belongs to, and whether the
 * caller may use it, is the bridge's business. Longer than usual: it ties together parts that have files of their own.
 */
import type { Logger } from '../../logger.ts';
import type { Exchange, RecordedAt } from '../exchange.ts';
import { LegacyAnswer } from './legacy-answer.ts';
import type { ReceivedMessage } from '../message.ts';
import type { CallEnd } from '../observer.ts';
import type { ChannelEnd, OpenChannel, SessionChannel } from './session-channel.ts';
import { ClientCalls, type CallsLink } from './stdio-calls.ts';
import type { StdioCounters } from './stdio-counters.ts';
import { FlowGauge } from './stdio-event-stream.ts';
import { isStartFailure, type Failure } from './stdio-failure.ts';
import { ChildMessages } from './stdio-inbound.ts';
import type { StdioLimits } from './stdio-limits.ts';
import type { Acceptable } from './stdio-accept.ts';
import { PostAnswer } from './stdio-post-answer.ts';
import { ServerQuestions } from './stdio-questions.ts';
import { refuse } from './stdio-refusal.ts';
import { SessionStreams } from './stdio-streams.ts';
import type { InjectMeta } from '../trace-splice.ts';

export interface SessionOptions {
  /** `Mcp-Session-Id`, or what the message endpoint of a legacy client names */
  readonly id: string;
  /** who may use it, see the bridge */
  readonly owner: string;
  /** its client speaks the older HTTP+SSE transport */
  readonly legacy: boolean;
  readonly server: string;
  readonly at: RecordedAt;
  readonly open: OpenChannel;
  /** what the client hears when `initialize` is not answered in time */
  readonly silent: Failure;
  readonly limits: StdioLimits;
  readonly counters: StdioCounters;
  readonly injectMeta: InjectMeta;
  readonly logger: Logger;
  /** `initialize` was answered with a result */
  onOpen(): void;
  /**
   * Once, as soon as no exchange can use it any more; its channel may still be ending.
   * @param startFailed the channel ended or stayed silent before it answered `initialize`
   */
  onEnd(startFailed: boolean): void;
}

/** The first revision whose clients know an event without data. */
const PRIMING_REVISION = '2025-11-25';
const CLIENT_LEFT: Failure = {
  code: 'client_gone',
  outcome: 'cancelled',
  message: 'The client closed its event stream.',
};

export class StdioSession {
  readonly id: string;
  readonly owner: string;
  readonly legacy: boolean;
  readonly #options: SessionOptions;
  readonly #channel: SessionChannel;
  readonly #gauge: FlowGauge;
  readonly #streams: SessionStreams;
  readonly #calls: ClientCalls;
  readonly #questions: ServerQuestions;
  readonly #inbound: ChildMessages;
  #state: 'starting' | 'open' | 'ended' = 'starting';
  /** why it ended */
  #failure: Failure | undefined;
  #latestExchange: Exchange;
  #protocolVersion: string | undefined;
  #exchanges = 0;
  #idleSince = performance.now();

  /** Opens the channel. @param exchange the one that opens the session; give it to `post` or `carryLegacy` next */
  constructor(exchange: Exchange, options: SessionOptions) {
    this.id = options.id;
    this.owner = options.owner;
    this.legacy = options.legacy;
    this.#options = options;
    this.#latestExchange = exchange;
    const { at, limits, counters } = options;
    this.#gauge = new FlowGauge(
      limits.maxQueuedBytes,
      () => this.#channel.pause(),
      () => this.#channel.resume()
    );
    this.#streams = new SessionStreams({
      at,
      limits,
      gauge: this.#gauge,
      resumable: !options.legacy,
      onLost: (events) => (counters.lostEvents += events),
    });
    this.#questions = new ServerQuestions({ at, limits, counters, send: (json) => this.#channel.send(json) });
    this.#calls = new ClientCalls(this.#callsLink());
    this.#inbound = new ChildMessages({
      at,
      calls: this.#calls,
      questions: this.#questions,
      streams: this.#streams,
      counters,
      latestExchange: () => this.#latestExchange,
      sessionFacts: () => this.#facts(),
    });
    this.#channel = options.open({
      onText: (text) => this.#inbound.onLine(text),
      onEnd: (end) => this.#onChannelEnd(end),
    });
  }

  get pid(): number | undefined {
    return this.#channel.pid;
  }

  /** The revision that client and server agreed on. */
  get protocolVersion(): string | undefined {
    return this.#protocolVersion;
  }

  /** Milliseconds since the last exchange ended; 0 while there is one. */
  get idleMs(): number {
    return this.#exchanges > 0 || this.#calls.requests.size > 0 ? 0 : performance.now() - this.#idleSince;
  }

  /** The server does not read what it was sent. */
  get congested(): boolean {
    return this.#channel.backlogBytes > this.#options.limits.maxBacklogBytes;
  }

  /** Resolves when the channel and what it started are gone. */
  get gone(): Promise<unknown> {
    return this.#channel.stop();
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
      const answer = this.legacy ? this.#legacyAnswer(exchange) : this.#createAnswer(exchange, accepts);
      const opened = requests.map((message) => this.#calls.open(exchange, message, answer));
      void answer.start();
      for (const request of opened) this.#calls.forward(request);
      for (const message of others) this.#takeOther(exchange, message).catch(() => undefined);
      await answer.done;
    });
  }

  async get(exchange: Exchange): Promise<void> {
    await this.#during(exchange, () => this.#streams.get(exchange, this.#headers()));
  }

  /**
   * The one event stream of a legacy client; the session lives as long as it does.
   * @param endpoint where its messages go to; it hears so once the server can be spoken to
   */
  async carryLegacy(exchange: Exchange, endpoint: string): Promise<void> {
    await this.#during(exchange, async () => {
      const left = (): void => void this.#clientLeft();
      exchange.signal.addEventListener('abort', left, { once: true });
      if (exchange.signal.aborted) left();
      await this.#channel.opened;
      const failure = this.#failure;
      if (failure !== undefined) {
        return refuse(exchange, failure.code, failure.message, { outcome: failure.outcome });
      }
      await this.#streams.carryOnly(exchange, { event: 'endpoint', data: endpoint });
      await this.#clientLeft();
    });
  }

  /** Ends the channel and answers what is open. Safe to call often. @returns when the channel is gone */
  async end(failure: Failure): Promise<void> {
    if (this.#state !== 'ended') {
      const startFailed = this.#state === 'starting' && isStartFailure(failure);
      this.#state = 'ended';
      this.#failure = failure;
      this.#options.onEnd(startFailed);
      this.#calls.failAll(failure);
      this.#questions.endAll({ outcome: failure.outcome, errorType: failure.code });
      const broken = failure.outcome === 'upstream_unreachable' || failure.outcome === 'timeout';
      void this.#streams.endAll(
        broken ? { outcome: failure.outcome, errorType: failure.code } : { outcome: 'success' }
      );
    }
    await this.#channel.stop();
  }

  killNow(): void {
    this.#channel.killNow();
  }

  #callsLink(): CallsLink {
    const { server, at, limits, counters, injectMeta, silent } = this.#options;
    return {
      injectMeta,
      server,
      at,
      limits,
      counters,
      send: (json, onFailed) => this.#channel.send(json, onFailed),
      clientIsAsked: () => this.#questions.size > 0,
      sessionFacts: () => this.#facts(),
      onInitializeAnswered: (response, settled) => this.#onInitializeAnswered(response, settled),
      onInitializeTimeout: () => void this.end(silent),
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
    return this.#state === 'ended' || this.legacy ? {} : { 'mcp-session-id': this.id };
  }

  #facts(): Partial<CallEnd> {
    return {
      session: { id: this.id, kind: 'mcp' },
      ...(this.#protocolVersion === undefined ? {} : { protocolVersion: this.#protocolVersion }),
    };
  }

  #legacyAnswer(exchange: Exchange): LegacyAnswer {
    const answer: LegacyAnswer = new LegacyAnswer(exchange, {
      stream: this.#streams.standalone,
      onRefused: () => this.#endIfStarting(this.#calls.refuse(answer).length > 0),
    });
    return answer;
  }

  #createAnswer(exchange: Exchange, accepts: Acceptable): PostAnswer {
    const answer: PostAnswer = new PostAnswer(exchange, {
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

  /** A legacy client without its stream can hear nothing any more. */
  async #clientLeft(): Promise<void> {
    for (const request of this.#calls.abandon()) request.answer.withdraw(request.clientId);
    await this.end(CLIENT_LEFT);
  }

  /** A notification of the client, or its answer to a question. @returns when it is recorded */
  async #takeOther(exchange: Exchange, message: ReceivedMessage): Promise<void> {
    if (message.kind === 'response') return this.#questions.answer(message);
    const observation = exchange.begin(message, this.#options.at);
    observation.upstreamStarted();
    if (message.method === 'notifications/cancelled') this.#calls.cancelByClient(message);
    else this.#channel.send(message.bytes);
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

  #onChannelEnd(end: ChannelEnd): void {
    const { server, counters, logger } = this.#options;
    const expected = this.#state === 'ended';
    const starting = this.#state === 'starting';
    if (!expected && !starting) counters.childrenLost += 1;
    logger[expected ? 'info' : 'warn'](end.event, { server, expected, starting, ...end.fields });
    void this.end(end.failure(starting));
  }
}
