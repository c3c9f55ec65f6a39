/**
 * The closed sets of the access log: what can be done through the audit API and why it can be refused.
 * An access record is made by audit-api/ only, through its own spool and chain.
 */
export const ACCESS_ACTIONS = [
  'payload.read',
  'payload.search',
  'calls.read',
  'usage.read',
  'access_log.read',
  'settings.read',
  'export.metadata',
  'export.payloads',
  'export.read',
  'export.change',
  'roles.change',
  'auditor.first_seen',
  'settings.change',
  'subject.erase',
  'hold.add',
  'hold.release',
  'authenticate',
] as const;
export type AccessAction = (typeof ACCESS_ACTIONS)[number];

export const ACCESS_DECISIONS = ['allowed', 'refused'] as const;
export type AccessDecision = (typeof ACCESS_DECISIONS)[number];

export const ACCESS_REASONS = [
  '',
  'not_auditor',
  'not_admin',
  'other_user',
  'not_own',
  'other_server',
  'unknown_token',
  'expired_token',
  'no_id_token',
  'bad_signature',
  'wrong_issuer',
  'wrong_org',
  'keys_unavailable',
  'no_identity',
  'anonymous',
  'service_account',
  'not_a_member',
  'teams_unavailable',
  'key_destroyed',
  'key_unavailable',
  'not_recorded',
  'self_elevation',
  'limit_reached',
  'not_owner',
  'on_hold',
] as const;
export type AccessReason = (typeof ACCESS_REASONS)[number];

/** One access record as the audit API asks for it; left out means empty or 0. The recorder adds id, chain and trace. */
export interface AccessEntry {
  readonly action: AccessAction;
  readonly decision: AccessDecision;
  readonly reason?: AccessReason;
  /** `performance.now()` when it was asked for; left out: now */
  readonly startedMs?: number;
  /** keyed hash of the person who asks; `''` for automation without one */
  readonly actorKey: string;
  readonly actorKind: 'token' | 'grafana' | 'mcp' | 'none';
  /** name of the automation token */
  readonly actorName?: string;
  /** who `actorKey` is; goes to the erasable principals, never into the record */
  readonly actorPrincipal?: { readonly email?: string; readonly login?: string; readonly name?: string };
  readonly roles: readonly string[];
  readonly clientAddress?: string;
  readonly targetCallId?: string;
  readonly targetUserKey?: string;
  readonly targetServer?: string;
  /** rows given out */
  readonly rows?: number;
  /** payload bytes given out */
  readonly bytes?: number;
  /** pseudonymous filters or changes, flat; no payload, no names. Kept as JSON. */
  readonly detail?: Readonly<Record<string, string | number | boolean | readonly string[]>>;
}

export interface AccessRecorder {
  /** Resolves when the record is on disk; rejects when it cannot be kept. */
  record(entry: AccessEntry): Promise<void>;
}
