/**
 * Finds out who sends a request, before anything of its body is looked at: an API key, a bearer token, or (only where
 * configured, only from this machine) nobody in particular. Credentials that are wrong are refused, never treated as
 * absent. Answers with a keyed hash for metadata and the principal for the erasable table; decides nothing about rights.
 */
import { createHash } from 'node:crypto';
import type { ErrorCode } from '../errors.ts';
import type { Pseudonyms } from '../protection/seams.ts';
import type { ApiKeys, KeyLookup } from './api-keys.ts';
import { isLoopbackHost } from './address.ts';
import { BoundedMap } from './bounded-map.ts';
import { principalOfKey } from './identity.ts';
import type { JwtVerifier, TokenFailure, TokenVerdict } from './jwt.ts';
import type { AuthenticatedCaller, Principal } from './principal.ts';
import { challenge, type ChallengeError, type ResourceMetadataOptions } from './resource-metadata.ts';
import { API_KEY_PREFIX } from './secrets.ts';

export type AuthFailure =
  | 'no_credentials'
  | 'credentials_malformed'
  | 'credentials_ambiguous'
  | 'tokens_not_accepted'
  | Extract<KeyLookup, { ok: false }>['reason']
  | TokenFailure;

export interface RefusedCaller {
  readonly ok: false;
  /** for the record; closed set */
  readonly reason: AuthFailure;
  /** how the refusal leaves: 401, or 403 for a good token without the scopes */
  readonly code: Extract<ErrorCode, 'unauthenticated' | 'forbidden'>;
  readonly wwwAuthenticate: string;
}

export type Authentication = { readonly ok: true; readonly caller: AuthenticatedCaller } | RefusedCaller;

export interface Credentials {
  /** as Node gives them: lower-case names */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly remoteAddress: string | undefined;
  /** `/mcp/<server>`, for the challenge; default: the whole gateway */
  readonly resourcePath?: string;
}

export interface Authenticator {
  /** Synchronous but for the first sight of a token. Never rejects. */
  authenticate(credentials: Credentials): Authentication | Promise<Authentication>;
}

export interface AuthenticatorOptions {
  readonly anonymous: boolean;
  readonly apiKeys: ApiKeys;
  readonly jwt?: JwtVerifier;
  /** with `jwt` */
  readonly metadata?: ResourceMetadataOptions;
  readonly pseudonyms: Pseudonyms;
  readonly now?: () => number;
}

const TOKEN_CACHE_ENTRIES = 2000;
/** A key that its issuer took back stops counting after this time at most. */
const TOKEN_CACHE_MS = 5 * 60_000;

export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const now = options.now ?? Date.now;
  const verified = new BoundedMap<{ readonly caller: AuthenticatedCaller; readonly untilMs: number }>(
    TOKEN_CACHE_ENTRIES
  );

  const callerOf = (principal: Principal, more: Pick<AuthenticatedCaller, 'keyName' | 'teams' | 'authMethod'>) => ({
    userKey: options.pseudonyms.hash('user', principal.subject),
    ...more,
    principal,
  });

  const refuse = (reason: AuthFailure, { resourcePath = '' }: Credentials): RefusedCaller => ({
    ok: false,
    reason,
    code: reason === 'token_lacks_scope' ? 'forbidden' : 'unauthenticated',
    wwwAuthenticate: challenge(options.metadata, resourcePath, challengeError(reason)),
  });

  const byKey = (presented: string, credentials: Credentials): Authentication => {
    const found = options.apiKeys.find(presented);
    if (!found.ok) return refuse(found.reason, credentials);
    const { name, user, teams } = found.key;
    return { ok: true, caller: callerOf(principalOfKey(name, user), { keyName: name, teams, authMethod: 'api_key' }) };
  };

  const byToken = (token: string, credentials: Credentials): Authentication | Promise<Authentication> => {
    const { jwt } = options;
    if (jwt === undefined) return refuse('tokens_not_accepted', credentials);
    const cacheKey = createHash('sha256').update(token).digest('base64');
    const cached = verified.get(cacheKey);
    if (cached !== undefined && now() < cached.untilMs) return { ok: true, caller: cached.caller };
    verified.delete(cacheKey);
    return jwt.verify(token).then((verdict: TokenVerdict): Authentication => {
      if (!verdict.ok) return refuse(verdict.reason, credentials);
      const caller = callerOf(verdict.principal, { keyName: '', teams: verdict.teams, authMethod: 'jwt' });
      verified.set(cacheKey, { caller, untilMs: Math.min(verdict.expiresAtMs, now() + TOKEN_CACHE_MS) });
      return { ok: true, caller };
    });
  };

  return {
    authenticate(credentials) {
      const presented = presentedIn(credentials.headers);
      if (presented.kind === 'key') return byKey(presented.secret, credentials);
      if (presented.kind === 'token') return byToken(presented.secret, credentials);
      if (presented.kind !== 'none') return refuse(presented.kind, credentials);
      if (options.anonymous && isLocal(credentials)) return { ok: true, caller: ANONYMOUS };
      return refuse('no_credentials', credentials);
    },
  };
}

const ANONYMOUS: AuthenticatedCaller = { userKey: '', keyName: '', teams: [], authMethod: 'anonymous' };

type Presented =
  | { readonly kind: 'key' | 'token'; readonly secret: string }
  | { readonly kind: 'none' | 'credentials_malformed' | 'credentials_ambiguous' };

function presentedIn(headers: Credentials['headers']): Presented {
  const authorization = headers.authorization;
  const apiKey = headers['x-api-key'];
  if (Array.isArray(authorization) || Array.isArray(apiKey)) return { kind: 'credentials_ambiguous' };
  if (authorization === undefined && apiKey === undefined) return { kind: 'none' };
  if (authorization === undefined) return { kind: 'key', secret: (apiKey ?? '').trim() };
  const bearer = /^bearer +([A-Za-z0-9\-._~+/]+=*)\s*$/i.exec(authorization)?.[1];
  if (bearer === undefined) return { kind: 'credentials_malformed' };
  // Two different credentials: whichever were taken, the record could name the wrong person.
  if (apiKey !== undefined && apiKey.trim() !== bearer) return { kind: 'credentials_ambiguous' };
  return { kind: bearer.startsWith(API_KEY_PREFIX) ? 'key' : 'token', secret: bearer };
}

function challengeError(reason: AuthFailure): ChallengeError | undefined {
  if (reason === 'no_credentials' || reason === 'token_keys_unavailable') return undefined;
  return reason === 'token_lacks_scope' ? 'insufficient_scope' : 'invalid_token';
}

/** A tunnel or proxy on this machine connects from loopback, too; it gives itself away by the address it adds. */
function isLocal({ headers, remoteAddress }: Credentials): boolean {
  if (remoteAddress === undefined || !isLoopbackHost(remoteAddress)) return false;
  if (headers.forwarded !== undefined) return false;
  return ['x-forwarded-for', 'x-real-ip', 'cf-connecting-ip'].every((name) => {
    const addresses = headers[name];
    return (
      addresses === undefined ||
      String(addresses)
        .split(',')
        .every((address) => isLoopbackHost(address.trim()))
    );
  });
}
