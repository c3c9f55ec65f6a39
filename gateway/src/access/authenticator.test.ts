import { describe, expect, it } from 'vitest';
import { createPseudonyms } from '../protection/pseudonyms.ts';
import type { ApiKeys } from './api-keys.ts';
import { createAuthenticator, type AuthenticatorOptions, type Credentials } from './authenticator.ts';
import type { JwtVerifier, TokenVerdict } from './jwt.ts';
import { protectedResource, publicUrlOf, resourceMetadataUrl } from './resource-metadata.ts';

const pseudonyms = createPseudonyms(new Uint8Array(32).fill(7));
const apiKeys: ApiKeys = {
  find: (presented) =>
    presented === 'gl_good'
      ? { ok: true, key: { name: 'ci', user: 'Ana@Example.com', teams: ['ops'] } }
      : { ok: false, reason: 'api_key_unknown' },
  count: () => 1,
};
const metadata = { publicUrl: 'https://gw.example.com', issuer: 'https://idp.example.com', requiredScopes: [] };

const authenticatorOf = (more: Partial<AuthenticatorOptions> = {}) =>
  createAuthenticator({ anonymous: false, apiKeys, pseudonyms, ...more });
const from = (headers: Credentials['headers'], remoteAddress = '10.0.0.9'): Credentials => ({
  headers,
  remoteAddress,
  resourcePath: '/mcp/docs',
});

function verifierOf(verdict: TokenVerdict): JwtVerifier & { calls: number } {
  const verifier = {
    calls: 0,
    verify: () => {
      verifier.calls++;
      return Promise.resolve(verdict);
    },
  };
  return verifier;
}

