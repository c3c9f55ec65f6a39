/** Stops a caller who may not see, or not change, the settings. The refusal is recorded. */
import type { Context } from 'hono';
import type { AccessAction } from '../record/access.ts';
import { ApiError } from './api-error.ts';
import type { ApiEnv, RouteDeps } from './deps.ts';
import { accessActor } from './deps.ts';

const MESSAGE = {
  read: 'Only admins and auditors see the settings.',
  change: 'Only Grafana Admins change the settings, in Grafana. Automation tokens and auditors read them.',
} as const;

/** Throws ApiError `forbidden`. */
export async function requireSettings(
  c: Context<ApiEnv>,
  deps: RouteDeps,
  wanted: 'read' | 'change',
  action: AccessAction
): Promise<void> {
  const { settings } = c.get('visibility');
  if (settings === 'change' || settings === wanted) return;
  await deps.refusals.refused({ ...accessActor(c), action, reason: 'not_admin' });
  throw new ApiError('forbidden', MESSAGE[wanted], { reason: 'not_admin' });
}
