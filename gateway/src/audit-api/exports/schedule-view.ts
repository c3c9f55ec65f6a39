/** From what is kept about a schedule to what the contract says of it, for this caller, with how it stands. */
import type { ExportProgress } from '../../exports/export-plan.ts';
import { timesOf, timingInWords } from '../../exports/timing.ts';
import type { Principals } from '../call-view.ts';
import type { ExportSchedule } from '../contract.ts';
import type { ExportRunRow } from '../state/export-runs.ts';
import type { ScheduleRow } from '../state/export-schedules.ts';
import { formatInstant } from '../time-range.ts';
import type { Visibility } from '../visibility.ts';
import { exportRefusal } from '../visibility.ts';
import { ownerView, runView } from './run-view.ts';
import type { ScheduleStanding } from './exports.ts';

export interface ScheduleViewContext {
  readonly visibility: Visibility;
  readonly principals: Principals;
  readonly standing: ScheduleStanding;
  readonly lastRun: ExportRunRow | undefined;
  readonly progress: ExportProgress | undefined;
  /** not over, oldest first */
  readonly open: readonly ExportRunRow[];
}

export function scheduleView(schedule: ScheduleRow, context: ScheduleViewContext): ExportSchedule {
  const { visibility, principals, lastRun, progress } = context;
  const { request, timing, timeZone, destination, objectName, recipients } = schedule.content;
  const next = timesOf(timing, timeZone)?.next(Number(schedule.closedTo / 1_000_000n));
  const mayChange = exportRefusal(visibility, request.payloads) === undefined;
  return {
    id: schedule.id,
    version: schedule.version,
    name: schedule.name,
    owner: ownerView(schedule.owner, visibility, principals),
    filters: request.filters as ExportSchedule['filters'],
    format: request.format,
    compression: request.compression,
    columns: [...request.columns],
    payloads: request.payloads,
    timing,
    timingInWords: timingInWords(timing, timeZone),
    timeZone,
    destination,
    objectName,
    recipients: [...recipients],
    ...stateOf(schedule, context),
    closedTo: formatInstant(schedule.closedTo),
    nextRunAt: next === undefined || schedule.paused ? null : new Date(next).toISOString(),
    lastRun: lastRun === undefined ? null : runView(lastRun, visibility, principals, progress),
    createdAt: schedule.createdAt,
    changedAt: schedule.changedAt,
    mayChange,
    mayPause: exportRefusal(visibility, false) === undefined,
  };
}

function stateOf(
  { paused }: ScheduleRow,
  { standing, open }: ScheduleViewContext
): Pick<ExportSchedule, 'state' | 'stateReason' | 'heldBy'> {
  const heldBy = [...standing.heldBy];
  if (paused) return { state: 'paused', stateReason: 'What happens meanwhile is exported once it goes on.', heldBy };
  if (standing.stopped !== undefined) return { state: 'stopped', stateReason: standing.stopped, heldBy };
  const failed = open.find(({ state }) => state === 'retrying');
  if (failed !== undefined) return { state: 'retrying', stateReason: failed.problem, heldBy };
  if (standing.waits !== undefined) return { state: 'retrying', stateReason: standing.waits, heldBy };
  if (heldBy.length === 0) return { state: 'active', stateReason: null, heldBy };
  const who = heldBy.length === 1 ? `The gateway ${heldBy[0] ?? ''} has` : `${heldBy.length} gateways have`;
  return {
    state: 'held',
    stateReason: `${who} not reported that all records of the window are here. Start it again; if it is gone for good, let the schedule go on without it.`,
    heldBy,
  };
}
