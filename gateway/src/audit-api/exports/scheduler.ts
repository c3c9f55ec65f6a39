/**
 * Runs schedules: closes windows whose time is over and whose records are all here, makes them oldest first, tries again
 * what failed, looks for rows that came late. One at a time. What it decides is in the state file before it is done, so
 * that whatever ends the process, the next one goes on where this one was.
 */
import { DestinationProblem } from '../../exports/destination.ts';
import type { ExportPlan, ExportProgress } from '../../exports/export-plan.ts';
import { ExportRefused } from '../../exports/export-refused.ts';
import { timesOf } from '../../exports/timing.ts';
import type { SecretBox } from '../../exports/sealed-secret.ts';
import type { Logger } from '../../logger.ts';
import type { AccessEntry, AccessRecorder } from '../../record/access.ts';
import { gatewayReports, holdersOf } from '../../store/queries/export-windows.ts';
import { ApiError } from '../api-error.ts';
import type { ApiClock } from '../clock.ts';
import { NEVER_MS, type ExportRunRow, type ExportRuns, type RunOwner } from '../state/export-runs.ts';
import type { ExportSchedules, ScheduleRow } from '../state/export-schedules.ts';
import type { Visibility } from '../visibility.ts';
import { destinationOf, type DestinationDeps, type DestinationSecret } from './destinations.ts';
import { exportDetail } from './export-request.ts';
import type { ScheduleStanding, Scheduler } from './exports.ts';
import { lookForLateRows, rangesOf, rangesText } from './late-rows.ts';
import { makeWindow, WindowStillMoves, type ScheduledRunDeps } from './scheduled-run.ts';
import type { OwnerRights } from './schedule-owner.ts';

export interface SchedulerDeps extends ScheduledRunDeps {
  readonly schedules: ExportSchedules;
  readonly runs: ExportRuns;
  readonly destinations: DestinationDeps;
  readonly secrets: SecretBox;
  readonly ownerRights: (schedule: ScheduleRow) => Promise<OwnerRights>;
  /** from what is kept about filters to those of a query */
  readonly planOf: (schedule: ScheduleRow, run: ExportRunRow, visibility: Visibility) => Promise<ExportPlan>;
  readonly accessRecorder: AccessRecorder;
  readonly clock: ApiClock;
  readonly logger: Logger;
}

const NS_PER_MS = 1_000_000n;
/** Calls that began before the end of a window end a little later, mostly. */
const SETTLE_MS = 60_000;
/** Windows of one schedule taken at once after a long time away. */
const MOST_WINDOWS = 200;
const FIRST_RETRY_MS = 30_000;
const LONGEST_RETRY_MS = 3_600_000;

