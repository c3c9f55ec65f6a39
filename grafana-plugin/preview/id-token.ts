/**
 * ID tokens as Grafana signs them for `X-Grafana-Id`: ES256, the issuer is the root URL, the audience the organisation,
 * ten minutes long. The key is made at start and is in no file; its public half is at `/api/signing-keys/keys`.
 */
import type { JWK } from 'jose';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { Person } from './people.ts';

const LIFETIME_SECONDS = 600;

export interface IdTokens {
  /** `undefined`: anonymous */
  sign(person: Person | undefined, issuer: string): Promise<string>;
  readonly jwks: { readonly keys: readonly JWK[] };
}

export async function createIdTokens(nowMs: () => number = Date.now): Promise<IdTokens> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const kid = `id-${new Date(nowMs()).toISOString().slice(0, 7)}-es256`;
  const jwk = await exportJWK(publicKey);
  return {
    jwks: { keys: [{ ...jwk, alg: 'ES256', use: 'sig', kid }] },
    sign: (person, issuer) => {
      const issuedAt = Math.floor(nowMs() / 1000);
      return new SignJWT({ namespace: 'default', ...claimsOf(person) })
        .setProtectedHeader({ alg: 'ES256', kid, typ: 'jwt' })
        .setIssuer(issuer)
        .setAudience('org:1')
        .setSubject(person === undefined ? 'anonymous:0' : `user:${person.id}`)
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + LIFETIME_SECONDS)
        .sign(privateKey);
    },
  };
}

function claimsOf(person: Person | undefined): Record<string, unknown> {
  if (person === undefined) return { type: 'anonymous', identifier: '0', role: 'Viewer' };
  return {
    type: 'user',
    identifier: `uid${person.id}`,
    email: person.email,
    email_verified: true,
    authenticatedBy: 'oauth_generic_oauth',
    username: person.login,
    name: person.name,
    role: person.role,
  };
}
