/**
 * Verifies bearer tokens of the configured issuer: signature by its published keys, issuer, audience, times, scopes.
 * Says why a token was refused in a closed set of words for the record; the client learns no more than "invalid".
 * Never logs a token and puts none into an error.
 */
import { errors, jwtVerify, type JWTPayload } from 'jose';
import { principalOfClaims, teamsOfClaim } from './identity.ts';
import { createKeySource, KeysUnavailable, type JwksOptions } from './jwks.ts';
import type { Principal } from './principal.ts';

export type TokenFailure =
  | 'token_malformed'
  | 'token_expired'
  | 'token_not_yet_valid'
  | 'token_bad_signature'
  | 'token_bad_algorithm'
  | 'token_wrong_issuer'
  | 'token_wrong_audience'
  | 'token_no_subject'
  | 'token_lacks_scope'
  /** the issuer's keys could not be read: says nothing about the token */
  | 'token_keys_unavailable';

export type TokenVerdict =
  | {
      readonly ok: true;
      readonly principal: Principal;
      readonly teams: readonly string[];
      /** ms since 1970, clock tolerance not included */
      readonly expiresAtMs: number;
    }
  | { readonly ok: false; readonly reason: TokenFailure };

export interface JwtVerifier {
  verify(token: string): Promise<TokenVerdict>;
}

/** `auth.jwt` of the configuration. */
export interface JwtSettings {
  readonly issuer: string;
  readonly audience: string | readonly string[];
  readonly jwksUrl?: string;
  /** asymmetric ones only */
  readonly algorithms: readonly string[];
  /** ms */
  readonly clockTolerance: number;
  readonly userClaim: string;
  readonly teamsClaim: string;
  readonly requiredScopes: readonly string[];
}

export interface JwtVerifierOptions extends Pick<JwksOptions, 'cooldownMs'> {
  readonly now?: () => number;
}

/** Tokens of real providers stay below 8 KB; header limits cut at 16 KB. */
const LONGEST_TOKEN_CHARACTERS = 16_384;

export function createJwtVerifier(settings: JwtSettings, options: JwtVerifierOptions = {}): JwtVerifier {
  const now = options.now ?? Date.now;
  const keySource = createKeySource({
    issuer: settings.issuer,
    ...(settings.jwksUrl === undefined ? {} : { jwksUrl: settings.jwksUrl }),
    ...(options.cooldownMs === undefined ? {} : { cooldownMs: options.cooldownMs }),
    now,
  });
  const audience = typeof settings.audience === 'string' ? settings.audience : [...settings.audience];

  return {
    async verify(token) {
      if (token.length > LONGEST_TOKEN_CHARACTERS) return { ok: false, reason: 'token_malformed' };
      let claims: JWTPayload;
      try {
        const verified = await jwtVerify(token, keySource, {
          issuer: settings.issuer,
          audience,
          algorithms: [...settings.algorithms],
          clockTolerance: settings.clockTolerance / 1000,
          requiredClaims: ['exp'],
          currentDate: new Date(now()),
        });
        claims = verified.payload;
      } catch (error) {
        return { ok: false, reason: failureOf(error) };
      }
      if (!hasScopes(claims, settings.requiredScopes)) return { ok: false, reason: 'token_lacks_scope' };
      const principal = principalOfClaims(claims, settings.userClaim);
      if (principal === undefined) return { ok: false, reason: 'token_no_subject' };
      return {
        ok: true,
        principal,
        teams: teamsOfClaim(claims[settings.teamsClaim]),
        expiresAtMs: (claims.exp ?? 0) * 1000,
      };
    },
  };
}

function failureOf(error: unknown): TokenFailure {
  if (error instanceof errors.JWTExpired) return 'token_expired';
  if (error instanceof errors.JWTClaimValidationFailed) return CLAIM_FAILURES[error.claim] ?? 'token_malformed';
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported)
    return 'token_bad_algorithm';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'token_bad_signature';
  // No published key fits the token's key id: signed by somebody else, or by a key taken back.
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
    return 'token_bad_signature';
  if (error instanceof errors.JWTInvalid || error instanceof errors.JWSInvalid) return 'token_malformed';
  if (error instanceof KeysUnavailable || error instanceof errors.JWKSTimeout || error instanceof errors.JOSEError) {
    return 'token_keys_unavailable';
  }
  // A TypeError of fetch: the keys' server is away.
  return 'token_keys_unavailable';
}

const CLAIM_FAILURES: Readonly<Record<string, TokenFailure>> = {
  iss: 'token_wrong_issuer',
  aud: 'token_wrong_audience',
  nbf: 'token_not_yet_valid',
  iat: 'token_not_yet_valid',
};

function hasScopes(claims: JWTPayload, required: readonly string[]): boolean {
  if (required.length === 0) return true;
  const granted = claims.scope ?? claims.scp;
  const scopes = typeof granted === 'string' ? granted.split(' ') : Array.isArray(granted) ? granted : [];
  return required.every((scope) => scopes.includes(scope));
}
