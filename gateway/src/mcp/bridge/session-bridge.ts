/**
 * Serves one entry of `mcpServers` that is spoken to message by message, as Streamable HTTP and to clients of the older
 * HTTP+SSE transport: a channel of its own for each MCP session (revisions 2024-11-05 to 2025-11-25). Opens, finds and
 * ends sessions, holds each to the caller that opened it, and bounds how many run and how often starts may fail. Requests
 * without sessions (2026-07-28) are somebody else's. What passes inside a session is the session's business; who may call
 * at all was decided before.
 */
import { randomUUID } from 'node:crypto';
import type { Logger } from '../../logger.ts';
import type { Exchange, RecordedAt, Upstream } from '../exchange.ts';
import type { Caller } from '../observer.ts';
import type { OpenChannel } from './session-channel.ts';
import type { CallerBackoffs } from './stdio-backoff.ts';
import type { StdioCounters } from './stdio-counters.ts';
import type { Failure } from './stdio-failure.ts';
import type { StdioLimits } from './stdio-limits.ts';
import { acceptable, type Acceptable } from './stdio-accept.ts';
import { refuse, refuseWith } from './stdio-refusal.ts';
import { isStateless } from '../stateless-request.ts';
import type { StatelessSide } from './stateless-side.ts';
import { StdioSession } from './stdio-session.ts';
import type { InjectMeta } from '../trace-splice.ts';

export interface SessionBridgeOptions {
  readonly kind: 'stdio' | 'sse';
  /** key in `mcpServers` */
  readonly server: string;
  readonly at: RecordedAt;
  /** may throw when the operating system refuses */
  readonly open: OpenChannel;
  readonly stateless: StatelessSide;
  readonly limits: StdioLimits;
  readonly counters: StdioCounters;
  readonly injectMeta: InjectMeta;
  readonly logger: Logger;
  /** what a client hears when a channel could not even be begun */
  readonly notStarted: string;
  /** what a client hears when `initialize` is not answered in time */
  readonly silent: Failure;
  /** Omitted: starting costs nothing, so it may fail as often as clients try. */
  readonly backoffs?: CallerBackoffs;
}

export interface SessionBridgeState extends Readonly<StdioCounters> {
  readonly sessions: number;
  /** process ids of children that run or are ending */
  readonly pids: readonly number[];
}

export const SESSION_REVISIONS: readonly string[] = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'];
const IDLE_CHECKS = 10;
const LONGEST_IDLE_CHECK_MS = 30_000;

export class SessionBridge implements Upstream {
  readonly kind: 'stdio' | 'sse';
  readonly #options: SessionBridgeOptions;
  readonly #sessions = new Map<string, StdioSession>();
  /** sessions whose channel is still ending */
  readonly #ending = new Set<StdioSession>();
  readonly #idleCheck: NodeJS.Timeout;
  #closed = false;

  constructor(options: SessionBridgeOptions) {
    this.kind = options.kind;
    this.#options = options;
    const checkMs = Math.min(options.limits.idleMs / IDLE_CHECKS, LONGEST_IDLE_CHECK_MS);
    this.#idleCheck = setInterval(() => this.#endIdle(), checkMs);
    this.#idleCheck.unref();
  }

