/**
 * The users of a ClickHouse server, from provisioning/clickhouse/users.sql: profiles, quotas, grants. Passwords never
 * reach the server in clear, nor the terminal: statements carry a salted hash, and a plan carries a placeholder.
 * The embedded store has the same users by embedded/permissions.ts; a test holds the two together.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { splitStatements } from './sql-lexer.ts';

export const SERVER_USERS = ['gatelens_ingest', 'gatelens_payload_ingest', 'gatelens_api', 'grafana_reader'] as const;
export type ServerUser = (typeof SERVER_USERS)[number];
/** in clear */
export type UserPasswords = Readonly<Record<ServerUser, string>>;

const FILE = fileURLToPath(new URL('../../../provisioning/clickhouse/users.sql', import.meta.url));

/** @param views what `grafana_reader` may read @returns statements with placeholders of the DDL, but none of its own */
export function userStatements(
  views: readonly string[],
  identified: (user: ServerUser) => string,
  file: string = FILE
): string[] {
  const text = readFileSync(file, 'utf8')
    .replaceAll('{{grafana_views}}', () => views.map((view) => `SELECT ON ${view}`).join(', '))
    .replaceAll(/\{\{identified:(\w+)\}\}/g, (_, user: string) => identified(user as ServerUser));
  return splitStatements(text);
}

/** For the server: a hash that is worth nothing without the password. */
export function identifiedBy(passwords: UserPasswords): (user: ServerUser) => string {
  return (user) => {
    const salt = randomBytes(16).toString('hex');
    const hash = createHash('sha256').update(`${passwords[user]}${salt}`).digest('hex');
    return `IDENTIFIED WITH sha256_hash BY '${hash}' SALT '${salt}'`;
  };
}

/** For people to read. */
export function identifiedHidden(user: ServerUser): string {
  return `IDENTIFIED WITH sha256_password BY '(password of ${user})'`;
}
