/** What keys, tokens, servers and rules may be called: safe in URLs, logs, metadata and on a command line. */
export const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Roles of automation tokens; what each may see is decided in audit-api/visibility.ts. */
export const TOKEN_ROLES = ['viewer', 'admin', 'auditor'] as const;
export type TokenRole = (typeof TOKEN_ROLES)[number];
