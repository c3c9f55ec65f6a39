/**
 * What may be seen, as every query demands it. A class with a protected constructor and a private member, so that no
 * object that merely looks the same passes and none can be made but by a subclass: there is one, in
 * audit-api/visibility.ts, and a test holds that. Knows no roles and decides nothing.
 */

export interface Grants {
  readonly calls: 'none' | 'own' | 'all';
  readonly usage: 'none' | 'own' | 'all';
  /** the person that `own` means; never `''` under `own` */
  readonly userKey: string;
  /** own e-mail, for own rows */
  readonly ownEmail?: string;
  readonly payloads: false | { readonly servers: '*' | readonly string[] };
  /** e-mail, login and name of other people */
  readonly identities: boolean;
  /** `own`: what they did themselves */
  readonly accessLog: 'none' | 'own' | 'all';
  /** the role mapping, and how the pipeline does */
  readonly settings: 'none' | 'read' | 'change';
  /** under which key the access log has what they did; never `''` under `own` */
  readonly actorKey: string;
  /** why nothing at all may be seen */
  readonly nothingBecause?: 'no_identity';
}

export abstract class Visibility implements Grants {
  declare private readonly granted: true;
  readonly calls: Grants['calls'];
  readonly usage: Grants['usage'];
  readonly userKey: string;
  readonly ownEmail?: string;
  readonly payloads: Grants['payloads'];
  readonly identities: boolean;
  readonly accessLog: Grants['accessLog'];
  readonly settings: Grants['settings'];
  readonly actorKey: string;
  readonly nothingBecause?: 'no_identity';

  protected constructor(grants: Grants) {
    this.calls = grants.calls;
    this.usage = grants.usage;
    this.userKey = grants.userKey;
    if (grants.ownEmail !== undefined) this.ownEmail = grants.ownEmail;
    this.payloads = grants.payloads;
    this.identities = grants.identities;
    this.accessLog = grants.accessLog;
    this.settings = grants.settings;
    this.actorKey = grants.actorKey;
    if (grants.nothingBecause !== undefined) this.nothingBecause = grants.nothingBecause;
  }
}

/** Servers whose payloads may be opened. */
export function auditedServers({ payloads }: Visibility): '*' | readonly string[] {
  if (payloads === false) return [];
  return payloads.servers === '*' || payloads.servers.includes('*') ? '*' : payloads.servers;
}

/** Whether payloads of a server may be opened; `undefined`: of any server at all. */
export function coversPayloads(visibility: Visibility, server: string | undefined): boolean {
  const servers = auditedServers(visibility);
  if (servers === '*') return true;
  return server === undefined ? servers.length > 0 : servers.includes(server);
}
