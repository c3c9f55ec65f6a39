/**
 * `/exports`: what is filtered, as a file, now: as a stream or from a one-time address. Who may comes first, then the
 * access record, then the first byte. Leaving ends the query in the store.
 */
import type { Context } from 'hono';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { EXPORT_COLUMNS } from '../../exports/columns.ts';
import { PARQUET_ROWS } from '../../exports/formats.ts';
import { payloadSize, slicesOf } from '../../store/queries/export-rows.ts';
import type { Position } from '../../store/queries/audit-log.ts';
import { ApiError, badParameter } from '../api-error.ts';
import {
  addDownloadRoute,
  downloadRoute,
  exportEstimateRoute,
  exportOptionsRoute,
  exportStreamRoute,
} from '../contract.ts';
import type { ApiEnv, RouteDeps } from '../deps.ts';
import { accessActor } from '../deps.ts';
import { nowNs } from '../clock.ts';
import { planExport, requireExport, runOwner } from '../exports/export-request.ts';
import type { PlannedExport } from '../exports/exports.ts';
import type { FileHead } from '../exports/file-tail.ts';
import { fileName } from '../exports/running-exports.ts';
import { fileResponse } from '../exports/send-file.ts';
import type { ExportRunRow, NewRun } from '../state/export-runs.ts';
import { formatInstant, parseInstant } from '../time-range.ts';
import { exportRefusal } from '../visibility.ts';

/** Of one row as JSON without payloads, all columns; others in proportion to how many there are. */
const ROW_BYTES = 1350;

