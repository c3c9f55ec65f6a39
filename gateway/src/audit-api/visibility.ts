/**
 * From who asks to what may be seen: the access matrix of the product as one pure function, and the only place that
 * knows roles. Every query demands a `Visibility` and none is made anywhere else: its class stays in this file.
 * Decides only; it never reads a token, a request or the store.
 */
import type { AccessEntry } from '../record/access.ts';
import type { PayloadState } from '../record/vocabulary.ts';
import type { Grants } from '../store/queries/visibility.ts';
import { auditedServers, coversPayloads, Visibility } from '../store/queries/visibility.ts';
import type { HiddenBecause, Role } from './contract.ts';

/** Who asks, as authentication found out (audit-api/caller.ts). */
export interface ApiCaller {
  readonly kind: 'token' | 'grafana' | 'mcp';
  /** name of the automation token, login, or name of the API key */
  readonly name: string;
  readonly roles: readonly Role[];
  /** keyed hash of the person whose own calls these are; `''` when the caller is nobody in particular */
  readonly userKey: string;
  /** keyed hash under which the access log has this caller, where it is not `userKey` */
  readonly actorKey?: string;
  readonly email?: string;
  /** who `actorKey` is, where nobody else would tell the store */
  readonly actorPrincipal?: AccessEntry['actorPrincipal'];
  /** names this caller for what is theirs in the audit API itself; left out: by kind and name */
  readonly subject?: string;
  /** Grafana Admins: the role mapping */
  readonly mayChangeSettings?: boolean;
  /** Grafana teams that count in the role mapping */
  readonly mappedTeams?: readonly string[];
  /** servers whose payloads an auditor may open */
  readonly auditorServers: '*' | readonly string[];
}

class GrantedVisibility extends Visibility {
  constructor(grants: Grants) {
    super(grants);
    Object.freeze(this);
  }
}

export type { Visibility };

export function visibilityOf(caller: ApiCaller): Visibility {
  const { userKey, actorKey = userKey } = caller;
  const own = { userKey, actorKey, ...(caller.email === undefined ? {} : { ownEmail: caller.email }) };
  const settings = caller.mayChangeSettings === true ? 'change' : 'read';
  const all = { ...own, calls: 'all', usage: 'all', identities: true, accessLog: 'all', settings } as const;
  if (caller.roles.includes('auditor')) {
    return new GrantedVisibility({ ...all, payloads: { servers: caller.auditorServers } });
  }
  if (caller.roles.includes('admin')) return new GrantedVisibility({ ...all, payloads: false });
  const little = { identities: false, payloads: false, settings: 'none' } as const;
  const accessLog = actorKey === '' ? 'none' : 'own';
  if (caller.roles.includes('viewer') && userKey !== '') {
    return new GrantedVisibility({ ...own, ...little, calls: 'own', usage: 'own', accessLog });
  }
  return new GrantedVisibility({
    ...little,
    calls: 'none',
    usage: 'none',
    userKey: '',
    actorKey,
    accessLog: caller.roles.includes('viewer') ? accessLog : 'none',
    nothingBecause: 'no_identity',
  });
}

/** Whether payloads of this server may be opened, and why not. */
export function payloadRefusal(visibility: Visibility, server: string): 'not_auditor' | 'other_server' | undefined {
  if (visibility.payloads === false) return 'not_auditor';
  return coversPayloads(visibility, server) ? undefined : 'other_server';
}

/** Whether the caller may take calls away as a file, with or without payloads, and why not. */
export function exportRefusal(visibility: Visibility, payloads: boolean): 'not_admin' | 'not_auditor' | undefined {
  if (visibility.calls !== 'all') return 'not_admin';
  return payloads && visibility.payloads === false ? 'not_auditor' : undefined;
}

const NOTHING_KEPT: Readonly<Record<PayloadState, HiddenBecause | undefined>> = {
  none: 'no_payload',
  sealed: undefined,
  sealed_truncated: undefined,
  hashed: 'hash_only',
  off: 'capture_off',
  failed: 'capture_failed',
};

/** Why the payload of a call is not to be opened by this caller; what was not kept comes before what is forbidden. */
export function payloadHidden(visibility: Visibility, server: string, state: PayloadState): HiddenBecause | undefined {
  return NOTHING_KEPT[state] ?? payloadRefusal(visibility, server);
}

const NOTHING_FOR = {
  token:
    'You see no calls: this token stands for no person. Give it a `user` in auditApi.tokens, or the role admin or auditor.',
  grafana:
    'You see no calls: nothing vouches for who you are outside of Grafana. Sign in to Grafana through your organisation’s login, or ask for an entry in auditApi.grafana.identities.',
  mcp: 'You see no calls: the gateway does not know who you are. Use an API key of your own, or sign in.',
} as const;

const MORE_FOR = {
  token: 'An admin token sees everybody’s metadata, an auditor token payloads too.',
  grafana: 'Grafana Admins see everybody’s metadata, members of Auditor teams payloads too.',
  mcp: 'An admin token sees everybody’s metadata, an auditor token payloads too.',
} as const;

/** The same as `visibility`, in words for /me. */
export function explain(visibility: Visibility, kind: ApiCaller['kind']): string[] {
  if (visibility.nothingBecause !== undefined) return [NOTHING_FOR[kind]];
  if (visibility.calls === 'own') {
    return [
      'You see the metadata and usage of your own calls.',
      `You see nobody else’s calls, and no payloads. ${MORE_FOR[kind]}`,
    ];
  }
  const all = 'You see the metadata and usage of everybody’s calls.';
  if (visibility.payloads === false) return [all, 'You see no payloads: only auditors open them.'];
  const servers = auditedServers(visibility);
  const scope = servers === '*' ? 'all servers' : `these servers only: ${servers.join(', ')}`;
  return [all, `You may open payloads of ${scope}. Each opening is recorded in the access log before you see it.`];
}
