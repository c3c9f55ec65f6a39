/** Who called, in words: the best name that the reader may see, else the short form of the key. */
import type { Call, User } from '../data/contract.ts';

const KEY_CHARS = 8;

export function userName(user: User | null): string {
  if (user === null) return 'unknown';
  return user.email ?? user.login ?? user.name ?? `user ${user.key.slice(0, KEY_CHARS)}`;
}

/** For a row: the key stands in for a person whom nobody knows. */
export function callerName({ user, keyName }: Pick<Call, 'user' | 'keyName'>): string {
  const isNamed = user?.email !== undefined || user?.login !== undefined || user?.name !== undefined;
  return keyName === null || isNamed ? userName(user) : `key: ${keyName}`;
}

/** What a filter on the user takes. */
export function userFilterValue(user: User | null): string {
  return user === null ? '(none)' : (user.email ?? user.key);
}

/** What was called: the tool, prompt or resource, where there is one. */
export function callTarget(call: Pick<Call, 'tool' | 'prompt' | 'resourceUri'>): string | undefined {
  return call.tool ?? call.prompt ?? call.resourceUri ?? undefined;
}

export function callTitle(call: Pick<Call, 'operation' | 'tool' | 'prompt' | 'resourceUri'>): string {
  const target = callTarget(call);
  return target === undefined ? call.operation : `${call.operation} · ${target}`;
}