export function registerExports(api: OpenAPIHono<ApiEnv>, deps: RouteDeps): void {
  const { tickets, runs } = deps.exporting;

  api.openapi(exportOptionsRoute, async (c) => {
    const visibility = await requireExport(c, deps, { payloads: false, action: 'export.read' });
    return c.json(
      {
        may: { metadata: true, payloads: exportRefusal(visibility, true) === undefined },
        columns: EXPORT_COLUMNS.map((column) => ({ ...column })),
        destinations: deps.exporting.destinations.configured.map(({ name, type, destination }) => ({
          name,
          type,
          where: destination.where,
        })),
        privateAddresses: deps.exporting.destinations.allowPrivate,
        signingKey: { keyId: deps.exporting.signer.keyId, publicKeyPem: deps.exporting.signingKeyPem },
      },
      200
    );
  });

  api.openapi(exportEstimateRoute, async (c) => {
    const asked = c.req.valid('json');
    const visibility = await requireExport(c, deps, { payloads: asked.payloads, action: 'export.read' });
    const { signal } = c.req.raw;
    const { plan } = await planExport(deps, visibility, asked, { signal });
    const { reader } = deps.exporting.source;
    const cut = { rowsASlice: Number.MAX_SAFE_INTEGER, nowNs: nowNs(deps.clock) };
    const [slices, sealed] = await Promise.all([
      slicesOf(reader, visibility, plan, cut, { signal }),
      plan.payloads ? payloadSize(reader, visibility, plan, { signal }) : undefined,
    ]);
    const rows = slices.reduce((sum, slice) => sum + slice.rows, 0);
    const perRow = (ROW_BYTES * plan.columns.length) / EXPORT_COLUMNS.length;
    const warnings = [
      ...(rows === 0 ? ['Nothing fits these filters: the file would be empty.'] : []),
      ...(plan.format === 'parquet' && rows > PARQUET_ROWS
        ? [
            `A Parquet file has ${PARQUET_ROWS} rows at most. Narrow the range, or use gatelens export, which makes several.`,
          ]
        : []),
      ...(sealed !== undefined && sealed.rows < rows
        ? [`${rows - sealed.rows} of ${rows} rows have no payload that you can open; they say why.`]
        : []),
    ];
    return c.json(
      {
        from: formatInstant(plan.window.fromNs),
        to: formatInstant(plan.window.toNs),
        rows,
        bytes: Math.round(rows * perRow) + (sealed?.bytes ?? 0),
        payloadBytes: sealed?.bytes ?? null,
        payloadRows: sealed?.rows ?? null,
        warnings,
      },
      200
    );
  });

  api.openapi(exportStreamRoute, async (c) => {
    requireGet(c);
    const { from, to, format, compression, columns, payloads, after, have, ...filters } = c.req.valid('query');
    const asked = { from, to, format, compression, columns, payloads: payloads === 'true', filters };
    const visibility = await requireExport(c, deps, asked);
    const planned = await planExport(deps, visibility, asked, { signal: c.req.raw.signal });
    const position = after === undefined ? {} : { after: positionOf(after, nowNs(deps.clock)) };
    const plan = { ...planned.plan, ...position };
    return send(c, { ...planned, plan }, newRun(c, planned, 'stream'), have === undefined ? undefined : headOf(have));
  });

  api.openapi(addDownloadRoute, async (c) => {
    const asked = c.req.valid('json');
    const visibility = await requireExport(c, deps, asked);
    const planned = await planExport(deps, visibility, asked, { signal: c.req.raw.signal });
    const run = runs.add(newRun(c, planned, 'download'));
    const issued = tickets.issue(runOwner(c.get('caller')).subject, { planned, run });
    if (issued === undefined) {
      throw new ApiError('limit_reached', 'Too many downloads wait to be fetched. Try again in a minute.');
    }
    return c.json(
      {
        url: downloadRoute.path.replace('{ticket}', issued.ticket),
        fileName: fileName(planned.plan, run),
        expiresAt: new Date(issued.expiresMs).toISOString(),
        runId: run.id,
      },
      201
    );
  });

  api.openapi(downloadRoute, async (c) => {
    requireGet(c);
    // rights may have gone meanwhile
    await requireExport(c, deps, { payloads: false });
    const found = tickets.redeem(runOwner(c.get('caller')).subject, c.req.valid('param').ticket);
    if (found === undefined) {
      throw new ApiError(
        'not_found',
        'This address was used, is older than a minute, or is not yours. Make another one.'
      );
    }
    const { planned, run } = found;
    if (runs.find(run.id)?.state !== 'pending')
      throw new ApiError('conflict', 'This export was cancelled. Export again.');
    try {
      const visibility = await requireExport(c, deps, planned.plan);
      return await send(c, { ...planned, plan: { ...planned.plan, visibility } }, run);
    } catch (error) {
      // its address is used up
      if (runs.find(run.id)?.state === 'pending') {
        const problem = error instanceof ApiError ? error.message : 'It could not be started. Export again.';
        runs.change(run.id, { state: 'failed', problem, endedAt: new Date(deps.clock.wallMs()).toISOString() });
      }
      throw error;
    }
  });

  function newRun(c: Context<ApiEnv>, { plan, request }: PlannedExport, kind: NewRun['kind']): NewRun {
    return { kind, owner: runOwner(c.get('caller')), request, ...plan.window };
  }

  async function send(
    c: Context<ApiEnv>,
    { plan }: PlannedExport,
    run: ExportRunRow | NewRun,
    head?: FileHead
  ): Promise<Response> {
    const { signal } = c.req.raw;
    const begin = { plan, run, actor: accessActor(c), signal };
    const started = await deps.exporting.running.start(head === undefined ? begin : { ...begin, head });
    return fileResponse(plan, started, fileName(plan, run));
  }
}

/** HEAD comes here, too: it would make a file that nobody takes, and keep its place. */
function requireGet(c: Context<ApiEnv>): void {
  if (c.req.raw.method !== 'GET')
    throw new ApiError('invalid_request', 'Files are made when they are fetched. Use GET.');
}

function headOf(have: string): FileHead {
  const [bytes = '', sha256 = ''] = have.split('~');
  return { bytes: Number(bytes), sha256 };
}

function positionOf(after: string, now: bigint): Position {
  const [time = '', callId = ''] = after.split('~');
  const startedNs = parseInstant(time, now);
  if (startedNs === undefined) throw badParameter('after', 'use <started_at>~<call_id> of the last whole row');
  return { startedNs, callId };
}
