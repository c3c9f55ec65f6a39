/** The access log in words. The sets are the contract's: a new action or reason does not compile until it is here. */
import type { AccessLogEntry } from '../data/contract.ts';
import { userName } from '../format/people.ts';

type Action = AccessLogEntry['action'];
type Reason = NonNullable<AccessLogEntry['reason']>;

export const ACTION_WORDS: Readonly<Record<Action, string>> = {
  'payload.read': 'opened a payload',
  'payload.search': 'searched payloads',
  'calls.read': 'read calls',
  'usage.read': 'read usage',
  'access_log.read': 'read the access log',
  'export.metadata': 'exported metadata',
  'export.payloads': 'exported payloads',
  'export.read': 'looked at exports',
  'export.change': 'changed a scheduled export',
  'roles.change': 'changed who is Auditor',
  'auditor.first_seen': 'was seen as Auditor for the first time',
  'settings.read': 'read settings',
  'settings.change': 'changed settings',
  'subject.erase': 'erased a person',
  'hold.add': 'set a legal hold',
  'hold.release': 'released a legal hold',
  authenticate: 'asked for access',
};

export const REASON_WORDS: Readonly<Record<Reason, string>> = {
  not_auditor: 'not an Auditor',
  not_admin: 'not an Admin',
  other_user: 'somebody else’s calls',
  not_own: 'no such call of their own',
  other_server: 'Auditor of other servers',
  unknown_token: 'unknown token',
  expired_token: 'expired token',
  no_id_token: 'no ID token of Grafana',
  bad_signature: 'signature is wrong',
  wrong_issuer: 'another Grafana',
  wrong_org: 'another organisation',
  keys_unavailable: 'Grafana’s keys could not be had',
  no_identity: 'names nobody',
  anonymous: 'not signed in',
  service_account: 'service account',
  not_a_member: 'not a member of the organisation',
  teams_unavailable: 'Grafana’s teams could not be had',
  key_destroyed: 'data key destroyed',
  key_unavailable: 'key not configured',
  not_recorded: 'could not be recorded',
  self_elevation: 'would have made themselves Auditor',
  limit_reached: 'too many at once',
  not_owner: 'belongs to somebody else',
  on_hold: 'on legal hold',
};

export function actorName({ actor }: Pick<AccessLogEntry, 'actor'>): string {
  if (actor.user !== null) return userName(actor.user);
  return actor.tokenName === null ? 'unknown' : `token: ${actor.tokenName}`;
}

/** What it was about, where it was about something in particular. */
export function targetText({ target }: Pick<AccessLogEntry, 'target'>): string {
  const parts = [
    target.user === null ? undefined : userName(target.user),
    target.server === null ? undefined : `on ${target.server}`,
  ];
  return parts.filter((part) => part !== undefined).join(' ');
}

export function detailText({ detail }: Pick<AccessLogEntry, 'detail'>): string {
  return Object.entries(detail)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}: ${Array.isArray(value) ? value.join(', ') : String(value)}`)
    .join('; ');
}
