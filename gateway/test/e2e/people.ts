/**
 * Who calls and who looks: API keys of users and tokens of every role, random in each run, as hashes for the
 * configuration and in the clear for the clients.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { ConfigInput } from '../../src/config/schema.ts';

type ApiKeys = NonNullable<NonNullable<ConfigInput['auth']>['apiKeys']>;
type Tokens = NonNullable<NonNullable<ConfigInput['auditApi']>['tokens']>;

function secret(prefix: string): { readonly text: string; readonly sha256: string } {
  const text = `${prefix}${randomBytes(32).toString('base64url')}`;
  return { text, sha256: createHash('sha256').update(text).digest('hex') };
}

export class People {
  readonly apiKeys: ApiKeys = [];
  readonly tokens: Tokens = [];
  readonly #secrets = new Map<string, string>();

  /** @returns the key */
  addKey(name: string, more: Partial<ApiKeys[number]> = {}): string {
    const { text, sha256 } = secret('gl_');
    this.apiKeys.push({ name, sha256, ...more });
    this.#secrets.set(name, text);
    return text;
  }

  /** @returns the token */
  addToken(name: string, role: Tokens[number]['role'], more: Partial<Tokens[number]> = {}): string {
    const { text, sha256 } = secret('gla_');
    this.tokens.push({ name, role, sha256, ...more });
    this.#secrets.set(name, text);
    return text;
  }

  /** The key or token of this name. */
  of(name: string): string {
    const text = this.#secrets.get(name);
    if (text === undefined) throw new Error(`nobody is called ${name}`);
    return text;
  }
}
