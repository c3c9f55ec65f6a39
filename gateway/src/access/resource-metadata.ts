/**
 * What an MCP client needs to find its way to the authorization server: the protected-resource document of RFC 9728 and
 * the challenge that points to it (MCP authorization, RFC 6750 §3). Only where `auth.jwt` is configured; API keys have
 * no discovery.
 */
import { formatHostPort, type HostPort } from './address.ts';

export const RESOURCE_METADATA_PREFIX = '/.well-known/oauth-protected-resource';

export interface ResourceMetadataOptions {
  /** without a trailing slash */
  readonly publicUrl: string;
  readonly issuer: string;
  readonly requiredScopes: readonly string[];
}

export interface ProtectedResource {
  readonly resource: string;
  readonly authorization_servers: readonly string[];
  readonly bearer_methods_supported: readonly ['header'];
  readonly resource_name: string;
  readonly scopes_supported?: readonly string[];
}

/** Where clients reach the MCP listener, without a trailing slash. */
export function publicUrlOf(config: {
  readonly http: { readonly publicUrl?: string };
  readonly listen: { readonly mcp: HostPort };
}): string {
  if (config.http.publicUrl !== undefined) return config.http.publicUrl.replace(/\/+$/, '');
  const { host, port } = config.listen.mcp;
  const reachable = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${formatHostPort({ host: reachable, port })}`;
}

/** @param resourcePath `/mcp/<server>`, or `` for the whole gateway */
export function protectedResource(options: ResourceMetadataOptions, resourcePath: string): ProtectedResource {
  return {
    resource: `${options.publicUrl}${resourcePath}`,
    authorization_servers: [options.issuer],
    bearer_methods_supported: ['header'],
    resource_name: 'Gatelens MCP gateway',
    ...(options.requiredScopes.length === 0 ? {} : { scopes_supported: options.requiredScopes }),
  };
}

/** RFC 9728 §3.1: the well-known part stands between host and path, also where `publicUrl` has a path of its own. */
export function resourceMetadataUrl(publicUrl: string, resourcePath: string): string {
  const { origin, pathname } = new URL(publicUrl);
  return `${origin}${RESOURCE_METADATA_PREFIX}${pathname === '/' ? '' : pathname.replace(/\/+$/, '')}${resourcePath}`;
}

export type ChallengeError = 'invalid_token' | 'insufficient_scope';

/**
 * `WWW-Authenticate`. Without credentials in the request there is no `error` (RFC 6750 §3.1).
 * @param options undefined where no authorization server is configured
 */
export function challenge(
  options: ResourceMetadataOptions | undefined,
  resourcePath: string,
  error?: ChallengeError
): string {
  const parts = ['realm="gatelens"'];
  if (error !== undefined) parts.push(`error="${error}"`);
  if (options !== undefined) {
    parts.push(`resource_metadata="${headerSafe(resourceMetadataUrl(options.publicUrl, resourcePath))}"`);
    if (options.requiredScopes.length > 0) parts.push(`scope="${headerSafe(options.requiredScopes.join(' '))}"`);
  }
  return `Bearer ${parts.join(', ')}`;
}

/** The path comes from a request: nothing of it may end the quoted text or the header. */
function headerSafe(text: string): string {
  return text.replace(/[^\x20-\x7e]|["\\]/g, (character) => encodeURIComponent(character));
}
