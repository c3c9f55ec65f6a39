/**
 * What the MCP listener needs from the rest of the gateway. Everything comes in here: no configuration is read, nothing
 * is global.
 */
import type { AttemptLimits } from '../access/attempt-limit.ts';
import type { Authenticator } from '../access/authenticator.ts';
import type { Policy } from '../access/policy.ts';
import type { RateLimiter } from '../access/rate-limit.ts';
import type { Logger } from '../logger.ts';
import type { Upstream } from '../mcp/exchange.ts';
import type { CallObserver } from '../mcp/observer.ts';
import type { SessionDirectory } from '../mcp/sessions.ts';
import type { OpenStreams } from './open-streams.ts';
import type { RequestGuardOptions } from './request-guard.ts';

export interface McpAppDeps {
  /** by key in `mcpServers` */
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly authenticator: Pick<Authenticator, 'authenticate'>;
  readonly policy: Pick<Policy, 'decide'>;
  /** omitted: no limit */
  readonly rateLimiter?: RateLimiter;
  /** which refused attempts get a record of their own; omitted: all */
  readonly attempts?: Pick<AttemptLimits, 'ofStranger' | 'ofCaller' | 'count'>;
  readonly observer: CallObserver;
  /** the same that the upstreams learn sessions into */
  readonly sessions: SessionDirectory;
  /** told of every stream; omitted: streams stay open whatever changes */
  readonly streams?: Pick<OpenStreams, 'add'>;
  readonly logger: Logger;
  readonly guard?: RequestGuardOptions;
  /** default 16 MiB */
  readonly bodyBytes?: number;
  /** of all request bodies in memory at once; default 256 MiB */
  readonly bufferedBodyBytes?: number;
  /** true once the gateway is ending: running calls go on, new ones are refused; omitted: never */
  readonly closing?: () => boolean;
  /** RFC 9728 document for `/mcp/<server>`, or for the whole gateway when the path is `''`; omitted: 404 */
  readonly resourceMetadata?: (resourcePath: string) => object;
  /** whether calls can be taken and recorded; omitted: always */
  readonly ready?: () => boolean | Promise<boolean>;
}