describe('authentication', () => {
  it.each([
    ['Authorization', { authorization: 'Bearer gl_good' }],
    ['authorization in small letters', { authorization: 'bearer gl_good' }],
    ['X-API-Key', { 'x-api-key': 'gl_good' }],
    ['both, when they agree', { authorization: 'Bearer gl_good', 'x-api-key': 'gl_good' }],
  ])('knows an API key in %s; metadata gets a hash, never the e-mail', async (_, headers) => {
    const result = await authenticatorOf().authenticate(from(headers));
    expect(result).toEqual({
      ok: true,
      caller: {
        userKey: pseudonyms.hash('user', 'ana@example.com'),
        keyName: 'ci',
        teams: ['ops'],
        authMethod: 'api_key',
        principal: { subject: 'ana@example.com', email: 'ana@example.com' },
      },
    });
  });

  it.each([
    ['nothing', {}, 'no_credentials', ''],
    ['an unknown key', { authorization: 'Bearer gl_bad' }, 'api_key_unknown', 'invalid_token'],
    ['another scheme', { authorization: 'Basic Z2xfZ29vZA==' }, 'credentials_malformed', 'invalid_token'],
    ['no secret', { authorization: 'Bearer ' }, 'credentials_malformed', 'invalid_token'],
    ['two secrets', { authorization: 'Bearer gl_good gl_bad' }, 'credentials_malformed', 'invalid_token'],
    [
      'two different secrets',
      { authorization: 'Bearer gl_good', 'x-api-key': 'gl_bad' },
      'credentials_ambiguous',
      'invalid_token',
    ],
    ['a token where none is accepted', { authorization: 'Bearer eyJ.e.e' }, 'tokens_not_accepted', 'invalid_token'],
  ])('refuses %s', async (_, headers, reason, error) => {
    const result = await authenticatorOf({ metadata, anonymous: false }).authenticate(from(headers));
    expect(result).toMatchObject({ ok: false, reason, code: 'unauthenticated' });
    if (result.ok) return;
    expect(result.wwwAuthenticate).toContain(
      'resource_metadata="https://gw.example.com/.well-known/oauth-protected-resource/mcp/docs"'
    );
    if (error === '') expect(result.wwwAuthenticate).not.toContain('error=');
    else expect(result.wwwAuthenticate).toContain(`error="${error}"`);
  });

  it('lets nobody break out of the challenge', async () => {
    const result = await authenticatorOf({ metadata }).authenticate({
      headers: {},
      remoteAddress: '10.0.0.9',
      resourcePath: '/mcp/a"\r\nSet-Cookie: x=\u00e4',
    });
    expect(result.ok ? '' : result.wwwAuthenticate).toMatch(/^Bearer realm="gatelens", resource_metadata="[^"\r\n]*"$/);
  });

  it('tells a good token without the scopes apart', async () => {
    const jwt = verifierOf({ ok: false, reason: 'token_lacks_scope' });
    const result = await authenticatorOf({ jwt, metadata: { ...metadata, requiredScopes: ['mcp:call'] } }).authenticate(
      from({ authorization: 'Bearer eyJ.e.e' })
    );
    expect(result).toMatchObject({ code: 'forbidden' });
    expect(result.ok ? '' : result.wwwAuthenticate).toContain('error="insufficient_scope"');
    expect(result.ok ? '' : result.wwwAuthenticate).toContain('scope="mcp:call"');
  });

  it('verifies a token once while it lasts, for five minutes at most', async () => {
    let nowMs = 1_000_000;
    const principal = { subject: 'ana@example.com', email: 'ana@example.com' };
    const jwt = verifierOf({ ok: true, principal, teams: ['ops'], expiresAtMs: nowMs + 10 * 60_000 });
    const authenticator = authenticatorOf({ jwt, now: () => nowMs });
    const request = from({ authorization: 'Bearer eyJ.e.e' });
    for (let i = 0; i < 3; i++) expect(await authenticator.authenticate(request)).toMatchObject({ ok: true });
    expect(jwt.calls).toBe(1);
    nowMs += 5 * 60_000;
    await authenticator.authenticate(request);
    expect(jwt.calls).toBe(2);
    nowMs += 5 * 60_000;
    await authenticator.authenticate(request);
    expect(jwt.calls).toBe(3);
  });

  it.each<[string, string | undefined, Credentials['headers'], boolean]>([
    ['this machine', '127.0.0.1', {}, true],
    ['this machine by IPv6', '::1', {}, true],
    ['this machine, mapped', '::ffff:127.0.0.1', {}, true],
    ['another machine', '10.0.0.9', {}, false],
    ['an unknown address', undefined, {}, false],
    ['a tunnel on this machine', '127.0.0.1', { 'x-forwarded-for': '127.0.0.1, 203.0.113.7' }, false],
    ['a proxy on this machine', '127.0.0.1', { forwarded: 'for=203.0.113.7' }, false],
    ['a development proxy for this machine', '127.0.0.1', { 'x-forwarded-for': '127.0.0.1' }, true],
    ['this machine with a wrong key', '127.0.0.1', { authorization: 'Bearer gl_bad' }, false],
    ['this machine with a wrong header', '127.0.0.1', { 'x-api-key': '' }, false],
  ])('without a key, where that is allowed: %s', async (_, remoteAddress, headers, allowed) => {
    const result = await authenticatorOf({ anonymous: true }).authenticate({ headers, remoteAddress });
    expect(result.ok).toBe(allowed);
    if (result.ok) expect(result.caller).toEqual({ userKey: '', keyName: '', teams: [], authMethod: 'anonymous' });
  });

  it('without a key is refused on this machine, too, unless allowed', async () => {
    expect((await authenticatorOf().authenticate(from({}, '127.0.0.1'))).ok).toBe(false);
  });
});

describe('the protected-resource document', () => {
  it('names the server, the issuer and the scopes', () => {
    expect(protectedResource({ ...metadata, requiredScopes: ['mcp:call'] }, '/mcp/docs')).toEqual({
      resource: 'https://gw.example.com/mcp/docs',
      authorization_servers: ['https://idp.example.com'],
      bearer_methods_supported: ['header'],
      resource_name: 'Gatelens MCP gateway',
      scopes_supported: ['mcp:call'],
    });
  });

  it.each([
    ['https://gw.example.com', 'https://gw.example.com/.well-known/oauth-protected-resource/mcp/docs'],
    ['https://example.com/gatelens', 'https://example.com/.well-known/oauth-protected-resource/gatelens/mcp/docs'],
  ])('of %s is at %s', (publicUrl, url) => {
    expect(resourceMetadataUrl(publicUrl, '/mcp/docs')).toBe(url);
  });

  it('has a URL that clients can use, whatever is listened on', () => {
    expect(publicUrlOf({ http: {}, listen: { mcp: { host: '0.0.0.0', port: 80 } } })).toBe('http://localhost:80');
    expect(publicUrlOf({ http: {}, listen: { mcp: { host: '::1', port: 80 } } })).toBe('http://[::1]:80');
    expect(publicUrlOf({ http: { publicUrl: 'https://x/' }, listen: { mcp: { host: '::1', port: 80 } } })).toBe(
      'https://x'
    );
  });
});
