/**
 * The demo's API keys and its token of the audit API: made in the data directory as `api-keys create` would, for a day,
 * and taken out again when the demo is over. The secrets live in memory only.
 */
import { apiKeyFile } from '../access/api-keys.ts';
import { auditTokenFile } from '../access/audit-tokens.ts';
import { addCredential, forgetCredential, type StoredCredential } from '../access/credential-file.ts';
import { createSecret, hashSecret } from '../access/secrets.ts';
import { PEOPLE, type Person } from './people.ts';

export interface DemoCredentials {
  /** `gl_…` of a person */
  readonly apiKeyOf: (person: Person) => string;
  /** role admin: metadata of everybody, no payloads */
  readonly auditToken: string;
  readonly forget: () => void;
}

const LIFETIME_MS = 86_400_000;
const TOKEN_NAME = 'demo-summary';

/** @throws GatelensError `data_dir_unusable` */
export function makeDemoCredentials(dataDir: string, now: Date): DemoCredentials {
  const keyFile = apiKeyFile(dataDir);
  const tokenFile = auditTokenFile(dataDir);
  const expires = new Date(now.getTime() + LIFETIME_MS).toISOString();
  const secrets = new Map<string, string>();

  const put = (file: string, secret: string, more: Omit<StoredCredential, 'sha256' | 'createdAt' | 'expires'>) => {
    // One that was left by a demo that was killed.
    forgetCredential(file, more.name);
    addCredential(file, { ...more, sha256: hashSecret(secret), createdAt: now.toISOString(), expires });
    secrets.set(more.name, secret);
    return secret;
  };

  for (const person of Object.values<Person>(PEOPLE)) {
    const { key, user, teams } = person;
    put(keyFile, createSecret('gl_'), { name: key, teams: [...teams], ...(user === undefined ? {} : { user }) });
  }
  const auditToken = put(tokenFile, createSecret('gla_'), { name: TOKEN_NAME, role: 'admin' });

  return {
    apiKeyOf: ({ key }) => secrets.get(key) ?? createSecret('gl_'),
    auditToken,
    forget: () => {
      for (const { key } of Object.values(PEOPLE)) forgetCredential(keyFile, key);
      forgetCredential(tokenFile, TOKEN_NAME);
    },
  };
}
