/** `/exports/runs`: exports of everybody, how far they are and what became of them, for admins and auditors. */
import type { Context } from 'hono';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { ApiError } from '../api-error.ts';
import type { ExportManifest, ExportRun } from '../contract.ts';
import { cancelExportRunRoute, exportManifestRoute, exportRunRoute, exportRunsRoute } from '../contract.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import type { ApiEnv, RouteDeps } from '../deps.ts';
import { accessActor } from '../deps.ts';
import { requireExport } from '../exports/export-request.ts';
import { ownersOf, runView } from '../exports/run-view.ts';
import { recordAccess } from '../record-access.ts';
import type { ExportRunRow } from '../state/export-runs.ts';

export function registerExportRuns(api: OpenAPIHono<ApiEnv>, deps: RouteDeps): void {
  const { runs, running, scheduler, tickets } = deps.exporting;
  const progressOf = (id: string) => running.progressOf(id) ?? scheduler.progressOf(id);

  const view = async (c: Context<ApiEnv>, rows: readonly ExportRunRow[]): Promise<ExportRun[]> => {
    const visibility = c.get('visibility');
    const { signal } = c.req.raw;
    const principals = await ownersOf(
      deps.store,
      visibility,
      rows.map(({ owner }) => owner),
      { signal }
    );
    return rows.map((row) => runView(row, visibility, principals, progressOf(row.id)));
  };
  const viewOne = async (c: Context<ApiEnv>, row: ExportRunRow): Promise<ExportRun> => {
    const visibility = c.get('visibility');
    const principals = await ownersOf(deps.store, visibility, [row.owner], { signal: c.req.raw.signal });
    return runView(row, visibility, principals, progressOf(row.id));
  };
  const find = (id: string): ExportRunRow => {
    tickets.sweep();
    const run = runs.find(id);
    if (run === undefined) throw new ApiError('not_found', 'There is no such export. /api/v1/exports/runs lists them.');
    return run;
  };

  api.openapi(exportRunsRoute, async (c) => {
    await requireExport(c, deps, { payloads: false, action: 'export.read' });
    tickets.sweep();
    const { scheduleId, unscheduled, limit, cursor } = c.req.valid('query');
    const before = cursor === undefined ? {} : { before: Number(decodeCursor(cursor).startedNs) };
    const of = {
      ...(scheduleId === undefined ? {} : { scheduleId }),
      ...(unscheduled === undefined ? {} : { unscheduled: true }),
    };
    const rows = runs.page({ ...of, ...before, limit: limit + 1 });
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    const nextCursor =
      rows.length <= limit || last === undefined ? null : encodeCursor({ startedNs: BigInt(last.number), callId: '' });
    return c.json({ items: await view(c, shown), nextCursor }, 200);
  });

  api.openapi(exportRunRoute, async (c) => {
    await requireExport(c, deps, { payloads: false, action: 'export.read' });
    return c.json(await viewOne(c, find(c.req.valid('param').id)), 200);
  });

  api.openapi(cancelExportRunRoute, async (c) => {
    await requireExport(c, deps, { payloads: false, action: 'export.change' });
    const run = find(c.req.valid('param').id);
    if (run.state === 'done' || run.state === 'failed' || run.state === 'cancelled') {
      throw new ApiError('conflict', 'This export is over already.');
    }
    await recordAccess(deps, {
      ...accessActor(c),
      action: 'export.change',
      decision: 'allowed',
      detail: { run: run.id, change: 'cancel' },
    });
    if (!running.cancel(run.id) && !scheduler.cancel(run.id)) {
      if (run.kind === 'scheduled') throw new ApiError('conflict', 'It does not run just now. Pause its schedule.');
      runs.change(run.id, { state: 'cancelled', endedAt: new Date(deps.clock.wallMs()).toISOString() });
    }
    return c.json(await viewOne(c, { ...find(run.id), state: 'cancelled' }), 200);
  });

  api.openapi(exportManifestRoute, async (c) => {
    await requireExport(c, deps, { payloads: false, action: 'export.read' });
    const { manifest } = find(c.req.valid('param').id);
    if (manifest === '') throw new ApiError('not_found', 'This export has no manifest: it is not done.');
    return c.json(JSON.parse(manifest) as ExportManifest, 200);
  });
}
