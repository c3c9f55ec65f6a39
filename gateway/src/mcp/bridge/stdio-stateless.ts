/**
 * Serves one stdio server of `mcpServers` in the stateless era (2026-07-28): one child for all clients, started with the
 * first request and again after it ended. Checks what an HTTP server would check, since the child sees no headers, and
 * answers for a server that knows sessions only. Who may call was decided before; sessions are the bridge's business.
 */
import type { Exchange } from '../exchange.ts';
import { LISTEN } from '../endless.ts';
import { StartBackoff } from './stdio-backoff.ts';
import { failureOfExit, type Failure } from './stdio-failure.ts';
import type { Acceptable } from './stdio-accept.ts';
import { refuse, refuseStateless, refuseWith } from './stdio-refusal.ts';
import { StatelessConnection, type StatelessConnectionOptions } from './stdio-stateless-connection.ts';
import { checkEnvelope, checkHeaders, checkVersion, unsupportedVersion } from '../stateless-request.ts';

export interface StatelessServerOptions extends StatelessConnectionOptions {
  /** what the bridge can open sessions with, for servers of an earlier era */
  readonly sessionRevisions: readonly string[];
}

/** A server of sessions, and why we think so. */
interface Verdict {
  readonly why: string;
  readonly untilMs: number;
}

type Connected =
  { readonly connection: StatelessConnection; readonly supported: readonly string[] } | Verdict | Failure;

/** A new version of the server may know the era that the old one did not. */
const ANSWERED_FOR_MS = 10 * 60_000;
/** Who said nothing was perhaps only slow, or wrongly configured. */
const SILENT_FOR_MS = 60_000;

export class StatelessServer {
  readonly #options: StatelessServerOptions;
  readonly #backoff = new StartBackoff(() => performance.now());
  readonly #openByOwner = new Map<string, number>();
  /** the newest, and those that are still ending */
  readonly #connections = new Set<StatelessConnection>();
  #current: StatelessConnection | undefined;
  #verdict: Verdict | undefined;
  #exchanges = 0;
  #idleSince = performance.now();

  constructor(options: StatelessServerOptions) {
    this.#options = options;
  }

  get pids(): readonly number[] {
    return [...this.#connections].map((connection) => connection.pid).filter((pid) => pid !== undefined);
  }

  /** @param owner whose request it is, for the bound on open ones */
  async post(exchange: Exchange, accepts: Acceptable, owner: string): Promise<void> {
    const refusal = checkEnvelope(exchange);
    const [message] = exchange.messages;
    if (refusal !== undefined || message === undefined) {
      if (refusal !== undefined) await refuseStateless(exchange, refusal);
      return;
    }
    const open = this.#openByOwner.get(owner) ?? 0;
    const { server, limits } = this.#options;
    // Listening costs a stream, not the attention of the child.
    const counts = message.method !== LISTEN;
    if (counts && open >= limits.maxOpenRequests) {
      const text = `You have ${limits.maxOpenRequests} requests open at the MCP server "${server}". Wait for answers first.`;
      return refuse(exchange, 'rate_limited', text);
    }
    if (counts) this.#openByOwner.set(owner, open + 1);
    this.#exchanges += 1;
    try {
      await this.#take(exchange, message, accepts);
    } finally {
      this.#exchanges -= 1;
      this.#idleSince = performance.now();
      if (counts) this.#closed(owner);
    }
  }

  endIfIdle(): void {
    if (this.#exchanges > 0 || performance.now() - this.#idleSince < this.#options.limits.idleMs) return;
    void this.#current?.end({
      code: 'shutting_down',
      outcome: 'cancelled',
      message: 'The server was idle for too long.',
    });
  }

