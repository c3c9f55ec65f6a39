/** An upstream server that asks for credentials: of the gateway, whose clients cannot bring any (docs/transport.md). */
import type { OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterEach, describe, expect, it } from 'vitest';
import { call, closeAll, json, post, send, startGateway, startUpstream } from './running-gateway.ts';

afterEach(closeAll);

describe('a challenge of the upstream server', () => {
  const CHALLENGE = 'Bearer resource_metadata="https://auth.other.example/.well-known/x", error="insufficient_scope"';

  it.each(['POST', 'GET', 'DELETE'])('with 401 to %s is for the gateway, not for the client', async (method) => {
    const upstream = await startUpstream((_seen, res) => {
      json(res, { error: 'invalid_token' }, 401, { 'www-authenticate': CHALLENGE });
    });
    const gateway = await startGateway(upstream.url);
    const body = method === 'POST' ? { body: JSON.stringify(call(1)) } : {};
    const got = await send(gateway.url(), { method, ...body }).answer;
    expect([got.status, got.headers['www-authenticate']]).toEqual([502, undefined]);
    expect(JSON.parse(got.body.toString())).toMatchObject({
      id: method === 'POST' ? 1 : null,
      error: { code: -32002, message: expect.stringContaining('Tell who runs the gateway') },
    });
    expect(got.body.toString()).not.toContain('other.example');
    if (method === 'DELETE') return;
    const { end } = gateway.observer.only(method === 'POST' ? 'tools/call' : 'stream');
    expect(end).toMatchObject({ outcome: 'upstream_unreachable', errorType: 'upstream_unauthorized', httpStatus: 502 });
    expect(end?.responseHeaders).toContainEqual(['www-authenticate', CHALLENGE]);
  });

  it('with 403 is taken off, and what the server says passes', async () => {
    const upstream = await startUpstream((_seen, res) => {
      json(res, { error: 'not yours' }, 403, { 'www-authenticate': CHALLENGE });
    });
    const gateway = await startGateway(upstream.url);
    const got = await post(gateway.url(), call(1));
    expect([got.status, got.headers['www-authenticate'], got.body.toString()]).toEqual([
      403,
      undefined,
      '{"error":"not yours"}',
    ]);
    const { end } = gateway.observer.only('tools/call');
    expect(end).toMatchObject({ outcome: 'upstream_unreachable', errorType: 'http_403', httpStatus: 403 });
    expect(end?.responseHeaders).toContainEqual(['www-authenticate', CHALLENGE]);
  });

  it.each([401, 403])('with %i makes no OAuth client sign in anywhere', async (status) => {
    const upstream = await startUpstream((_seen, res) => {
      json(res, { error: 'no' }, status, { 'www-authenticate': CHALLENGE });
    });
    const gateway = await startGateway(upstream.url);
    const asked: string[] = [];
    const authProvider: OAuthClientProvider = {
      redirectUrl: 'http://127.0.0.1/callback',
      clientMetadata: { redirect_uris: ['http://127.0.0.1/callback'] },
      clientInformation: () => ({ client_id: 'c' }),
      tokens: () => ({ access_token: 'good', token_type: 'bearer' }),
      saveTokens: () => void asked.push('saveTokens'),
      redirectToAuthorization: () => void asked.push('redirect'),
      saveCodeVerifier: () => void asked.push('saveCodeVerifier'),
      codeVerifier: () => 'v',
      invalidateCredentials: () => void asked.push('invalidate'),
    };
    const fetched: string[] = [];
    const transport = new StreamableHTTPClientTransport(gateway.url(), {
      authProvider,
      fetch: (url, init) => {
        fetched.push(new URL(url).pathname);
        return fetch(url, init);
      },
    });
    const connecting = new Client({ name: 'c', version: '1' }).connect(transport);
    await expect(connecting).rejects.toThrow(status === 401 ? /Tell who runs the gateway/ : /403|"no"/);
    expect([asked, fetched]).toEqual([[], ['/mcp/up']]);
  });
});
