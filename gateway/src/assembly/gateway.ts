/**
 * The gateway: MCP listener, callers, policy, upstreams and the observer that makes their records. Built on a recorder
 * that is open already, so that no call can pass before it can be recorded.
 */
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createApiKeys } from '../access/api-keys.ts';
import { createAuthenticator, type Authentication, type Authenticator } from '../access/authenticator.ts';
import { createJwtVerifier } from '../access/jwt.ts';
import { createPolicy } from '../access/policy.ts';
import { createRateLimiter } from '../access/rate-limit.ts';
import { protectedResource, publicUrlOf, type ResourceMetadataOptions } from '../access/resource-metadata.ts';
import { formatHostPort, type HostPort } from '../access/address.ts';
import type { Environment, GatelensConfig } from '../config.ts';
import { GatelensError } from '../errors.ts';
import { createMcpApp } from '../http/app.ts';
import { createMcpListener } from '../http/listener.ts';
import type { Logger } from '../logger.ts';
import type { CallObserver } from '../mcp/observer.ts';
import { SessionDirectory } from '../mcp/sessions.ts';
import { createCapturePolicy } from '../protection/capture-policy.ts';
import { createDataKeys } from '../protection/data-keys.ts';
import type { Keyring } from '../protection/keyring.ts';
import { createPayloadSealer } from '../protection/payload-sealer.ts';
import { createRedaction } from '../protection/redaction.ts';
import type { Pseudonyms } from '../protection/seams.ts';
import { createShapingThread } from '../protection/shaping-thread.ts';
import { TelemetryCallObserver } from '../telemetry/call-observer.ts';
import type { DurationMetrics } from '../telemetry/metrics.ts';
import type { Recorder } from './recorder.ts';
import { createUpstreams } from './upstreams.ts';

export interface GatewayOptions {
  readonly config: GatelensConfig;
  readonly env: Environment;
  readonly keyring: Keyring;
  readonly pseudonyms: Pseudonyms;
  readonly recorder: Recorder;
  readonly metrics: DurationMetrics;
  readonly logger: Logger;
  /** in place of the recording one: a benchmark's, to see what recording costs */
  readonly observer?: CallObserver;
}

export interface Gateway {
  /** base URL of the MCP listener */
  readonly url: string;
  readonly observer: TelemetryCallObserver;
  /** No new calls; running ones get `graceMs`. */
  close(graceMs: number): Promise<void>;
}

export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { config, logger } = options;
  const observer = createObserver(options);
  const sessions = new SessionDirectory();
  const upstreams = createUpstreams({ config, sessions, environment: options.env, logger });
  const address = { ...config.listen.mcp };
  const metadata = resourceMetadataOf(config, address);
  const app = createMcpApp({
    upstreams,
    authenticator: rememberingPrincipals(createCallerAuthenticator(options, metadata), observer),
    policy: createPolicy(config.policy),
    rateLimiter: createRateLimiter(config.rateLimit),
    observer: options.observer ?? observer,
    sessions,
    logger,
    guard: guardOf(config),
    bodyBytes: config.limits.bodyBytes,
    ...(metadata === undefined ? {} : { resourceMetadata: (path: string) => protectedResource(metadata, path) }),
  });
  const server = createMcpListener(app, {
    observer,
    headerBytes: config.limits.headerBytes,
    receiveTimeoutMs: config.limits.receiveTimeout,
  });
  await listen(server, config.listen.mcp);
  // With port 0 the system chose one.
  address.port = (server.address() as AddressInfo).port;
  return {
    url: `http://${formatHostPort(address)}`,
    observer,
    close: async (graceMs) => {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), graceMs);
      // Streams have no end of their own: upstreams end them, and whatever is left is cut after the grace.
      await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, graceMs / 2).unref())]);
      await Promise.all([...upstreams.values()].map((upstream) => upstream.close()));
      await closed;
      clearTimeout(timer);
    },
  };
}

function createObserver(options: GatewayOptions): TelemetryCallObserver {
  const { config, keyring, pseudonyms, recorder } = options;
  const publicKey = keyring.publicKeys.get(keyring.activeKekId);
  if (publicKey === undefined) {
    throw new GatelensError('key_unknown', 'encryption.active names no key of encryption.publicKeys.');
  }
  const { redaction } = config.capture;
  return new TelemetryCallObserver({
    telemetry: recorder.telemetry,
    pseudonyms,
    capturePolicy: createCapturePolicy(config.capture),
    sealer: createPayloadSealer({
      dataKeys: createDataKeys({ gateway: recorder.spool.chain.id, kekId: keyring.activeKekId, publicKey }),
      pseudonyms,
      redaction: createRedaction(redaction),
      shapeAside: createShapingThread(redaction),
    }),
    audit: config.audit,
    logger: options.logger,
    metrics: options.metrics,
  });
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
