/**
 * Who asks: finds the automation token behind `Authorization: Bearer …`. Tokens are known by their SHA-256 only and are
 * compared in constant time, all of them, so that timing tells nothing. Says who it is or why not; what they may see is
 * decided in visibility.ts.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isEmail, normalizeEmail, principalOfKey } from '../access/identity.ts';
import type { Pseudonyms } from '../protection/seams.ts';
import type { AccessReason } from '../record/access.ts';
import type { Role } from './contract.ts';
import type { ApiCaller } from './visibility.ts';

/** As in `auditApi.tokens` of the configuration, and as kept by `gatelens tokens`. */
export interface AuditToken {
  readonly name: string;
  readonly role: Role;
  /** e-mail of the person whose token it is */
  readonly user?: string;
  /** servers whose payloads an auditor token may open; left out: all */
  readonly servers?: readonly string[];
  /** hex SHA-256 of the token */
  readonly sha256: string;
  /** ISO 8601; refused from then on */
  readonly expires?: string;
}

export type Authentication =
  | { readonly caller: ApiCaller }
  | {
      readonly refused: Extract<AccessReason, 'anonymous' | 'unknown_token' | 'expired_token'>;
      /** of an expired token */
      readonly tokenName?: string;
    };

export type Authenticate = (authorization: string | undefined, nowMs: number) => Authentication;

/** Longer ones are no tokens of ours; not hashed. */
const BEARER = /^Bearer +([\x21-\x7e]{1,512}) *$/i;

export interface TokenAuthenticatorDeps {
  /** asked each time, so that tokens can come and go */
  readonly tokens: () => readonly AuditToken[];
  readonly pseudonyms: Pick<Pseudonyms, 'hash'>;
}

export function createTokenAuthenticator({ tokens, pseudonyms }: TokenAuthenticatorDeps): Authenticate {
  return (authorization, nowMs) => {
    if (authorization === undefined || authorization === '') return { refused: 'anonymous' };
    const presented = BEARER.exec(authorization)?.[1];
    if (presented === undefined) return { refused: 'unknown_token' };
    const token = findToken(tokens(), presented);
    if (token === undefined) return { refused: 'unknown_token' };
    if (isExpired(token, nowMs)) return { refused: 'expired_token', tokenName: token.name };
    return { caller: callerOf(token, pseudonyms) };
  };
}

function findToken(tokens: readonly AuditToken[], presented: string): AuditToken | undefined {
  const digest = createHash('sha256').update(presented).digest();
  let found: AuditToken | undefined;
  for (const token of tokens) {
    const known = Buffer.from(token.sha256, 'hex');
    if (known.length === digest.length && timingSafeEqual(known, digest)) found ??= token;
  }
  return found;
}

/** An expiry that is no date counts as past. */
function isExpired(token: AuditToken, nowMs: number): boolean {
  return token.expires !== undefined && !(Date.parse(token.expires) > nowMs);
}

function callerOf(token: AuditToken, pseudonyms: Pick<Pseudonyms, 'hash'>): ApiCaller {
  const user = token.user?.trim() ?? '';
  // the same road from a name to a key as on the MCP side, or nobody would find their own calls
  const userKey = user === '' ? '' : pseudonyms.hash('user', principalOfKey('', user).subject);
  return {
    kind: 'token',
    name: token.name,
    roles: [token.role],
    auditorServers: token.servers ?? '*',
    userKey,
    ...(isEmail(user) ? { email: normalizeEmail(user) } : {}),
  };
}
