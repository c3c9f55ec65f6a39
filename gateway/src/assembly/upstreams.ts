/**
 * One upstream for each entry of `mcpServers`: the transparent relay for URLs, a bridge for programs and for servers that
 * are of the older HTTP+SSE transport, or turn out to be. Nothing is connected or started before the first call. Entries
 * can come, go and change while others serve on.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Environment, GatelensConfig } from '../config.ts';
import type { Logger } from '../logger.ts';
import type { Upstream } from '../mcp/exchange.ts';
import { HttpRelay } from '../mcp/relay/http-relay.ts';
import { RetirableUpstream } from '../mcp/retirable-upstream.ts';
import type { SessionDirectory } from '../mcp/sessions.ts';
import { SseBridge } from '../mcp/bridge/sse-bridge.ts';
import { StdioBridge } from '../mcp/bridge/stdio-bridge.ts';
import { UrlUpstream } from '../mcp/bridge/url-upstream.ts';

type ServerConfig = GatelensConfig['mcpServers'][string];
type HttpServer = Extract<ServerConfig, { type: 'http' }>;
type SseServer = Extract<ServerConfig, { type: 'sse' }>;

export interface UpstreamsOptions {
  readonly config: GatelensConfig;
  readonly sessions: SessionDirectory;
  /** the gateway's own environment; a child gets the few variables of it that programs need */
  readonly environment: Environment;
  readonly logger: Logger;
}

/** What a reload did to the upstream servers, by name. */
export interface UpstreamChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

export class UpstreamSet {
  /** by name, own servers included; what it holds changes with a reload */
  readonly byName = new Map<string, Upstream>();
  readonly #options: UpstreamsOptions;
  readonly #servers = new Map<string, { readonly config: ServerConfig; readonly upstream: RetirableUpstream }>();
  /** taken out of service and not ended yet */
  readonly #retiring = new Set<Promise<void>>();

  /** @param own servers of the gateway itself */
  constructor(options: UpstreamsOptions, own: ReadonlyMap<string, Upstream> = new Map()) {
    this.#options = options;
    for (const [name, server] of Object.entries(options.config.mcpServers)) this.#put(name, server);
    for (const [name, upstream] of own) this.byName.set(name, upstream);
  }

  /**
   * From now on calls go to the servers of `mcpServers`. Servers whose entry is the same are left alone, with their
   * sessions; the old ones of others may end their calls within `graceMs`.
   */
  reload(mcpServers: GatelensConfig['mcpServers'], graceMs: number): UpstreamChanges {
    const changes = changesOf(this.#servers, mcpServers);
    for (const name of [...changes.removed, ...changes.changed]) {
      const old = this.#servers.get(name);
      this.#servers.delete(name);
      this.byName.delete(name);
      if (old !== undefined) this.#retire(old.upstream, graceMs);
    }
    for (const name of [...changes.added, ...changes.changed]) {
      const server = mcpServers[name];
      if (server !== undefined) this.#put(name, server);
    }
    return changes;
  }

  /** Calls that run may end within `graceMs`. */
  async close(graceMs: number): Promise<void> {
    for (const { upstream } of this.#servers.values()) this.#retire(upstream, graceMs);
    await Promise.all(this.#retiring);
    await Promise.all([...this.byName.values()].map((upstream) => upstream.close()));
  }

  #put(name: string, server: ServerConfig): void {
    const upstream = new RetirableUpstream(createUpstream(name, server, this.#options));
    this.#servers.set(name, { config: server, upstream });
    this.byName.set(name, upstream);
  }

  #retire(upstream: RetirableUpstream, graceMs: number): void {
    const retiring = upstream.retire(graceMs).catch(() => {
      this.#options.logger.error('upstream_not_closed');
    });
    this.#retiring.add(retiring);
    void retiring.then(() => this.#retiring.delete(retiring));
  }
}

function changesOf(
  current: ReadonlyMap<string, { readonly config: ServerConfig }>,
  next: GatelensConfig['mcpServers']
): UpstreamChanges {
  const names = Object.keys(next);
  return {
    added: names.filter((name) => !current.has(name)),
    removed: [...current.keys()].filter((name) => !Object.hasOwn(next, name)),
    changed: names.filter((name) => {
      const now = current.get(name);
      return now !== undefined && !isDeepStrictEqual(now.config, next[name]);
    }),
  };
}

function createUpstream(name: string, server: ServerConfig, options: UpstreamsOptions): Upstream {
  switch (server.type) {
    case 'stdio':
      return bridge(name, server, options);
    case 'sse':
      return sseBridge(name, server, options);
    case 'http':
      return urlUpstream(name, server, options);
  }
}

function urlUpstream(name: string, server: HttpServer, options: UpstreamsOptions): Upstream {
  return new UrlUpstream({
    relay: relay(server, options),
    createBridge: () => sseBridge(name, server, options),
    onOlder: () => options.logger.info('upstream_is_older', { server: name, transport: 'sse' }),
  });
}

function relay(server: HttpServer, options: UpstreamsOptions): HttpRelay {
  const { limits, propagation, capture } = options.config;
  return new HttpRelay({
    url: new URL(server.url),
    headers: server.headers,
    sessions: options.sessions,
    logger: options.logger,
    connectTimeoutMs: server.connectTimeout ?? limits.connectTimeout,
    requestTimeoutMs: server.requestTimeout ?? limits.requestTimeout,
    injectMeta: propagation.meta ? 'always' : 'never',
    eventCaptureBytes: capture.maxBytes,
  });
}

function bridge(name: string, server: Extract<ServerConfig, { type: 'stdio' }>, options: UpstreamsOptions): Upstream {
  const { propagation } = options.config;
  return new StdioBridge({
    server: name,
    command: server.command,
    args: server.args,
    env: server.env,
    ...(server.cwd === undefined ? {} : { cwd: server.cwd }),
    inheritedEnv: options.environment,
    injectMeta: propagation.meta ? 'always' : 'never',
    logger: options.logger,
    limits: sessionLimits(server, options),
  });
}

function sseBridge(name: string, server: HttpServer | SseServer, options: UpstreamsOptions): SseBridge {
  const { limits, propagation } = options.config;
  return new SseBridge({
    server: name,
    url: new URL(server.url),
    headers: server.headers,
    connectTimeoutMs: server.connectTimeout ?? limits.connectTimeout,
    injectMeta: propagation.meta ? 'always' : 'never',
    logger: options.logger,
    limits: sessionLimits(server, options),
  });
}

function sessionLimits(server: ServerConfig, { config: { limits } }: UpstreamsOptions) {
  const own: Partial<Pick<SseServer, 'maxSessions' | 'startTimeout'>> = server.type === 'http' ? {} : server;
  return {
    maxSessions: own.maxSessions ?? limits.maxSessions,
    idleMs: limits.sessionIdle,
    maxMessageBytes: limits.messageBytes,
    startTimeoutMs: own.startTimeout ?? limits.startTimeout,
    requestTimeoutMs: server.requestTimeout ?? limits.requestTimeout,
  };
}
