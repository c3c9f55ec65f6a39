/**
 * `/exports/schedules` and the test of a destination. A schedule with payloads belongs to an auditor: only auditors make
 * it, change it or let it go on; admins may pause it. Each change is recorded before it holds; secrets never come out.
 */
import { randomUUID } from 'node:crypto';
import type { Context } from 'hono';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { chosenColumns } from '../../exports/columns.ts';
import { DestinationProblem, testDestination } from '../../exports/destination.ts';
import { isRecipient } from '../../exports/encryption.ts';
import { DEFAULT_OBJECT_NAME, templateProblem } from '../../exports/object-name.ts';
import { timesOf, timingInWords, type Timing } from '../../exports/timing.ts';
import { ApiError, badParameter } from '../api-error.ts';
import type { DestinationTest, ExportSchedule } from '../contract.ts';
import {
  addExportScheduleRoute,
  changeExportScheduleRoute,
  exportScheduleRoute,
  exportSchedulesRoute,
  pauseExportScheduleRoute,
  previewExportTimingRoute,
  releaseExportScheduleRoute,
  removeExportScheduleRoute,
  resumeExportScheduleRoute,
  runExportScheduleRoute,
  testDestinationRoute,
} from '../contract.ts';
import type { ApiEnv, RouteDeps } from '../deps.ts';
import { accessActor } from '../deps.ts';
import { nowNs } from '../clock.ts';
import {
  destinationOf,
  keptDestination,
  type DestinationSecret,
  type KeptDestination,
} from '../exports/destinations.ts';
import { planExport, requireExport, runOwner, type AskedExport } from '../exports/export-request.ts';
import { ownersOf } from '../exports/run-view.ts';
import { scheduleView } from '../exports/schedule-view.ts';
import { recordAccess } from '../record-access.ts';
import type { ScheduleContent, ScheduleRow } from '../state/export-schedules.ts';
import { parseInstant } from '../time-range.ts';

const NS_PER_MS = 1_000_000n;
const TEST_TIMEOUT_MS = 60_000;
const MOST_SCHEDULES = 200;

interface AskedSchedule extends Omit<AskedExport, 'from' | 'to'> {
  readonly timing: Timing;
  readonly timeZone: string;
  readonly destination: Parameters<typeof keptDestination>[0];
  readonly objectName?: string | undefined;
  readonly recipients: readonly string[];
}

