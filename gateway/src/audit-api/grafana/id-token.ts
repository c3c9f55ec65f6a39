/**
 * Verifies the ID token that Grafana signs for each user (`X-Grafana-Id`): ES256 by Grafana's published keys, issuer,
 * organisation, expiry, and that it is about a user. Says who it is or why not; what they may see is found out elsewhere.
 * Everything else that Grafana or a browser sends about the user is unsigned and not read here.
 */
import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import type { AccessReason } from '../../record/access.ts';

/** A person as Grafana knows them. */
export interface GrafanaUser {
  /** stable id: uid where there is one */
  readonly id: string;
  /** numeric id, where the token has it */
  readonly userId?: number;
  readonly login: string;
  readonly email: string;
  readonly name: string;
  /** `Viewer`, `Editor`, `Admin`, or empty where the token does not say */
  readonly role: string;
  /** e.g. `oauth_github`, `ldap`, `password` */
  readonly authenticatedBy: string;
}

export type TokenRefusal = Extract<
  AccessReason,
  | 'no_id_token'
  | 'bad_signature'
  | 'expired_token'
  | 'wrong_issuer'
  | 'wrong_org'
  | 'keys_unavailable'
  | 'anonymous'
  | 'service_account'
>;

export type IdTokenVerdict = { readonly user: GrafanaUser } | { readonly refused: TokenRefusal };

export interface IdTokenVerifier {
  verify(token: string | undefined): Promise<IdTokenVerdict>;
}

export interface IdTokenVerifierOptions {
  /** Grafana's `root_url`, exactly, in the forms in which Grafana may write it */
  readonly issuers: readonly string[];
  readonly jwksUrl: string;
  readonly org: number;
  /** ms since 1970 */
  readonly nowMs: () => number;
  /** how soon an unknown key id may make the keys be read again; default 30 s */
  readonly cooldownMs?: number;
}

const LONGEST_TOKEN_CHARACTERS = 16_384;
const CLOCK_TOLERANCE_SECONDS = 30;
const KEYS_TIMEOUT_MS = 5000;
/** Grafana's keys live for a month and are served with an hour of cache. */
const KEYS_KEPT_MS = 3_600_000;

export function createIdTokenVerifier(options: IdTokenVerifierOptions): IdTokenVerifier {
  const keys: JWTVerifyGetKey = createRemoteJWKSet(new URL(options.jwksUrl), {
    timeoutDuration: KEYS_TIMEOUT_MS,
    cooldownDuration: options.cooldownMs ?? 30_000,
    cacheMaxAge: KEYS_KEPT_MS,
  });
  return {
    async verify(token) {
      if (token === undefined || token === '') return { refused: 'no_id_token' };
      if (token.length > LONGEST_TOKEN_CHARACTERS) return { refused: 'bad_signature' };
      try {
        const { payload } = await jwtVerify(token, keys, {
          algorithms: ['ES256'],
          issuer: [...options.issuers],
          audience: `org:${options.org}`,
          clockTolerance: CLOCK_TOLERANCE_SECONDS,
          requiredClaims: ['exp', 'sub', 'aud', 'iss'],
          currentDate: new Date(options.nowMs()),
        });
        return userOf(payload);
      } catch (error) {
        return { refused: refusalOf(error) };
      }
    },
  };
}

function refusalOf(error: unknown): TokenRefusal {
  if (error instanceof errors.JWTExpired) return 'expired_token';
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'iss') return 'wrong_issuer';
    return error.claim === 'aud' ? 'wrong_org' : 'bad_signature';
  }
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) return 'keys_unavailable';
  // answers of the keys' server that are none: `JOSEError` itself, by its class
  if (error instanceof errors.JOSEError && error.code !== 'ERR_JOSE_GENERIC') return 'bad_signature';
  return 'keys_unavailable';
}

/** Types that stand for no person. Newer Grafanas say `type`, all have it before the colon of `sub`. */
function userOf(claims: JWTPayload): IdTokenVerdict {
  const subject = claims.sub ?? '';
  const prefix = subject.includes(':') ? subject.slice(0, subject.indexOf(':')) : undefined;
  const types = [claims.type, prefix].filter((type) => type !== undefined);
  if (types.length === 0) return { refused: 'bad_signature' };
  if (types.includes('anonymous')) return { refused: 'anonymous' };
  if (!types.every((type) => type === 'user')) return { refused: 'service_account' };
  const own = prefix === undefined ? subject : subject.slice(prefix.length + 1);
  const id = text(claims.identifier) === '' ? own : text(claims.identifier);
  if (id === '') return { refused: 'bad_signature' };
  return {
    user: {
      id,
      ...(/^[1-9]\d{0,14}$/.test(own) ? { userId: Number(own) } : {}),
      login: text(claims.username),
      email: text(claims.email),
      name: text(claims.name),
      role: text(claims.role),
      authenticatedBy: text(claims.authenticatedBy),
    },
  };
}

function text(claim: unknown): string {
  return typeof claim === 'string' && claim.length <= 320 ? claim.trim() : '';
}
