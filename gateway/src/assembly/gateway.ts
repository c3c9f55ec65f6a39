/**
 * The gateway: MCP listener, callers, policy, upstreams and the observer that makes their records. Built on a recorder
 * that is open already, so that no call can pass before it can be recorded.
 */
import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AttemptLimits } from '../access/attempt-limit.ts';
import { createApiKeys } from '../access/api-keys.ts';
import { createAuthenticator, type Authentication, type Authenticator } from '../access/authenticator.ts';
import { createJwtVerifier } from '../access/jwt.ts';
import { createPolicy } from '../access/policy.ts';
import { createRateLimiter } from '../access/rate-limit.ts';
import { protectedResource, publicUrlOf, type ResourceMetadataOptions } from '../access/resource-metadata.ts';
import { openSessionOwners } from '../access/session-owners.ts';
import { formatHostPort, type HostPort } from '../access/address.ts';
import type { Environment, GatelensConfig } from '../config.ts';
import { GatelensError } from '../errors.ts';
import { createMcpApp } from '../http/app.ts';
import { startAttemptSummaries } from '../http/attempt-summary.ts';
import type { McpAppDeps } from '../http/deps.ts';
import { createMcpListener } from '../http/listener.ts';
import { OpenStreams } from '../http/open-streams.ts';
import type { Logger } from '../logger.ts';
import type { Upstream } from '../mcp/exchange.ts';
import type { CallObserver } from '../mcp/observer.ts';
import { SessionDirectory } from '../mcp/sessions.ts';
import { createCapturePolicy } from '../protection/capture-policy.ts';
import type { Keyring } from '../protection/keyring.ts';
import type { Pseudonyms } from '../protection/seams.ts';
import type { TelemetryCallObserver } from '../telemetry/call-observer.ts';
import type { LeftOutCounts } from '../telemetry/health-reporter.ts';
import type { DurationMetrics } from '../telemetry/metrics.ts';
import { createRecordingObserver } from './observer.ts';
import type { Recorder } from './recorder.ts';
import { changedSettings } from './reload.ts';
import { watchToolLists } from './tool-drift.ts';
import { UpstreamSet, type UpstreamChanges } from './upstreams.ts';

export interface GatewayOptions {
  readonly config: GatelensConfig;
  readonly env: Environment;
  readonly keyring: Keyring;
  readonly pseudonyms: Pseudonyms;
  readonly recorder: Recorder;
  readonly metrics: DurationMetrics;
  /** servers of the gateway itself, by their name at `/mcp/<name>` */
  readonly ownServers?: ReadonlyMap<string, Upstream>;
  readonly logger: Logger;
  /** in place of the recording one: a benchmark's, to see what recording costs */
  readonly observer?: CallObserver;
}

export interface Gateway {
  /** base URL of the MCP listener */
  readonly url: string;
  readonly observer: TelemetryCallObserver;
  leftOut(): LeftOutCounts;
  /**
   * Serves by another configuration from now on; only what assembly/reload.ts lets through may differ. Servers whose
   * entry is the same keep their sessions.
   */
  reload(next: GatelensConfig): UpstreamChanges;
  /** No new calls; running ones get most of `graceMs`, streams end when no call runs. */
  close(graceMs: number): Promise<void>;
}

export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { config, logger, pseudonyms } = options;
  const capture = createReloadableCapture(config.capture);
  const observer = createRecordingObserver({ ...options, capturePolicy: capture });
  const owners = openSessionOwners({ file: `${config.dataDir}/state/sessions.sqlite`, pseudonyms, logger });
  const sessions = new SessionDirectory(undefined, owners);
  const upstreams = new UpstreamSet({ config, sessions, environment: options.env, logger }, options.ownServers);
  const address = { ...config.listen.mcp };
  const metadata = resourceMetadataOf(config, address);
  const authenticatorOf = (settings: GatelensConfig) =>
    rememberingPrincipals(createCallerAuthenticator({ ...options, config: settings }, metadata), observer);
  const attempts = new AttemptLimits(config.limits.attempts);
  const streams = new OpenStreams();
  const recheckStreams = async (): Promise<void> => {
    const ended = await streams.recheck();
    if (ended > 0) logger.info('streams_revoked', { streams: ended });
  };
  let closing = false;
  let current = config;
  const deps: Mutable<McpAppDeps> = {
    upstreams: upstreams.byName,
    authenticator: authenticatorOf(config),
    policy: createPolicy(config.policy),
    rateLimiter: createRateLimiter(config.rateLimit),
    attempts,
    observer: options.observer ?? watchToolLists(observer, options),
    sessions,
    streams,
    logger,
    guard: guardOf(config),
    bodyBytes: config.limits.bodyBytes,
    bufferedBodyBytes: config.limits.bufferedBodyBytes,
    closing: () => closing,
    ...(metadata === undefined ? {} : { resourceMetadata: (path: string) => protectedResource(metadata, path) }),
  };
  const app = createMcpApp(deps);
  const server = createMcpListener(app, {
    observer,
    attempts,
    headerBytes: config.limits.headerBytes,
    receiveTimeoutMs: config.limits.receiveTimeout,
  });
  const requests = countRequests(server);
  await listen(server, config.listen.mcp);
  const rechecking = setInterval(() => void recheckStreams(), STREAM_RECHECK_MS);
  rechecking.unref();
  const summaries = startAttemptSummaries({ attempts, observer, logger, everyMs: config.limits.attempts.every });
  // With port 0 the system chose one.
  address.port = (server.address() as AddressInfo).port;
  return {
    url: `http://${formatHostPort(address)}`,
    observer,
    leftOut: () => ({
      attempts: attempts.leftOutTotal,
      payloadsTruncated: observer.payloadCounts.truncated,
      payloadsFailed: observer.payloadCounts.failed,
    }),
    reload: (next) => {
      // in one tick, so that no request meets half of it
      const changed = new Set(changedSettings(current, next));
      if (changed.has('policy')) deps.policy = createPolicy(next.policy);
      if (changed.has('rateLimit')) deps.rateLimiter = createRateLimiter(next.rateLimit);
      if (changed.has('auth.apiKeys') || changed.has('auth.anonymous')) deps.authenticator = authenticatorOf(next);
      capture.reload(next.capture);
      current = next;
      const changes = upstreams.reload(next.mcpServers, next.limits.shutdownTimeout);
      void recheckStreams();
      return changes;
    },
    close: async (graceMs) => {
      closing = true;
      clearInterval(rechecking);
      const closed = once(server, 'close');
      server.close();
      const timer = setTimeout(() => server.closeAllConnections(), graceMs);
      // Streams have no end of their own: upstreams end them once their calls are over. What is left is cut.
      await upstreams.close(graceMs * CALLS_SHARE);
      await observer.flush();
      await Promise.race([requests.done(), closed]);
      // Node takes a connection on which nothing was asked yet for a busy one.
      server.closeAllConnections();
      await closed;
      clearTimeout(timer);
      await summaries.close();
      await observer.flush();
      owners.close();
    },
  };
}

