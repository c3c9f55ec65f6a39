/**
 * From what people type for a user (e-mail, login, user key) to user keys. E-mails are hashed, so no table is scanned and
 * none needs to hold them. Logins are looked up only for callers who may see other people; for everybody else a name
 * that is not their own finds nothing, whether it exists or not.
 */
import { isEmail, normalizeEmail, principalOfKey } from '../access/identity.ts';
import type { Pseudonyms } from '../protection/seams.ts';
import { userKeysOfLogins } from '../store/queries/principals.ts';
import type { QueryOptions, StoreReader } from '../store/queries/reader.ts';
import { NONE } from './contract/filters.ts';
import type { Visibility } from './visibility.ts';

const USER_KEY = /^[0-9a-f]{32}$/;

export interface UserFilterDeps {
  readonly store: StoreReader;
  readonly pseudonyms: Pick<Pseudonyms, 'hash'>;
}

/** @returns undefined when nobody was asked for; an empty list when nobody is known by these names */
export async function resolveUsers(
  deps: UserFilterDeps,
  visibility: Visibility,
  users: readonly string[] | undefined,
  options: QueryOptions = {}
): Promise<string[] | undefined> {
  if (users === undefined) return undefined;
  const named = users.map((user) => user.trim()).filter((user) => user !== NONE);
  const keys = named.map((user) => keyOf(user, deps.pseudonyms));
  const logins = named.filter((user) => !isEmail(user) && !USER_KEY.test(user));
  if (named.length < users.length) keys.push('');
  keys.push(
    ...(await userKeysOfLogins(
      deps.store,
      visibility,
      logins.map((login) => login.toLowerCase()),
      options
    ))
  );
  return [...new Set(keys)];
}

/** Whether a name that somebody typed is this person, as far as can be told without looking anybody up. */
export function namesUser(user: string, userKey: string, pseudonyms: Pick<Pseudonyms, 'hash'>): boolean {
  const named = user.trim();
  return userKey !== '' && named !== NONE && keyOf(named, pseudonyms) === userKey;
}

/** An API key without a person is its own subject, `key:<name>`. */
function keyOf(user: string, pseudonyms: Pick<Pseudonyms, 'hash'>): string {
  if (USER_KEY.test(user)) return user;
  if (isEmail(user)) return pseudonyms.hash('user', normalizeEmail(user));
  return pseudonyms.hash('user', user.startsWith('key:') ? user : principalOfKey('', user).subject);
}