export function registerExportSchedules(api: OpenAPIHono<ApiEnv>, deps: RouteDeps): void {
  const { schedules, runs, scheduler, secrets, destinations } = deps.exporting;
  const now = (): string => new Date(deps.clock.wallMs()).toISOString();

  const find = (id: string): ScheduleRow => {
    const found = schedules.find(id);
    if (found !== undefined) return found;
    throw new ApiError('not_found', 'There is no such schedule. /api/v1/exports/schedules lists them.');
  };
  const view = async (c: Context<ApiEnv>, schedule: ScheduleRow): Promise<ExportSchedule> => {
    const visibility = c.get('visibility');
    const [lastRun] = runs.page({ scheduleId: schedule.id, limit: 1 });
    const owners = [schedule.owner, ...(lastRun === undefined ? [] : [lastRun.owner])];
    const principals = await ownersOf(deps.store, visibility, owners, { signal: c.req.raw.signal });
    const standing = scheduler.standing(schedule.id);
    const progress = lastRun === undefined ? undefined : scheduler.progressOf(lastRun.id);
    return scheduleView(schedule, {
      visibility,
      principals,
      standing,
      lastRun,
      progress,
      open: runs.open(schedule.id),
    });
  };
  const record = (
    c: Context<ApiEnv>,
    change: string,
    schedule: { readonly id?: string; readonly name: string },
    more: object = {}
  ) =>
    recordAccess(deps, {
      ...accessActor(c),
      action: 'export.change',
      decision: 'allowed',
      detail: { change, name: schedule.name, ...(schedule.id === undefined ? {} : { schedule: schedule.id }), ...more },
    });
  const secretOf = ({ id, secret }: ScheduleRow): DestinationSecret => {
    if (secret === '') return {};
    try {
      return JSON.parse(secrets.open(secret, id)) as DestinationSecret;
    } catch {
      return {};
    }
  };
  const sealed = (id: string, secret: DestinationSecret): string =>
    Object.keys(secret).length === 0 ? '' : secrets.seal(JSON.stringify(secret), id);

  const contentOf = async (
    c: Context<ApiEnv>,
    asked: AskedSchedule,
    before?: KeptDestination
  ): Promise<{ content: ScheduleContent; secret: DestinationSecret }> => {
    const visibility = c.get('visibility');
    const { timing, timeZone, objectName = DEFAULT_OBJECT_NAME, recipients } = asked;
    if (timesOf(timing, timeZone) === undefined) {
      throw badParameter(
        'timing',
        'no such time: use a time zone like Europe/Berlin, and for cron five fields that come true'
      );
    }
    const problem = templateProblem(objectName);
    if (problem !== undefined) throw badParameter('objectName', problem);
    for (const recipient of recipients) {
      if (!(await isRecipient(recipient)))
        throw badParameter('recipients', 'has a key that is none; use age1… as age-keygen prints it');
    }
    const kept = keptDestination(asked.destination, before);
    requireDestination(kept, asked.format);
    const window = { fromNs: 0n, toNs: 1n };
    const { request } = await planExport(deps, visibility, asked, { window, signal: c.req.raw.signal });
    const columns = chosenColumns(asked.columns);
    return {
      content: { request: { ...request, columns }, timing, timeZone, destination: kept.view, objectName, recipients },
      secret: kept.secret,
    };
  };

  const requireDestination = (kept: KeptDestination, format: string): void => {
    const { view } = kept;
    const type =
      view.type === 'configured' ? destinations.configured.find(({ name }) => name === view.name)?.type : view.type;
    if (type === undefined)
      throw badParameter('destination', 'there is none of this name; /api/v1/exports/options lists them');
    if (type === 'https' && format !== 'jsonl') throw badParameter('format', 'an https destination takes jsonl');
    try {
      destinationOf(view, kept.secret, destinations);
    } catch (error) {
      if (error instanceof DestinationProblem) throw badParameter('destination', error.message);
      throw error;
    }
  };

  api.openapi(exportSchedulesRoute, async (c) => {
    await requireExport(c, deps, { payloads: false, action: 'export.read' });
    return c.json({ items: await Promise.all(schedules.list().map((one) => view(c, one))) }, 200);
  });

  api.openapi(exportScheduleRoute, async (c) => {
    await requireExport(c, deps, { payloads: false, action: 'export.read' });
    return c.json(await view(c, find(c.req.valid('param').id)), 200);
  });

  api.openapi(previewExportTimingRoute, async (c) => {
    await requireExport(c, deps, { payloads: false, action: 'export.read' });
    const { timing, timeZone } = c.req.valid('json');
    const times = timesOf(timing, timeZone);
    if (times === undefined)
      throw badParameter(
        'timing',
        'no such time: use a time zone like Europe/Berlin, and for cron five fields that come true'
      );
    const next: string[] = [];
    for (let at = times.next(deps.clock.wallMs()); at !== undefined && next.length < 5; at = times.next(at)) {
      next.push(new Date(at).toISOString());
    }
    return c.json({ inWords: timingInWords(timing, timeZone), next }, 200);
  });

  api.openapi(addExportScheduleRoute, async (c) => {
    const { name, startFrom, ...asked } = c.req.valid('json');
    await requireExport(c, deps, { payloads: asked.payloads, action: 'export.change' });
    const { content, secret } = await contentOf(c, asked);
    if (schedules.list().length >= MOST_SCHEDULES)
      throw new ApiError('conflict', `There are ${MOST_SCHEDULES} schedules. Remove one first.`);
    const closedTo = startOf(startFrom, content, deps);
    await record(c, 'add', { name }, shownOf(content));
    const owner = runOwner(c.get('caller'));
    const added = schedules.add({ name, owner, content, closedTo }, (id) => sealed(id, secret), now());
    return c.json(await view(c, added), 201);
  });

  api.openapi(changeExportScheduleRoute, async (c) => {
    const { name, version, ...asked } = c.req.valid('json');
    await requireExport(c, deps, { payloads: asked.payloads, action: 'export.change' });
    const before = find(c.req.valid('param').id);
    await requireExport(c, deps, { payloads: before.content.request.payloads, action: 'export.change' });
    if (version !== before.version) throw changedMeanwhile();
    const { content, secret } = await contentOf(c, asked, {
      view: before.content.destination,
      secret: secretOf(before),
    });
    await record(c, 'change', before, shownOf(content));
    const next = { name, owner: runOwner(c.get('caller')), content, secret: sealed(before.id, secret) };
    if (!schedules.change(before.id, version, next, now())) throw changedMeanwhile();
    return c.json(await view(c, find(before.id)), 200);
  });

  api.openapi(removeExportScheduleRoute, async (c) => {
    await requireExport(c, deps, { payloads: false, action: 'export.change' });
    const schedule = find(c.req.valid('param').id);
    await requireExport(c, deps, { payloads: schedule.content.request.payloads, action: 'export.change' });
    await record(c, 'remove', schedule);
    schedules.remove(schedule.id);
    return c.body(null, 204);
  });

  api.openapi(pauseExportScheduleRoute, async (c) => {
    await requireExport(c, deps, { payloads: false, action: 'export.change' });
    const schedule = find(c.req.valid('param').id);
    await record(c, 'pause', schedule);
    schedules.pause(schedule.id, true, now());
    return c.json(await view(c, find(schedule.id)), 200);
  });

  api.openapi(resumeExportScheduleRoute, async (c) => {
    await requireExport(c, deps, { payloads: false, action: 'export.change' });
    const schedule = find(c.req.valid('param').id);
    await requireExport(c, deps, { payloads: schedule.content.request.payloads, action: 'export.change' });
    await record(c, 'resume', schedule);
    schedules.pause(schedule.id, false, now());
    return c.json(await view(c, find(schedule.id)), 200);
  });

  api.openapi(runExportScheduleRoute, async (c) => {
    await requireExport(c, deps, { payloads: false, action: 'export.change' });
    const schedule = find(c.req.valid('param').id);
    if (schedule.paused) throw new ApiError('conflict', 'It is paused. Let it go on first.');
    await record(c, 'run', schedule);
    void scheduler.tick([schedule.id]);
    return c.json(await view(c, schedule), 200);
  });

  api.openapi(releaseExportScheduleRoute, async (c) => {
    await requireExport(c, deps, { payloads: false, action: 'export.change' });
    const schedule = find(c.req.valid('param').id);
    const { gateways } = c.req.valid('json');
    await record(c, 'release', schedule, { gateways });
    schedules.release(schedule.id, [...new Set([...schedule.released, ...gateways])]);
    return c.json(await view(c, find(schedule.id)), 200);
  });

  api.openapi(testDestinationRoute, async (c) => {
    await requireExport(c, deps, { payloads: false, action: 'export.change' });
    const { destination: asked, scheduleId } = c.req.valid('json');
    const schedule = scheduleId === undefined ? undefined : find(scheduleId);
    const before =
      schedule === undefined ? undefined : { view: schedule.content.destination, secret: secretOf(schedule) };
    const kept = keptDestination(asked, before);
    await record(c, 'test', { name: schedule?.name ?? '' }, { type: kept.view.type });
    return c.json(await testOf(kept), 200);
  });

  async function testOf(kept: KeptDestination): Promise<DestinationTest> {
    try {
      const destination = destinationOf(kept.view, kept.secret, destinations);
      const name = `gatelens-test-${randomUUID()}.jsonl`;
      const steps = await testDestination(destination, name, AbortSignal.timeout(TEST_TIMEOUT_MS));
      return { ok: steps.every(({ state }) => state !== 'failed'), steps };
    } catch (error) {
      if (!(error instanceof DestinationProblem)) throw error;
      return { ok: false, steps: [{ step: 'address', state: 'failed', message: error.message }] };
    }
  }
}

