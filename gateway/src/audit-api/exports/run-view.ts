/** From what is kept about an export to what the contract says of it, with how far it is by now. */
import type { ExportProgress } from '../../exports/export-plan.ts';
import { principalsOf } from '../../store/queries/principals.ts';
import type { QueryOptions, StoreReader } from '../../store/queries/reader.ts';
import type { Principals } from '../call-view.ts';
import { orNull, userView } from '../call-view.ts';
import type { ExportRun } from '../contract.ts';
import { NEVER_MS, type ExportRunRow, type RunOwner } from '../state/export-runs.ts';
import { formatInstant } from '../time-range.ts';
import type { Visibility } from '../visibility.ts';

export async function ownersOf(
  store: StoreReader,
  visibility: Visibility,
  owners: readonly RunOwner[],
  options: QueryOptions = {}
): Promise<Principals> {
  return principalsOf(
    store,
    visibility,
    owners.map(({ userKey }) => userKey),
    options
  );
}

export function ownerView(
  { name, userKey }: RunOwner,
  visibility: Visibility,
  principals: Principals
): ExportRun['by'] {
  return { name, user: userView(userKey, visibility, principals) };
}

export function runView(
  run: ExportRunRow,
  visibility: Visibility,
  principals: Principals,
  progress: ExportProgress | undefined
): ExportRun {
  const { filters, format, compression, columns, payloads } = run.request;
  return {
    id: run.id,
    kind: run.kind,
    scheduleId: orNull(run.scheduleId),
    scheduleName: orNull(run.scheduleName),
    state: run.state,
    by: ownerView(run.owner, visibility, principals),
    from: formatInstant(run.fromNs),
    to: formatInstant(run.toNs),
    filters: filters as ExportRun['filters'],
    format,
    compression,
    columns: [...columns],
    payloads,
    supplement: run.supplement === 0 ? null : run.supplement,
    expectedRows: run.expectedRows ?? null,
    rows: progress?.rows ?? run.rows,
    bytes: progress?.bytes ?? run.bytes,
    startedAt: orNull(run.startedAt),
    endedAt: orNull(run.endedAt),
    attempts: run.attempts,
    nextAttemptAt:
      run.nextAttemptMs === 0 || run.nextAttemptMs === NEVER_MS ? null : new Date(run.nextAttemptMs).toISOString(),
    problem: orNull(run.problem),
    objects: run.objects.map((object) => ({ ...object })),
    manifestName: orNull(run.manifestName),
  };
}
