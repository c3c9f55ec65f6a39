import { describe, expect, it } from 'vitest';
import { createRedaction } from './redaction.ts';

const redaction = createRedaction();
const redacted = (name: string, value: string): string | undefined =>
  redaction.headers([[name, value]]).headers[0]?.[1];
const SECRET = 'q8Zt3mNx7LpR2vWd';

describe('header redaction', () => {
  it.each([
    ...['Authorization', 'authorization', 'AUTHORIZATION', 'Proxy-Authorization', 'Cookie', 'Set-Cookie', 'X-API-Key'],
    ...['Mcp-Session-Id', 'x-auth-token', 'X-Access-Token', 'X-CSRF-Token', 'X-XSRF-TOKEN', 'Api-Key', 'apikey'],
    ...['X-Secret', 'X-Client-Secret', 'x-password', 'X-Vault-Token', 'X-Goog-Api-Key', 'Ocp-Apim-Subscription-Key'],
    ...['X-Functions-Key', 'DD-APPLICATION-KEY', 'X-Amz-Security-Token', 'Private-Token', 'X-Session', 'X-Auth'],
    ...['X-Forwarded-Access-Token', 'Cf-Access-Jwt-Assertion', 'X-Hub-Signature-256', 'Mcp-Param-Password', 'X-Otp'],
    ...['x_api_key', 'X-Credentials', 'X-Auth-Request-Access-Token', 'X-Ratelimit-Tokens'],
  ])('%s never shows its value', (name) => {
    expect(redacted(name, SECRET)).toBe('[redacted:1-16]');
  });

  it.each([
    ['Bearer q8Zt3mNx7LpR2vWd', 'Bearer [redacted:1-16]'],
    ['bearer   q8Zt3mNx7LpR2vWdq8Zt3mNx7LpR2vWd', 'bearer [redacted:17-64]'],
    ['Basic dXNlcjpwYXNz', 'Basic [redacted:1-16]'],
    [`DPoP ${'x'.repeat(200)}`, 'DPoP [redacted:65-256]'],
    [`Negotiate ${'x'.repeat(2000)}`, 'Negotiate [redacted:over-256]'],
    ['Digest username="ana", response="6629"', 'Digest [redacted:17-64]'],
    // Not a scheme: may be a part of the credential.
    ['hunter2 extra', '[redacted:1-16]'],
    ['Bearer ', '[redacted:1-16]'],
    ['', ''],
  ])('authorization %j shows scheme and length class only', (value, shown) => {
    expect(redacted('authorization', value)).toBe(shown);
  });

  it.each([
    ['Host', 'localhost:8080'],
    ['Accept', 'application/json, text/event-stream'],
    ['User-Agent', 'node-fetch/1.0 (+https://example.com/bot)'],
    ['Mcp-Protocol-Version', '2025-11-25'],
    ['Last-Event-ID', '42'],
    ['Access-Control-Allow-Credentials', 'true'],
    ['Access-Control-Allow-Headers', 'authorization, mcp-session-id'],
    ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
    ['Idempotency-Key', 'a1b2'],
    ['WWW-Authenticate', 'Bearer realm="mcp", resource_metadata="https://example.com/.well-known/x"'],
    ['X-Ratelimit-Limit-Tokens', '150000'],
    ['Author', 'Ana'],
    ['Traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
  ])('%s: %s stays', (name, value) => {
    expect(redacted(name, value)).toBe(value);
  });

  it.each([
    ['X-Upstream', `Bearer ${SECRET}`, 'Bearer [redacted:bearer_token]'],
    [
      'Referer',
      `https://example.com/?access_token=${SECRET}&page=2`,
      'https://example.com/?access_token=[redacted]&page=2',
    ],
    ['Location', `https://ana:${SECRET}@example.com/`, 'https://ana:[redacted:url_password]@example.com/'],
    ['X-Custom', 'ghp_0123456789abcdefghij0123456789abcdef', '[redacted:github_token]'],
  ])('%s loses the credential inside its value', (name, value, shown) => {
    expect(redacted(name, value)).toBe(shown);
  });

  it('keeps order, spelling and repeats, and says which were redacted', () => {
    const { headers, found } = redaction.headers([
      ['Set-Cookie', 'a=1'],
      ['Host', 'x'],
      ['Set-Cookie', 'b=2'],
    ]);
    expect(headers.map(([name]) => name)).toEqual(['Set-Cookie', 'Host', 'Set-Cookie']);
    expect(found).toEqual(['header:set-cookie', 'header:set-cookie']);
  });

  it('takes names of the installation, however they are spelled', () => {
    const own = createRedaction({ headers: ['X-Employee-Number'] });
    expect(own.headers([['x-employee-number', '4711']]).headers).toEqual([['x-employee-number', '[redacted:1-16]']]);
    expect(redacted('x-employee-number', '4711')).toBe('4711');
  });

  it('gives the same again, as a list and as JSON, whatever came before', () => {
    const remembering = createRedaction();
    const seen: (readonly (readonly [string, string])[])[] = [
      [],
      [['Accept', 'text/plain']],
      [
        ['Accept', 'text/plain'],
        ['accept', 'a "quoted" \u{1f600} value'],
      ],
      [['Accept', `Bearer ${SECRET}`]],
      [
        ['Authorization', `Bearer ${SECRET}`],
        ['Accept', 'text/plain'],
      ],
      [['X-Long', 'x'.repeat(5000)]],
      [['', '']],
      Array.from({ length: 600 }, (_, n) => [`X-N${n}`, `${n}`] as const),
    ];
    for (const headers of [...seen, ...seen, ...seen.toReversed()]) {
      const once = createRedaction().headers(headers);
      expect(remembering.headers(headers)).toEqual(once);
      expect(JSON.parse(once.json)).toEqual(once.headers);
      expect(once.json).not.toContain(SECRET);
    }
  });
});