function changedMeanwhile(): ApiError {
  return new ApiError('conflict', 'Somebody else changed this schedule meanwhile. Read it again, then change it.');
}

function startOf(startFrom: string | undefined, { timing, timeZone }: ScheduleContent, deps: RouteDeps): bigint {
  const now = nowNs(deps.clock);
  if (startFrom === undefined) {
    const last = timesOf(timing, timeZone)?.last(deps.clock.wallMs()) ?? deps.clock.wallMs();
    return BigInt(last) * NS_PER_MS;
  }
  const start = parseInstant(startFrom, now);
  if (start === undefined || start > now)
    throw badParameter('startFrom', 'must be a time that has been, e.g. 2026-11-01T00:00:00Z');
  // whole milliseconds, as every other window begins
  return (start / NS_PER_MS) * NS_PER_MS;
}

/** For the access log: what and where to, without secrets and without text that may name a person. */
function shownOf({ request, destination, recipients }: ScheduleContent): object {
  const where =
    destination.type === 'configured'
      ? destination.name
      : destination.type === 's3'
        ? `${destination.endpoint ?? 'aws'} ${destination.bucket}`
        : new URL(destination.url).origin;
  return {
    payloads: request.payloads,
    format: request.format,
    columns: request.columns.length,
    filters: Object.keys(request.filters),
    destination: `${destination.type} ${where}`,
    recipients: recipients.length,
  };
}
