/**
 * Who a user_key is, and which user_key a login has. Reads `mcp_protected.principals`, which is erasable: a person who
 * was erased is a key without a name. Only for callers that may see other people's identities.
 */
import type { Visibility } from './visibility.ts';
import type { QueryOptions, StoreReader } from './reader.ts';
import { QUERY_SETTINGS } from './reader.ts';

export interface PrincipalRow {
  readonly user_key: string;
  readonly email: string;
  readonly login: string;
  readonly name: string;
}

const BY_KEY = `SELECT user_key, email, login, name
FROM mcp_protected.principals FINAL
WHERE user_key IN {userKeys:Array(String)}
${QUERY_SETTINGS}`;

const BY_LOGIN = `SELECT DISTINCT user_key
FROM mcp_protected.principals FINAL
WHERE lowerUTF8(login) IN {logins:Array(String)}
LIMIT 1000
${QUERY_SETTINGS}`;

/** @returns by user_key; keys that nobody is known for are left out */
export async function principalsOf(
  store: StoreReader,
  visibility: Visibility,
  userKeys: Iterable<string>,
  options: QueryOptions = {}
): Promise<ReadonlyMap<string, PrincipalRow>> {
  const wanted = [...new Set(userKeys)].filter((key) => key !== '');
  if (!visibility.identities || wanted.length === 0) return new Map();
  const rows = await store.query<PrincipalRow>(BY_KEY, { userKeys: wanted }, options);
  return new Map(rows.map((row) => [row.user_key, row]));
}

/** @param logins in lower case */
export async function userKeysOfLogins(
  store: StoreReader,
  visibility: Visibility,
  logins: readonly string[],
  options: QueryOptions = {}
): Promise<string[]> {
  if (!visibility.identities || logins.length === 0) return [];
  const rows = await store.query<{ user_key: string }>(BY_LOGIN, { logins }, options);
  return rows.map((row) => row.user_key);
}