  async end(failure: Failure): Promise<void> {
    await Promise.all([...this.#connections].map((connection) => connection.end(failure)));
  }

  killNow(): void {
    for (const connection of this.#connections) connection.killNow();
  }

  async #take(exchange: Exchange, message: Exchange['messages'][number], accepts: Acceptable): Promise<void> {
    const connected = await this.#connect();
    if ('code' in connected) return refuse(exchange, connected.code, connected.message);
    if ('why' in connected) {
      const { sessionRevisions } = this.#options;
      return refuseStateless(
        exchange,
        unsupportedVersion(message.envelopeVersion ?? '', sessionRevisions, connected.why)
      );
    }
    const { connection, supported } = connected;
    const refusal =
      checkVersion(message, supported) ?? checkHeaders(exchange, message) ?? connection.params.check(exchange, message);
    if (refusal !== undefined) return refuseStateless(exchange, refusal);
    if (message.method === LISTEN && !accepts.sse) {
      return refuseWith(exchange, 406, 'Accept must allow text/event-stream.');
    }
    // Over HTTP nobody cancels so, and the id could be another client's.
    if (message.kind !== 'request') {
      return connection.notify(exchange, message, message.method !== 'notifications/cancelled');
    }
    if (connection.congested) {
      const text = `The MCP server "${this.#options.server}" does not read its input. Try again later.`;
      return refuse(exchange, 'upstream_unreachable', text);
    }
    return connection.request(exchange, message, accepts);
  }

  async #connect(): Promise<Connected> {
    if (this.#verdict !== undefined && this.#verdict.untilMs > performance.now()) return this.#verdict;
    this.#verdict = undefined;
    const current = this.#current?.usable === true ? this.#current : undefined;
    const waitMs = current === undefined ? this.#backoff.waitMs() : 0;
    if (waitMs > 0) return unreachable(this.#tooManyFailures(waitMs));
    const connection = current ?? this.#start();
    if (connection === undefined) return unreachable(this.#cannotStart());
    const opening = await connection.opening;
    switch (opening.era) {
      case 'stateless':
        return { connection, supported: opening.supported };
      case 'session':
        return this.#decide(connection, 'The MCP server works with sessions: send "initialize". ', ANSWERED_FOR_MS);
      case 'silent':
        return this.#decide(connection, 'The MCP server did not answer "server/discover". ', SILENT_FOR_MS);
      case 'exited':
        // Nothing was started, so `initialize` would not help.
        if (opening.exit.startError !== undefined) return failureOfExit(this.#options.server, opening.exit, true);
        return this.#decide(connection, 'The MCP server ended when it was asked "server/discover". ', SILENT_FOR_MS);
    }
  }

  /** Servers of sessions get a child for each session, so this one is of no use. */
  #decide(connection: StatelessConnection, why: string, forMs: number): Verdict {
    this.#verdict ??= { why, untilMs: performance.now() + forMs };
    const message = 'The MCP server works with sessions.';
    void connection.end({ code: 'shutting_down', outcome: 'cancelled', message });
    return this.#verdict;
  }

  /** @returns undefined when the operating system refuses at once, e.g. arguments that are too long */
  #start(): StatelessConnection | undefined {
    const { server, counters, logger } = this.#options;
    let connection: StatelessConnection;
    try {
      connection = new StatelessConnection(this.#options);
    } catch (error) {
      counters.startFailures += 1;
      this.#backoff.failed();
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
      logger.warn('stdio.child_not_started', { server, code });
      return undefined;
    }
    this.#current = connection;
    this.#connections.add(connection);
    void connection.gone.then(() => this.#connections.delete(connection));
    void connection.opening.then((opening) => {
      if (opening.era === 'exited') {
        counters.startFailures += 1;
        this.#backoff.failed();
      } else {
        this.#backoff.worked();
      }
    });
    const { pid } = connection;
    if (pid !== undefined) logger.info('stdio.child_started', { server, pid, shared: true });
    return connection;
  }

  #closed(owner: string): void {
    const open = (this.#openByOwner.get(owner) ?? 1) - 1;
    if (open > 0) this.#openByOwner.set(owner, open);
    else this.#openByOwner.delete(owner);
  }

  #tooManyFailures(waitMs: number): string {
    return `The MCP server "${this.#options.server}" failed to start ${this.#backoff.failures} times in a row. The next attempt is allowed in ${Math.ceil(waitMs / 1000)} s. See the gateway's log.`;
  }

  #cannotStart(): string {
    const { server } = this.#options;
    return `The MCP server "${server}" could not be started. Check "command", "args" and "cwd" of mcpServers.${server} in the gateway's configuration.`;
  }
}

function unreachable(message: string): Failure {
  return { code: 'upstream_unreachable', outcome: 'upstream_unreachable', message };
}
