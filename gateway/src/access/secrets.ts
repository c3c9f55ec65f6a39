/**
 * Makes and hashes the secrets that Gatelens gives out: API keys of MCP clients (`gl_…`) and tokens of the audit API
 * (`gla_…`). 256 random bits each, so a plain SHA-256 is a safe thing to store: there is nothing to guess. Keeps nothing.
 */
import { createHash, randomBytes } from 'node:crypto';

export const API_KEY_PREFIX = 'gl_';
export const AUDIT_TOKEN_PREFIX = 'gla_';
/** Longer than any secret made here; what is longer is not even hashed. */
export const LONGEST_SECRET_CHARACTERS = 256;

export function createSecret(prefix: typeof API_KEY_PREFIX | typeof AUDIT_TOKEN_PREFIX): string {
  return `${prefix}${randomBytes(32).toString('base64url')}`;
}

/** @returns 64 hex digits */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
