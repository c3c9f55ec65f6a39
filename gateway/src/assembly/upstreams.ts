/**
 * One upstream for each entry of `mcpServers`: the transparent relay for URLs, the bridge for programs. Nothing is
 * connected or started before the first call.
 */
import type { Environment, GatelensConfig } from '../config.ts';
import type { Logger } from '../logger.ts';
import type { Upstream } from '../mcp/exchange.ts';
import { HttpRelay } from '../mcp/http-relay.ts';
import type { SessionDirectory } from '../mcp/sessions.ts';
import { StdioBridge } from '../mcp/stdio-bridge.ts';

type ServerConfig = GatelensConfig['mcpServers'][string];

export interface UpstreamsOptions {
  readonly config: GatelensConfig;
  readonly sessions: SessionDirectory;
  /** the gateway's own environment; a child gets the few variables of it that programs need */
  readonly environment: Environment;
  readonly logger: Logger;
}

export function createUpstreams(options: UpstreamsOptions): Map<string, Upstream> {
  const upstreams = new Map<string, Upstream>();
  for (const [name, server] of Object.entries(options.config.mcpServers)) {
    upstreams.set(name, server.type === 'stdio' ? bridge(name, server, options) : relay(server, options));
  }
  return upstreams;
}

function relay(server: Exclude<ServerConfig, { type: 'stdio' }>, options: UpstreamsOptions): Upstream {
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
  const { limits, propagation } = options.config;
  return new StdioBridge({
    server: name,
    command: server.command,
    args: server.args,
    env: server.env,
    ...(server.cwd === undefined ? {} : { cwd: server.cwd }),
    inheritedEnv: options.environment,
    injectMeta: propagation.meta ? 'always' : 'never',
    logger: options.logger,
    limits: {
      maxSessions: server.maxSessions ?? limits.maxSessions,
      idleMs: limits.sessionIdle,
      maxMessageBytes: limits.messageBytes,
      startTimeoutMs: server.startTimeout ?? limits.startTimeout,
      requestTimeoutMs: server.requestTimeout ?? limits.requestTimeout,
    },
  });
}
