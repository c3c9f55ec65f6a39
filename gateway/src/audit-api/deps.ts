/**
 * What the audit API is given, and what each request carries once its caller is known. Everything comes in from outside;
 * nothing here reads configuration, opens a port or a database.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { Context } from 'hono';
import type { Logger } from '../logger.ts';
import type { PayloadOpener } from '../protection/payload-opener.ts';
import type { Pseudonyms } from '../protection/seams.ts';
import type { AccessEntry, AccessRecorder } from '../record/access.ts';
import type { StoreReader } from '../store/queries/reader.ts';
import type { TokenPrices } from '../store/queries/token-cost.ts';
import type { AuditToken } from './caller.ts';
import type { ApiClock } from './clock.ts';
import type { Exports } from './exports/exports.ts';
import type { IdentitySettings } from './grafana/own-identity.ts';
import type { GrafanaRoles } from './grafana/roles.ts';
import type { RefusalLog } from './refusal-log.ts';
import type { RoleMapping } from './role-mapping.ts';
import type { SavedViews } from './state/saved-views.ts';
import type { ApiCaller, Visibility } from './visibility.ts';

export interface AuditApiDeps {
  /** left out: made here, and what it only counts waits for the next refusal */
  readonly refusals?: RefusalLog;
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
  /** `retention`, ms */
  readonly retention: Readonly<Record<'metadata' | 'payloads' | 'accessLog' | 'usage' | 'traces', number>>;
  /** left out: nobody comes through Grafana */
  readonly grafana?: GrafanaSettings;
  /** role mapping, saved views, exports; the caller closes it */
  readonly state: DatabaseSync;
  /** the caller closes it before `state` */
  readonly exporting: Exports;
  /** names in `mcpServers` */
  readonly configuredServers: readonly string[];
  /** asked at each request; left out, or undefined: no costs */
  readonly tokenPrices?: () => TokenPrices | undefined;
}

/** `auditApi.grafana` of the configuration. */
export interface GrafanaSettings extends IdentitySettings {
  readonly url: string;
  readonly issuers: readonly string[];
  readonly jwksUrl: string;
  readonly org: number;
  readonly routeSecret: string;
  readonly serviceAccountToken?: string;
  /** the role mapping until it is changed through the API */
  readonly roleMapping: RoleMapping;
  readonly trustContextTeams: boolean;
}

/** What the routes get: the same, with a store that has limits and a log for refusals. */
export interface RouteDeps extends AuditApiDeps {
  readonly refusals: RefusalLog;
  /** left out: nobody comes through Grafana */
  readonly grafanaRoles?: GrafanaRoles;
  readonly views: SavedViews;
}

export interface ApiEnv {
  Variables: {
    caller: ApiCaller;
    visibility: Visibility;
    /** finds out again who this is, for what runs long; undefined: nobody any more */
    renew: () => Promise<Visibility | undefined>;
    /** names of the caller's Grafana teams under a mapping, asked anew; unset: they come not through Grafana */
    teamsUnder: ((mapping: RoleMapping) => Promise<ReadonlySet<string>>) | undefined;
    /** arrival, by the monotonic clock */
    startedMs: number;
    clientAddress: string;
  };
}

/** Who, from where and when, for the access log. */
export function accessActor(
  c: Context<ApiEnv>
): Pick<AccessEntry, 'actorKey' | 'actorKind' | 'actorName' | 'roles' | 'clientAddress' | 'startedMs'> {
  const caller = c.get('caller');
  return {
    ...callerActor(caller),
    clientAddress: c.get('clientAddress'),
    startedMs: c.get('startedMs'),
  };
}

/** Who, for the access log. */
export function callerActor(
  caller: ApiCaller
): Pick<AccessEntry, 'actorKey' | 'actorKind' | 'actorName' | 'actorPrincipal' | 'roles'> {
  const { actorPrincipal } = caller;
  return {
    actorKey: caller.actorKey ?? caller.userKey,
    actorKind: caller.kind,
    actorName: caller.kind === 'token' ? caller.name : '',
    ...(actorPrincipal === undefined ? {} : { actorPrincipal }),
    roles: caller.roles,
  };
}
