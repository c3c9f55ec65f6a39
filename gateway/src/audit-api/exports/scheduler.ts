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
import type { AccessRecorder } from '../../record/access.ts';
import {
  gatewayReports,
  holdersOf,
  lateRows,
  positionsOf,
  positionsWithout,
} from '../../store/queries/export-windows.ts';
import type { SeqRange } from '../../store/queries/export-rows.ts';
import { ApiError } from '../api-error.ts';
import type { ApiClock } from '../clock.ts';
import { NEVER_MS, type ExportRunRow, type ExportRuns } from '../state/export-runs.ts';
import type { ExportSchedules, ScheduleRow } from '../state/export-schedules.ts';
import type { Visibility } from '../visibility.ts';
import { destinationOf, type DestinationDeps, type DestinationSecret } from './destinations.ts';
import { exportDetail } from './export-request.ts';
import type { ScheduleStanding, Scheduler } from './exports.ts';
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
/** How long rows that come late are looked for. */
const LATE_MS = 7 * 86_400_000;
/** The clocks of store and audit API may differ by as much. */
const LATE_SLACK_MS = 600_000;

export function createScheduler(deps: SchedulerDeps): Scheduler {
  const { schedules, runs, clock, logger } = deps;
  const standings = new Map<string, ScheduleStanding>();
  let current:
    { readonly runId: string; readonly progress: ExportProgress; readonly stop: AbortController } | undefined;
  let ticking: Promise<void> = Promise.resolve();
  let closed = false;
  const now = (): string => new Date(clock.wallMs()).toISOString();

  const lookAt = async (schedule: ScheduleRow, atOnce: boolean): Promise<void> => {
    const rights = await deps.ownerRights(schedule);
    if ('stopped' in rights) {
      standings.set(schedule.id, { stopped: rights.stopped, heldBy: [] });
      return;
    }
    if ('unknown' in rights) {
      standings.set(schedule.id, { waits: rights.unknown, heldBy: [] });
      return;
    }
    standings.set(schedule.id, { heldBy: await closeWindows(schedule, rights.visibility) });
    for (const run of runs.open(schedule.id)) {
      if (closed) return;
      if (!atOnce && run.nextAttemptMs > clock.wallMs()) return;
      // windows are made in order, so that each manifest can name the one before
      if (!(await make(schedule.id, run.id, rights.visibility))) return;
    }
    await lookForLateRows(schedule.id, rights.visibility);
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
  const make = async (scheduleId: string, runId: string, visibility: Visibility): Promise<boolean> => {
    const schedule = schedules.find(scheduleId);
    const run = runs.find(runId);
    if (schedule === undefined || run === undefined || schedule.paused) return false;
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
        actorKey: schedule.owner.userKey,
        actorKind: schedule.owner.kind,
        actorName: schedule.owner.kind === 'token' ? schedule.owner.name : '',
        roles: [],
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

  const lookForLateRows = async (scheduleId: string, visibility: Visibility): Promise<void> => {
    const schedule = schedules.find(scheduleId);
    if (schedule === undefined) return;
    const startedMs = clock.wallMs();
    const floor = BigInt(startedMs - LATE_MS) * NS_PER_MS;
    const known = runs.closedSince(scheduleId, floor);
    const windows = known.filter(({ supplement }) => supplement === 0);
    const [first] = windows;
    if (first === undefined) return;
    const since = schedule.lateCheckedMs === 0 ? 0 : schedule.lateCheckedMs - LATE_SLACK_MS;
    const found = await lateRows(
      deps.source.reader,
      visibility,
      { fromNs: first.fromNs, toNs: schedule.closedTo },
      since
    );
    for (const window of found === undefined ? [] : windows) {
      if (found === undefined || window.toNs <= found.fromNs || window.fromNs >= found.toNs) continue;
      const exported = rangesOf(window.positions);
      const late = positionsWithout(await positionsOf(deps.source.reader, visibility, window), exported);
      if (late.length === 0) continue;
      const { owner, content, name } = schedule;
      const number = known.filter(({ supplement, fromNs }) => supplement > 0 && fromNs === window.fromNs).length + 1;
      schedules.together(() => {
        const added = runs.add({
          kind: 'scheduled',
          scheduleId,
          scheduleName: name,
          owner,
          request: content.request,
          fromNs: window.fromNs,
          toNs: window.toNs,
          supplement: number,
        });
        runs.change(added.id, { positions: rangesText(late) });
        runs.change(window.id, { positions: rangesText([...exported, ...late]) });
      });
    }
    schedules.lateChecked(scheduleId, startedMs);
  };

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

function problemOf(error: unknown): string {
  if (error instanceof DestinationProblem || error instanceof ExportRefused || error instanceof ApiError)
    return error.message;
  if (error instanceof WindowStillMoves) return 'Records of this window came while it was made. It is made again.';
  if (error instanceof TypeError && error.message.startsWith('a sealed secret')) {
    return 'The credentials do not open any more: the keys of the data directory are others. Give them again.';
  }
  return 'It broke off for a reason that is in the log of the audit API by class. It is tried again.';
}

const rangesText = (ranges: readonly SeqRange[]): string =>
  JSON.stringify(ranges.map(({ chainId, fromSeq, toSeq }) => [chainId, `${fromSeq}`, `${toSeq}`]));

/** In order, as they are compared. */
function rangesOf(text: string): SeqRange[] {
  if (text === '') return [];
  return (JSON.parse(text) as [string, string, string][])
    .map(([chainId, from, to]) => ({ chainId, fromSeq: BigInt(from), toSeq: BigInt(to) }))
    .sort((a, b) => (a.chainId === b.chainId ? (a.fromSeq < b.fromSeq ? -1 : 1) : a.chainId < b.chainId ? -1 : 1));
}