export function createScheduler(deps: SchedulerDeps): Scheduler {
  const { schedules, runs, clock, logger } = deps;
  const standings = new Map<string, ScheduleStanding>();
  let current:
    { readonly runId: string; readonly progress: ExportProgress; readonly stop: AbortController } | undefined;
  let ticking: Promise<void> = Promise.resolve();
  let closed = false;
  const now = (): string => new Date(clock.wallMs()).toISOString();

  const lookAt = async (schedule: ScheduleRow, atOnce: boolean): Promise<void> => {
    const visibility = await ownerSight(schedule);
    if (visibility === undefined) return;
    standings.set(schedule.id, { heldBy: await closeWindows(schedule, visibility) });
    for (const run of runs.open(schedule.id)) {
      if (closed) return;
      if (!atOnce && run.nextAttemptMs > clock.wallMs()) return;
      // windows are made in order, so that each manifest can name the one before
      if (!(await make(schedule.id, run.id))) return;
    }
    await lookForLateRows(deps, schedule.id, visibility);
  };

  /** Asked before each window: many may wait, and each may take long. @returns undefined: nothing is exported now */
  const ownerSight = async (schedule: ScheduleRow): Promise<Visibility | undefined> => {
    const rights = await deps.ownerRights(schedule);
    if ('visibility' in rights) return rights.visibility;
    if ('unknown' in rights) {
      standings.set(schedule.id, { waits: rights.unknown, heldBy: [] });
      return undefined;
    }
    const isNew = standings.get(schedule.id)?.stopped === undefined;
    standings.set(schedule.id, { stopped: rights.stopped, heldBy: [] });
    if (isNew) await recordStop(schedule);
    return undefined;
  };

  const recordStop = async ({ id, name, owner, content: { request } }: ScheduleRow): Promise<void> => {
    const action = request.payloads ? 'export.payloads' : 'export.metadata';
    await deps.accessRecorder
      .record({
        ...actorOf(owner),
        action,
        decision: 'refused',
        reason: request.payloads ? 'not_auditor' : 'not_admin',
        detail: { schedule: id, name, phase: 'stopped' },
      })
      .catch(() => logger.error('access_record_failed', { action, decision: 'refused' }));
  };

  /** @returns gateways that hold the next one */
  const closeWindows = async (schedule: ScheduleRow, visibility: Visibility): Promise<readonly string[]> => {
    const times = timesOf(schedule.content.timing, schedule.content.timeZone);
    if (times === undefined) return [];
    let from = schedule.closedTo;
    for (let count = 0; count < MOST_WINDOWS; count++) {
      const toMs = times.next(Number(from / NS_PER_MS));
      if (toMs === undefined || toMs + SETTLE_MS > clock.wallMs()) return [];
      const toNs = BigInt(toMs) * NS_PER_MS;
      const holders = holdersOf(await gatewayReports(deps.source.reader, visibility), toNs, schedule.released);
      if (holders.length > 0) return holders;
      const { owner, content, name } = schedule;
      schedules.together(() => {
        // changed or removed meanwhile: look again at the next tick
        if (schedules.find(schedule.id)?.closedTo !== from) return;
        runs.add({
          kind: 'scheduled',
          scheduleId: schedule.id,
          scheduleName: name,
          owner,
          request: content.request,
          fromNs: from,
          toNs,
        });
        schedules.close(schedule.id, toNs);
      });
      from = toNs;
    }
    return [];
  };

  /** @returns whether it is done */
  const make = async (scheduleId: string, runId: string): Promise<boolean> => {
    const schedule = schedules.find(scheduleId);
    const run = runs.find(runId);
    if (schedule === undefined || run === undefined || schedule.paused) return false;
    const visibility = await ownerSight(schedule);
    if (visibility === undefined) return false;
    const stop = new AbortController();
    const progress: ExportProgress = { rows: 0, bytes: 0, payloadBytes: 0 };
    current = { runId, progress, stop };
    // what the schedule says now, since it may have been changed after the window was closed
    const { request } = schedule.content;
    const attempts = run.attempts + 1;
    runs.change(runId, {
      state: 'running',
      startedAt: now(),
      attempts,
      request,
      owner: schedule.owner,
      nextAttemptMs: 0,
      problem: '',
    });
    const action = request.payloads ? 'export.payloads' : 'export.metadata';
    const record = (phase: string): Promise<void> =>
      deps.accessRecorder.record({
        ...actorOf(schedule.owner),
        action,
        decision: 'allowed',
        rows: progress.rows,
        bytes: progress.payloadBytes,
        detail: { ...exportDetail(runId, request, run), schedule: scheduleId, supplement: run.supplement, phase },
      });
    try {
      await record('started');
      const planned = await deps.planOf(schedule, run, visibility);
      const late = run.supplement === 0 ? undefined : rangesOf(run.positions);
      const plan = late === undefined ? planned : { ...planned, positions: late };
      const destination = destinationOf(schedule.content.destination, secretOf(schedule), deps.destinations);
      const made = await makeWindow(deps, {
        schedule,
        run,
        plan,
        destination,
        progress,
        signal: stop.signal,
        ...(late === undefined ? {} : { late }),
      });
      schedules.together(() => {
        runs.change(runId, {
          state: 'done',
          rows: progress.rows,
          bytes: progress.bytes,
          endedAt: now(),
          objects: made.objects,
          manifest: made.manifest,
          manifestName: made.manifestName,
          ...(run.supplement === 0 ? { positions: rangesText(made.positions) } : {}),
        });
        if (run.supplement === 0) schedules.vouched(scheduleId, made.signature);
      });
      await record('done').catch(() => logger.error('access_record_failed', { action, decision: 'allowed' }));
      return true;
    } catch (error) {
      if (closed) {
        runs.change(runId, { state: 'pending' });
        return false;
      }
      const problem = stop.signal.aborted ? 'Somebody ended it. “Run now” makes it again.' : problemOf(error);
      const waitMs = Math.min(FIRST_RETRY_MS * 2 ** Math.min(attempts - 1, 10), LONGEST_RETRY_MS);
      const nextAttemptMs = stop.signal.aborted ? NEVER_MS : clock.wallMs() + waitMs;
      runs.change(runId, {
        state: 'retrying',
        problem,
        nextAttemptMs,
        rows: progress.rows,
        bytes: progress.bytes,
        endedAt: now(),
      });
      logger.warn('export_window_failed', { attempts, class: error instanceof Error ? error.name : typeof error });
      await record('failed').catch(() => undefined);
      return false;
    } finally {
      current = undefined;
    }
  };

  const secretOf = ({ id, secret }: ScheduleRow): DestinationSecret =>
    secret === '' ? {} : (JSON.parse(deps.secrets.open(secret, id)) as DestinationSecret);

  const tick = async (atOnce: readonly string[]): Promise<void> => {
    for (const schedule of schedules.list()) {
      if (closed) return;
      if (schedule.paused) continue;
      try {
        await lookAt(schedule, atOnce.includes(schedule.id));
        // supplements found just now
        await lookAt(schedules.find(schedule.id) ?? schedule, false);
      } catch (error) {
        standings.set(schedule.id, { heldBy: [], waits: problemOf(error) });
        logger.error('export_schedule_failed', { class: error instanceof Error ? error.name : typeof error });
      }
    }
  };

  return {
    tick(atOnce = []) {
      const done = ticking.then(() => tick(atOnce));
      ticking = done.catch(() => undefined);
      return done;
    },
    standing: (id) => standings.get(id) ?? { heldBy: [] },
    progressOf: (runId) => (current?.runId === runId ? current.progress : undefined),
    cancel: (runId) => {
      if (current?.runId !== runId) return false;
      current.stop.abort();
      return true;
    },
    async close() {
      closed = true;
      current?.stop.abort();
      await ticking;
    },
  };
}

function actorOf({
  userKey,
  kind,
  name,
}: RunOwner): Pick<AccessEntry, 'actorKey' | 'actorKind' | 'actorName' | 'roles'> {
  return { actorKey: userKey, actorKind: kind, actorName: kind === 'token' ? name : '', roles: [] };
}

function problemOf(error: unknown): string {
  if (error instanceof DestinationProblem || error instanceof ExportRefused || error instanceof ApiError)
    return error.message;
  if (error instanceof WindowStillMoves) return 'Records of this window came while it was made. It is made again.';
  if (error instanceof TypeError && error.message.startsWith('a sealed secret')) {
    return 'The credentials do not open any more: the keys of the data directory are others. Give them again.';
  }
  return 'It broke off for a reason that is in the log of the audit API by class. It is tried again.';
}
