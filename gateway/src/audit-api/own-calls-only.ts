/**
 * What somebody who sees their own calls only is refused: to ask for other people's by name, or for one call or session
 * that is not among their own. The refusal is recorded; it is the same, after the same work, for people and calls that
 * exist and for those that do not. The queries behind would give nothing out either: their scope is not made here.
 */
import type { Context } from 'hono';
import type { AccessAction } from '../record/access.ts';
import type { CallFilter } from '../store/queries/scope.ts';
import type { QueryOptions } from '../store/queries/reader.ts';
import { ApiError } from './api-error.ts';
import { callFilter } from './call-filter.ts';
import type { CallFilterQuery } from './contract/filters.ts';
import type { ApiEnv, RouteDeps } from './deps.ts';
import { accessActor } from './deps.ts';
import { namesUser } from './user-filter.ts';
import type { Visibility } from './visibility.ts';

const CALL_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The filter of a request. Throws ApiError `forbidden` when `user` names others whose calls are not the caller's to see. */
export async function askedFilter(
  c: Context<ApiEnv>,
  deps: RouteDeps,
  visibility: Visibility,
  query: CallFilterQuery,
  options: QueryOptions & { readonly action: AccessAction }
): Promise<CallFilter> {
  const { action } = options;
  const scope = visibility[action === 'usage.read' ? 'usage' : 'calls'];
  const isOwn = (user: string): boolean => namesUser(user, visibility.userKey, deps.pseudonyms);
  if (scope !== 'all' && query.user?.every(isOwn) === false) {
    await deps.refusals.refused({ ...accessActor(c), action, reason: 'other_user' });
    throw new ApiError(
      'forbidden',
      'You see your own calls only, and `user` names somebody else. Leave it out, or ask an admin or auditor.',
      { reason: 'other_user' }
    );
  }
  return callFilter(deps, visibility, query, options);
}

/** Records that somebody who sees their own calls only asked for one that is none of them. @param id as it was asked for */
export async function noteNotOwn(c: Context<ApiEnv>, deps: RouteDeps, id: string): Promise<void> {
  if (c.get('visibility').calls === 'all') return;
  const target = CALL_ID.test(id) ? { targetCallId: id } : {};
  await deps.refusals.refused({ ...accessActor(c), ...target, action: 'calls.read', reason: 'not_own' });
}
