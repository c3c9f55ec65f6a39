/**
 * The automation tokens of the audit API: those of the configuration together with those that `gatelens tokens create`
 * put into the data directory. Only lists them by hash; finding one and judging it is the audit API's business.
 */
import type { Logger } from '../logger.ts';
import type { StoredCredential } from './credential-file.ts';
import { createCredentialSource } from './credential-source.ts';
import type { TokenRole } from './names.ts';

export interface AuditTokenEntry {
  readonly name: string;
  readonly role: TokenRole;
  readonly user?: string;
  readonly servers?: readonly string[];
  readonly sha256: string;
  /** ISO 8601 */
  readonly expires?: string;
}

export interface AuditTokens {
  /** not the revoked ones; whoever asks looks at `expires` */
  list(): readonly AuditTokenEntry[];
}

export function auditTokenFile(dataDir: string): string {
  return `${dataDir}/keys/audit-tokens.json`;
}

export function createAuditTokens(options: {
  readonly configured: readonly AuditTokenEntry[];
  /** `<dataDir>/keys/audit-tokens.json` */
  readonly file: string;
  readonly logger: Logger;
}): AuditTokens {
  const source = createCredentialSource(options.file, options.logger);
  let from: readonly StoredCredential[] | undefined;
  let tokens: readonly AuditTokenEntry[] = options.configured;
  return {
    list() {
      const stored = source.list();
      if (stored !== from) {
        from = stored;
        tokens = [...options.configured, ...stored.flatMap(entryOf)];
      }
      return tokens;
    },
  };
}

/** An entry without a role was made by no command of ours and opens nothing. */
function entryOf({ name, role, user, servers, sha256, expires, revokedAt }: StoredCredential): AuditTokenEntry[] {
  if (role === undefined || revokedAt !== undefined) return [];
  return [
    {
      name,
      role,
      sha256,
      ...(user === undefined ? {} : { user }),
      ...(servers === undefined ? {} : { servers }),
      ...(expires === undefined ? {} : { expires }),
    },
  ];
}