/** How long a stream outlives a key that was revoked, or a token that expired, at the longest. */
const STREAM_RECHECK_MS = 30_000;

/** Of the time to end, what calls may use; the rest is for ending streams and children. */
const CALLS_SHARE = 0.8;

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** The capture rules that hold now. */
function createReloadableCapture(settings: GatelensConfig['capture']) {
  let policy = createCapturePolicy(settings);
  return {
    decide: (server: string, tool: string) => policy.decide(server, tool),
    decideUnknownTool: (server: string) => policy.decideUnknownTool(server),
    reload: (next: GatelensConfig['capture']) => {
      policy = createCapturePolicy(next);
    },
  };
}

function createCallerAuthenticator(
  options: GatewayOptions,
  metadata: ResourceMetadataOptions | undefined
): Authenticator {
  const { config, logger, pseudonyms } = options;
  const { jwt } = config.auth;
  return createAuthenticator({
    anonymous: config.auth.anonymous,
    apiKeys: createApiKeys({
      configured: config.auth.apiKeys,
      file: `${config.dataDir}/keys/api-keys.json`,
      logger,
    }),
    ...(jwt === undefined ? {} : { jwt: createJwtVerifier(jwt) }),
    ...(metadata === undefined ? {} : { metadata }),
    pseudonyms,
  });
}

/** Whoever is let in is remembered, so that an auditor can read who a keyed hash is. */
function rememberingPrincipals(
  authenticator: Authenticator,
  observer: TelemetryCallObserver
): Pick<Authenticator, 'authenticate'> {
  const remember = (answer: Authentication): Authentication => {
    if (answer.ok) observer.rememberPrincipal(answer.caller);
    return answer;
  };
  return {
    authenticate: (credentials) => {
      const answer = authenticator.authenticate(credentials);
      return answer instanceof Promise ? answer.then(remember) : remember(answer);
    },
  };
}

/** @param mcp where it listens; the port may become known later, so it is read when somebody asks */
function resourceMetadataOf({ auth, http }: GatelensConfig, mcp: HostPort): ResourceMetadataOptions | undefined {
  const { jwt } = auth;
  if (jwt === undefined) return undefined;
  return {
    get publicUrl() {
      return publicUrlOf({ http, listen: { mcp } });
    },
    issuer: jwt.issuer,
    requiredScopes: jwt.requiredScopes,
  };
}

function guardOf(config: GatelensConfig) {
  const { publicUrl, allowedHosts, allowedOrigins } = config.http;
  return {
    allowedHosts: publicUrl === undefined ? allowedHosts : [...allowedHosts, new URL(publicUrl).hostname],
    allowedOrigins,
    headerBytes: config.limits.headerBytes,
  };
}

/** @returns `done`: resolves as soon as no request is under way */
function countRequests(server: Server): { done: () => Promise<void> } {
  const waiting: (() => void)[] = [];
  let open = 0;
  server.on('request', (_req: IncomingMessage, res: ServerResponse) => {
    open += 1;
    res.once('close', () => {
      open -= 1;
      if (open === 0) for (const resolve of waiting.splice(0)) resolve();
    });
  });
  return { done: () => new Promise((resolve) => (open === 0 ? resolve() : waiting.push(resolve))) };
}

async function listen(server: Server, address: HostPort): Promise<void> {
  server.listen(address.port, address.host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new GatelensError(
      'config_invalid',
      `Cannot listen on ${formatHostPort(address)}: the address is in use or not on this machine. Choose another in listen.mcp.`,
      { cause }
    );
  }
}
