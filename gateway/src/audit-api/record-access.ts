/**
 * Puts what a caller is about to get into the access log, and gives nothing out when that fails. Refusals go through
 * refusal-log.ts.
 */
import type { AccessEntry } from '../record/access.ts';
import { ApiError } from './api-error.ts';
import type { RouteDeps } from './deps.ts';

/** Resolves when the record is on disk. Throws ApiError `not_recorded`: then give nothing out. */
export async function recordAccess(
  deps: Pick<RouteDeps, 'accessRecorder' | 'logger'>,
  entry: AccessEntry
): Promise<void> {
  try {
    await deps.accessRecorder.record(entry);
  } catch {
    deps.logger.error('access_record_failed', { action: entry.action, decision: entry.decision });
    throw new ApiError(
      'not_recorded',
      'This access could not be recorded, so nothing is given out. Check the data directory of the audit API (space, rights), then try again.',
      { reason: 'not_recorded' }
    );
  }
}
