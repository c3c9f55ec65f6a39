/** Stops a caller who may see nothing at all, with the reason, before the store is asked. The refusal is recorded. */
import type { Context } from 'hono';
import type { AccessAction } from '../record/access.ts';
import { ApiError } from './api-error.ts';
import type { ApiEnv } from './deps.ts';
import { accessActor } from './deps.ts';
import type { RefusalLog } from './refusal-log.ts';
import type { Visibility } from './visibility.ts';
import { explain } from './visibility.ts';

/** @returns what the caller may see, which is something */
export async function requireSight(
  c: Context<ApiEnv>,
  refusals: RefusalLog,
  action: AccessAction
): Promise<Visibility> {
  const visibility = c.get('visibility');
  const reason = visibility.nothingBecause;
  if (reason === undefined) return visibility;
  await refusals.refused({ ...accessActor(c), action, reason });
  throw new ApiError('forbidden', explain(visibility, c.get('caller').kind).join(' '), { reason });
}
