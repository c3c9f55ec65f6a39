import { createHmac, createPublicKey } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createJwtVerifier, type JwtSettings } from './jwt.ts';
import { metadataUrls } from './jwks.ts';

/** A real issuer on loopback: metadata and keys over HTTP. */
let server: Server;
let issuer: string;
let published: JWK[] = [];
let hits: string[] = [];
const fault: { is: string } = { is: '' };
let key: CryptoKey;
let publicKey: CryptoKey;
let stranger: CryptoKey;

const nowMs = Date.parse('2026-11-24T08:00:00Z');
const seconds = nowMs / 1000;

beforeAll(async () => {
  ({ privateKey: key, publicKey } = await generateKeyPair('RS256', { extractable: true }));
  ({ privateKey: stranger } = await generateKeyPair('RS256'));
  server = createServer((req, res) => {
    const path = req.url ?? '';
    hits.push(path);
    if (fault.is === 'down') return void res.writeHead(500).end();
    if (fault.is === 'redirect') return void res.writeHead(302, { location: 'http://127.0.0.1:1/x' }).end();
    res.setHeader('content-type', 'application/json');
    if (path === '/jwks') return void res.end(JSON.stringify({ keys: published }));
    if (!path.endsWith('/.well-known/openid-configuration')) return void res.writeHead(404).end();
    if (fault.is === 'huge')
      return void res.end(`{"issuer":"${issuer}","jwks_uri":"${issuer}/jwks","x":"${'x'.repeat(1e6)}"}`);
    res.end(
      JSON.stringify({
        issuer: fault.is === 'other-issuer' ? 'https://evil.example' : issuer,
        jwks_uri: `${issuer}/jwks`,
      })
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(async () => {
  published = [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' }];
  hits = [];
  fault.is = '';
});

const settings = (more: Partial<JwtSettings> = {}): JwtSettings => ({
  issuer,
  audience: 'gatelens',
  algorithms: ['RS256', 'ES256', 'EdDSA'],
  clockTolerance: 30_000,
  userClaim: 'email',
  teamsClaim: 'groups',
  requiredScopes: [],
  ...more,
});
const verifier = (more: Partial<JwtSettings> = {}) =>
  createJwtVerifier(settings(more), { now: () => nowMs, cooldownMs: 0 });

const CLAIMS = { email: 'Ana@example.com', groups: ['ops'], scope: 'mcp:read mcp:call' };
function token(claims: Record<string, unknown> = {}, { by = key, kid = 'k1', alg = 'RS256' } = {}): Promise<string> {
  const all: Record<string, unknown> = {
    iss: issuer,
    aud: 'gatelens',
    iat: seconds - 10,
    exp: seconds + 600,
    sub: 's1',
    ...CLAIMS,
    ...claims,
  };
  return new SignJWT(Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)))
    .setProtectedHeader({ alg, kid })
    .sign(by);
}
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a bearer token', () => {
  it('names the person, the teams and its end, with keys found by the metadata of the issuer', async () => {
    expect(await verifier().verify(await token())).toEqual({
      ok: true,
      principal: { subject: 'ana@example.com', email: 'ana@example.com' },
      teams: ['ops'],
      expiresAtMs: nowMs + 600_000,
    });
    expect(hits).toEqual(['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration', '/jwks']);
  });

  it.each<[string, () => Promise<string>, string]>([
    ['expired', () => token({ exp: seconds - 31 }), 'token_expired'],
    ['without an end', () => token({ exp: undefined }), 'token_malformed'],
    ['not yet valid', () => token({ nbf: seconds + 31 }), 'token_not_yet_valid'],
    ['made for another audience', () => token({ aud: 'other' }), 'token_wrong_audience'],
    ['made for nobody', () => token({ aud: undefined }), 'token_wrong_audience'],
    ['of another issuer', () => token({ iss: 'https://evil.example' }), 'token_wrong_issuer'],
    ['of an issuer with one more slash', () => token({ iss: `${issuer}/` }), 'token_wrong_issuer'],
    ['signed by a stranger under a known key id', () => token({}, { by: stranger }), 'token_bad_signature'],
    ['with an unknown key id', () => token({}, { by: stranger, kid: 'k9' }), 'token_bad_signature'],
    [
      'with a changed claim',
      async () => swap(await token(), { ...CLAIMS, iss: issuer, aud: 'gatelens', exp: seconds + 600 }),
      'token_bad_signature',
    ],
    [
      'with alg none',
      () => Promise.resolve(`${part({ alg: 'none' })}.${part({ iss: issuer, aud: 'gatelens', exp: seconds + 600 })}.`),
      'token_bad_algorithm',
    ],
    ['HMAC-signed with the public key', hmacWithPublicKey, 'token_bad_algorithm'],
    ['that names nobody', () => token({ email: undefined, sub: undefined }), 'token_no_subject'],
    ['that is none', () => Promise.resolve('not-a-token'), 'token_malformed'],
    ['of three empty parts', () => Promise.resolve('..'), 'token_malformed'],
    ['endless', async () => `${await token()}${'x'.repeat(20_000)}`, 'token_malformed'],
  ])('is refused when %s', async (_, make, reason) => {
    expect(await verifier().verify(await make())).toEqual({ ok: false, reason });
  });

  it('is accepted within the clock tolerance', async () => {
    expect((await verifier().verify(await token({ exp: seconds - 29, nbf: seconds + 29 }))).ok).toBe(true);
  });

  it('needs the configured scopes', async () => {
    expect((await verifier({ requiredScopes: ['mcp:call'] }).verify(await token())).ok).toBe(true);
    expect(
      (await verifier({ requiredScopes: ['mcp:call'] }).verify(await token({ scope: undefined, scp: ['mcp:call'] }))).ok
    ).toBe(true);
    expect(await verifier({ requiredScopes: ['mcp:admin'] }).verify(await token())).toEqual({
      ok: false,
      reason: 'token_lacks_scope',
    });
  });

  it('follows a rotated key, and no longer takes the old one', async () => {
    const verify = verifier();
    expect((await verify.verify(await token())).ok).toBe(true);
    const next = await generateKeyPair('ES256');
    published = [{ ...(await exportJWK(next.publicKey)), kid: 'k2', alg: 'ES256' }];
    expect((await verify.verify(await token({}, { by: next.privateKey, kid: 'k2', alg: 'ES256' }))).ok).toBe(true);
    expect(await verify.verify(await token())).toEqual({ ok: false, reason: 'token_bad_signature' });
  });

  it('of a flood with unknown key ids does not make the issuer be asked each time', async () => {
    const verify = createJwtVerifier(settings({ jwksUrl: `${issuer}/jwks` }), { now: () => nowMs, cooldownMs: 60_000 });
    await verify.verify(await token());
    for (let i = 0; i < 20; i++) await verify.verify(await token({}, { by: stranger, kid: `x${i}` }));
    expect(hits).toEqual(['/jwks']);
  });

  it.each(['down', 'other-issuer', 'redirect', 'huge'] as const)(
    'is not accepted while the metadata is %s',
    async (how) => {
      fault.is = how;
      let clock = nowMs;
      const verify = createJwtVerifier(settings(), { now: () => clock });
      expect(await verify.verify(await token())).toEqual({ ok: false, reason: 'token_keys_unavailable' });
      // Found again without a restart, but not asked for with every token.
      fault.is = '';
      const asked = hits.length;
      expect((await verify.verify(await token())).ok).toBe(false);
      expect(hits.length).toBe(asked);
      clock += 5000;
      expect((await verify.verify(await token())).ok).toBe(true);
    }
  );
});

it('looks for the metadata of an issuer with a path where clients do', () => {
  expect(metadataUrls('https://idp.example.com/tenant/')).toEqual([
    'https://idp.example.com/.well-known/oauth-authorization-server/tenant',
    'https://idp.example.com/.well-known/openid-configuration/tenant',
    'https://idp.example.com/tenant/.well-known/openid-configuration',
  ]);
});

function swap(signed: string, claims: unknown): string {
  const [head, , signature] = signed.split('.');
  return `${head}.${part(claims)}.${signature}`;
}

/** The classic confusion: HS256 with the published key as the shared secret. */
async function hmacWithPublicKey(): Promise<string> {
  const pem = createPublicKey(await exportSPKI(publicKey)).export({ type: 'spki', format: 'pem' });
  const body = `${part({ alg: 'HS256', kid: 'k1' })}.${part({ ...CLAIMS, iss: issuer, aud: 'gatelens', exp: seconds + 600 })}`;
  return `${body}.${createHmac('sha256', pem).update(body).digest('base64url')}`;
}
