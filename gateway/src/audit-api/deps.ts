/**
 * What the audit API is given, and what each request carries once its caller is known. Everything comes in from outside;
 * nothing here reads configuration, opens a port or a database.
 */
import type { Context } from 'hono';
import type { Logger } from '../logger.ts';
import type { PayloadOpener } from '../protection/payload-opener.ts';
import type { Pseudonyms } from '../protection/seams.ts';
import type { AccessEntry, AccessRecorder } from '../record/access.ts';
import type { StoreReader } from '../store/queries/reader.ts';
import type { AuditToken } from './caller.ts';
import type { RefusalLog } from './refusal-log.ts';
import type { ApiCaller, Visibility } from './visibility.ts';

export interface ApiClock {
  /** milliseconds since 1970 */
  wallMs(): number;
  /** milliseconds that never go back; the scale of `performance.now()` */
  monotonicMs(): number;
}

export interface AuditApiDeps {
  readonly store: StoreReader;
  readonly accessRecorder: AccessRecorder;
  readonly opener: PayloadOpener;
  readonly pseudonyms: Pick<Pseudonyms, 'hash'>;
  /** asked at each request */
  readonly tokens: () => readonly AuditToken[];
  readonly clock: ApiClock;
  readonly logger: Logger;
  /** of the program */
  readonly version: string;
  /** `retention.payloads` */
  readonly payloadRetentionMs: number;
  /** names in `mcpServers` */
  readonly configuredServers: readonly string[];
}

/** What the routes get: the same, with a store that has limits and a log for refusals. */
export interface RouteDeps extends AuditApiDeps {
  readonly refusals: RefusalLog;
}

export interface ApiEnv {
  Variables: {
    caller: ApiCaller;
    visibility: Visibility;
    /** arrival, by the monotonic clock */
    startedMs: number;
    clientAddress: string;
  };
}

const NS_PER_MS = 1_000_000n;

/** Now, ns since 1970. */
export function nowNs(clock: ApiClock): bigint {
  return BigInt(clock.wallMs()) * NS_PER_MS;
}

/** Who, from where and when, for the access log. */
export function accessActor(
  c: Context<ApiEnv>
): Pick<AccessEntry, 'actorKey' | 'actorKind' | 'actorName' | 'roles' | 'clientAddress' | 'startedMs'> {
  const caller = c.get('caller');
  return {
    actorKey: caller.userKey,
    actorKind: caller.kind,
    actorName: caller.kind === 'token' ? caller.name : '',
    roles: caller.roles,
    clientAddress: c.get('clientAddress'),
    startedMs: c.get('startedMs'),
  };
}