  /** For metrics and health. */
  state(): SessionBridgeState {
    const sessions = [...this.#sessions.values(), ...this.#ending];
    const pids = sessions.map((session) => session.pid).filter((pid) => pid !== undefined);
    const { counters, stateless } = this.#options;
    return { ...counters, sessions: this.#sessions.size, pids: [...pids, ...stateless.pids] };
  }

  async handle(exchange: Exchange): Promise<void> {
    if (this.#closed) return refuse(exchange, 'shutting_down', 'The gateway is shutting down.');
    if (exchange.legacy === 'stream') return this.#openLegacy(exchange);
    if (exchange.httpMethod !== 'POST' && this.#isStateless(exchange)) {
      return refuseWith(exchange, 405, 'This revision takes POST only.', { Allow: 'POST' });
    }
    switch (exchange.httpMethod) {
      case 'POST':
        return this.#post(exchange);
      case 'GET':
        return this.#get(exchange);
      case 'DELETE':
        return this.#delete(exchange);
    }
  }

  /** Answers what is open, ends all channels. With children it takes at most stdinGraceMs + termGraceMs + 1 s. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#idleCheck);
    const failure: Failure = {
      code: 'shutting_down',
      outcome: 'upstream_unreachable',
      message: 'The gateway is shutting down.',
    };
    const ending = [...this.#ending].map((session) => session.gone);
    const sessions = [...this.#sessions.values()].map((session) => session.end(failure));
    await Promise.all([...sessions, ...ending, this.#options.stateless.end(failure)]);
  }

  /** Kills all children at once, without waiting: for the last moment of a process that dies. */
  killNow(): void {
    for (const session of [...this.#sessions.values(), ...this.#ending]) session.killNow();
    this.#options.stateless.killNow();
  }

  async #post(exchange: Exchange): Promise<void> {
    const accepts = acceptable(exchange.header('accept'));
    if (!accepts.json && !accepts.sse && exchange.legacy === undefined) {
      return refuseWith(exchange, 406, 'Accept must allow application/json and text/event-stream.');
    }
    const unusable = exchange.messages.some((message) => message.kind === 'invalid' || message.ambiguous.length > 0);
    if (unusable || exchange.messages.length === 0) {
      return refuse(exchange, 'invalid_request', 'The body holds something that is no JSON-RPC 2.0 message.');
    }
    if (this.#isStateless(exchange)) return this.#options.stateless.post(exchange, accepts, ownerOf(exchange.caller));
    // with the older transport the session is there before its `initialize`
    const initializes = exchange.messages.some(({ kind, method }) => kind === 'request' && method === 'initialize');
    if (initializes && exchange.legacy === undefined) return this.#initialize(exchange, accepts);
    return this.#withSession(exchange, (session) => {
      if (!session.congested) return session.post(exchange, accepts);
      const text = `The MCP server "${this.#options.server}" does not read its input. Try again later, or start a new session.`;
      return refuse(exchange, 'upstream_unreachable', text);
    });
  }

  async #get(exchange: Exchange): Promise<void> {
    if (!acceptable(exchange.header('accept')).sse) {
      return refuseWith(exchange, 406, 'Accept must allow text/event-stream.');
    }
    return this.#withSession(exchange, (session) => session.get(exchange));
  }

  async #delete(exchange: Exchange): Promise<void> {
    return this.#withSession(exchange, async (session) => {
      void session.end({ code: 'session_unknown', outcome: 'cancelled', message: 'The client ended the session.' });
      await exchange.sendJson(200, undefined, Promise.resolve());
    });
  }

  #isStateless(exchange: Exchange): boolean {
    const session = this.#sessions.get(exchange.sessionId ?? '');
    return isStateless(exchange, session?.protocolVersion);
  }

  async #withSession(exchange: Exchange, use: (session: StdioSession) => Promise<void>): Promise<void> {
    const { sessionId } = exchange;
    if (sessionId === undefined) {
      return refuse(
        exchange,
        'invalid_request',
        'Mcp-Session-Id is missing. Send "initialize" first, then its session id.'
      );
    }
    const found = this.#sessions.get(sessionId);
    // The two transports have nothing in common but the server.
    const session = found?.legacy === (exchange.legacy !== undefined) ? found : undefined;
    // A foreign session looks like none: its id is a capability, and whether it exists is nobody else's business.
    if (session?.owner !== ownerOf(exchange.caller)) {
      const foreign = { outcome: 'denied', deniedBy: 'authentication' } as const;
      const text = `There is no such session. Start a new one ${startOf(exchange)}.`;
      return refuse(exchange, 'session_unknown', text, session === undefined ? undefined : foreign);
    }
    const version = exchange.header('mcp-protocol-version');
    if (version !== undefined && !SESSION_REVISIONS.includes(version) && version !== session.protocolVersion) {
      const known = SESSION_REVISIONS.join(', ');
      return refuse(exchange, 'invalid_request', `Unsupported protocol version. Supported are ${known}.`);
    }
    return use(session);
  }

  async #initialize(exchange: Exchange, accepts: Acceptable): Promise<void> {
    if (exchange.messages.length > 1) {
      return refuse(exchange, 'invalid_request', '"initialize" must be alone in its body.');
    }
    if (exchange.sessionId !== undefined) {
      return this.#withSession(exchange, () =>
        refuse(
          exchange,
          'invalid_request',
          'This session is initialized already. Leave Mcp-Session-Id away for a new one.'
        )
      );
    }
    await this.#openSession(exchange, randomUUID(), (session) => session.post(exchange, accepts));
  }

  /** GET of a client of the older transport: the session is there before its `initialize`. */
  async #openLegacy(exchange: Exchange): Promise<void> {
    if (!acceptable(exchange.header('accept')).sse) {
      return refuseWith(exchange, 406, 'Accept must allow text/event-stream.');
    }
    const { id } = exchange.session;
    const endpoint = `/mcp/${encodeURIComponent(this.#options.server)}/messages?sessionId=${encodeURIComponent(id)}`;
    await this.#openSession(exchange, id, (session) => session.carryLegacy(exchange, endpoint));
  }

  async #openSession(exchange: Exchange, id: string, use: (session: StdioSession) => Promise<void>): Promise<void> {
    const { server, logger, notStarted, backoffs } = this.#options;
    const backoff = backoffs?.of(ownerOf(exchange.caller));
    const waitMs = backoff?.waitMs() ?? 0;
    if (waitMs > 0) {
      const text = `The MCP server "${server}" failed to start ${backoff?.failures ?? 0} times in a row. The next attempt is allowed in ${Math.ceil(waitMs / 1000)} s. See the gateway's log.`;
      return refuse(exchange, 'upstream_unreachable', text);
    }
    if (!this.#makeRoom()) {
      const text = `The MCP server "${server}" has ${this.#options.limits.maxSessions} sessions open, which is its limit. End one, or try again later.`;
      return refuse(exchange, 'rate_limited', text);
    }
    const session = this.#start(exchange, id);
    if (session === undefined) return refuse(exchange, 'upstream_unreachable', notStarted);
    this.#sessions.set(session.id, session);
    const { pid } = session;
    if (pid !== undefined) logger.info('stdio.child_started', { server, pid, sessions: this.#sessions.size });
    return use(session);
  }

  /** @returns undefined when the operating system refuses at once, e.g. arguments that are too long */
  #start(exchange: Exchange, id: string): StdioSession | undefined {
    const owner = ownerOf(exchange.caller);
    try {
      return this.#createSession(exchange, id, owner);
    } catch (error) {
      this.#startFailed(owner);
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
      this.#options.logger.warn('stdio.child_not_started', { server: this.#options.server, code });
      return undefined;
    }
  }

  #createSession(exchange: Exchange, id: string, owner: string): StdioSession {
    const { server, at, open, counters, injectMeta, logger, silent, backoffs } = this.#options;
    const session: StdioSession = new StdioSession(exchange, {
      id,
      owner,
      legacy: exchange.legacy !== undefined,
      server,
      at,
      open,
      silent,
      limits: this.#options.limits,
      counters,
      injectMeta,
      logger,
      onOpen: () => backoffs?.worked(owner),
      onEnd: (startFailed) => {
        if (startFailed) this.#startFailed(owner);
        this.#sessions.delete(session.id);
        this.#ending.add(session);
        void session.gone.then(() => this.#ending.delete(session));
      },
    });
    return session;
  }

  #startFailed(owner: string): void {
    this.#options.counters.startFailures += 1;
    this.#options.backoffs?.failed(owner);
  }

  /** Many clients never end their sessions, so at the limit the one that is idle longest gives way. */
  #makeRoom(): boolean {
    if (this.#ending.size >= this.#options.limits.maxSessions) return false;
    if (this.#sessions.size < this.#options.limits.maxSessions) return true;
    const [idlest] = [...this.#sessions.values()].toSorted((a, b) => b.idleMs - a.idleMs);
    if (idlest === undefined || idlest.idleMs < this.#options.limits.yieldAfterMs) return false;
    this.#endUnused(idlest);
    return true;
  }

  #endIdle(): void {
    for (const session of [...this.#sessions.values()]) {
      if (session.idleMs >= this.#options.limits.idleMs) this.#endUnused(session);
    }
    this.#options.stateless.endIfIdle();
  }

  #endUnused(session: StdioSession): void {
    void session.end({ code: 'session_unknown', outcome: 'cancelled', message: 'The session was idle for too long.' });
  }
}

/** Whose session it is. The name of the key counts too: keys without a user share an empty user key. */
function ownerOf(caller: Caller): string {
  return JSON.stringify([caller.userKey, caller.keyName]);
}

/** How a client of this kind starts a session. */
function startOf(exchange: Exchange): string {
  return exchange.legacy === undefined ? 'with "initialize"' : 'by opening the event stream again';
}
