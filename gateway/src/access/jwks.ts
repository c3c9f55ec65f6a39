/**
 * Finds an issuer's signing keys: the configured URL, or the `jwks_uri` of its metadata (RFC 8414 §3, OpenID Connect
 * Discovery §4). Looked up at the first token, kept and refreshed by jose. Follows no redirect, believes only metadata
 * that names this issuer, and keys over plain http from loopback only.
 */
import { createRemoteJWKSet, type JWTVerifyGetKey } from 'jose';
import { isLoopbackHost } from './address.ts';

export interface JwksOptions {
  readonly issuer: string;
  readonly jwksUrl?: string;
  /** how soon an unknown key id may make the keys be read again */
  readonly cooldownMs?: number;
  readonly now?: () => number;
}

const TIMEOUT_MS = 5000;
const RETRY_DISCOVERY_MS = 5000;
const METADATA_LIMIT_BYTES = 256 * 1024;

/** Keys could not be had: the token is neither good nor bad. */
export class KeysUnavailable extends Error {}

export function createKeySource(options: JwksOptions): JWTVerifyGetKey {
  const now = options.now ?? Date.now;
  let keys: Promise<JWTVerifyGetKey> | undefined;
  let failedAt = Number.NEGATIVE_INFINITY;

  const find = (): Promise<JWTVerifyGetKey> => {
    if (keys !== undefined) return keys;
    if (now() - failedAt < RETRY_DISCOVERY_MS)
      return Promise.reject(new KeysUnavailable('discovery failed a moment ago'));
    const found = (options.jwksUrl === undefined ? discover(options.issuer) : Promise.resolve(options.jwksUrl)).then(
      (url) =>
        createRemoteJWKSet(new URL(url), {
          timeoutDuration: TIMEOUT_MS,
          cooldownDuration: options.cooldownMs ?? 30_000,
        })
    );
    keys = found;
    found.catch(() => {
      keys = undefined;
      failedAt = now();
    });
    return found;
  };

  return async (header, token) => (await find())(header, token);
}

async function discover(issuer: string): Promise<string> {
  for (const url of metadataUrls(issuer)) {
    const metadata = await readJson(url);
    const jwksUri = metadata?.issuer === issuer ? metadata.jwks_uri : undefined;
    if (typeof jwksUri === 'string' && mayFetch(jwksUri)) return jwksUri;
  }
  throw new KeysUnavailable('no metadata of the issuer names usable keys');
}

/** In the order that MCP clients try them. */
export function metadataUrls(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/+$/, '');
  const urls = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}/.well-known/openid-configuration${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ];
  return [...new Set(urls)];
}

function mayFetch(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(hostname));
}

async function readJson(url: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const response = await fetch(url, {
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: { accept: 'application/json' },
    });
    if (response.status !== 200 || response.body === null) {
      await response.body?.cancel();
      return undefined;
    }
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for await (const part of response.body as AsyncIterable<Uint8Array>) {
      bytes += part.byteLength;
      if (bytes > METADATA_LIMIT_BYTES) return undefined;
      parts.push(part);
    }
    const parsed: unknown = JSON.parse(Buffer.concat(parts).toString());
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
