/**
 * Makes the files of one window and puts them where they belong: parts first, the manifest that vouches for them last. If
 * rows came while it was written, it is written again: what the manifest says is exactly what the files hold.
 */
import { createHash } from 'node:crypto';
import type { Destination } from '../../exports/destination.ts';
import { encryptedTo } from '../../exports/encryption.ts';
import { exportFile } from '../../exports/export-file.ts';
import type { ExportPlan, ExportProgress, ExportSource } from '../../exports/export-plan.ts';
import { extensionOf, PARQUET_ROWS } from '../../exports/formats.ts';
import { manifestText, signManifest, type Manifest, type ManifestSigner } from '../../exports/manifest.ts';
import { objectName } from '../../exports/object-name.ts';
import { chainsOfRows, slicesOf, type SeqRange } from '../../store/queries/export-rows.ts';
import { positionsOf, positionsWithout } from '../../store/queries/export-windows.ts';
import type { TimeWindow } from '../../store/queries/scope.ts';
import type { ExportRunRow, RunObject } from '../state/export-runs.ts';
import type { ScheduleRow } from '../state/export-schedules.ts';
import { formatInstant } from '../time-range.ts';

export interface ScheduledRunDeps {
  readonly source: ExportSource;
  readonly signer: ManifestSigner;
  readonly version: string;
  readonly nowMs: () => number;
}

export interface WindowToMake {
  readonly schedule: ScheduleRow;
  readonly run: ExportRunRow;
  readonly plan: ExportPlan;
  readonly destination: Destination;
  /** of a supplement: where its rows stand */
  readonly late?: readonly SeqRange[];
  readonly progress: ExportProgress;
  readonly signal: AbortSignal;
}

export interface MadeWindow {
  readonly objects: readonly RunObject[];
  readonly manifest: string;
  readonly manifestName: string;
  readonly signature: string;
  /** every position that the window has by now */
  readonly positions: readonly SeqRange[];
}

const ATTEMPTS = 3;

/** Rows came in each time it was made. */
export class WindowStillMoves extends Error {}

export async function makeWindow(deps: ScheduledRunDeps, window: WindowToMake): Promise<MadeWindow> {
  const { plan, progress, signal } = window;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    Object.assign(progress, { rows: 0, bytes: 0, payloadBytes: 0 });
    const before = await positionsOf(deps.source.reader, plan.visibility, plan.window, { signal });
    const made = await makeParts(deps, window);
    const after = await positionsOf(deps.source.reader, plan.visibility, plan.window, { signal });
    const came = positionsWithout(after, before).length + positionsWithout(before, after).length;
    // rows that come while a supplement is written are not in it, and go into the next
    if (came === 0 || window.late !== undefined)
      return { ...made, positions: window.late === undefined ? after : before };
  }
  throw new WindowStillMoves();
}

async function makeParts(deps: ScheduledRunDeps, window: WindowToMake): Promise<Omit<MadeWindow, 'positions'>> {
  const { schedule, run, plan, destination, progress, signal } = window;
  const { recipients, objectName: template } = schedule.content;
  const extension = `${extensionOf(plan)}${recipients.length === 0 ? '' : '.age'}`;
  const { fromNs, toNs, supplement } = run;
  const nameOf = (part: number): string =>
    objectName(template, { schedule: schedule.name, fromNs, toNs, supplement, part, extension });
  const objects: RunObject[] = [];
  for (const [index, part] of (await partsOf(deps, plan, signal)).entries()) {
    const name = nameOf(index + 1);
    const own: ExportProgress = { rows: 0, bytes: 0, payloadBytes: 0 };
    const hash = createHash('sha256');
    let bytes = 0;
    const earlier = { ...progress };
    const content = async function* (): AsyncGenerator<Buffer> {
      for await (const piece of encryptedTo(
        exportFile({ ...plan, window: part }, deps.source, own, signal),
        recipients
      )) {
        hash.update(piece);
        bytes += piece.length;
        Object.assign(progress, {
          rows: earlier.rows + own.rows,
          bytes: earlier.bytes + bytes,
          payloadBytes: earlier.payloadBytes + own.payloadBytes,
        });
        yield piece;
      }
    };
    await destination.write(name, content(), {
      contentType: recipients.length > 0 ? 'application/octet-stream' : 'application/x-ndjson',
      compression: recipients.length > 0 ? 'none' : plan.compression,
      idempotencyKey: `${schedule.id}/${fromNs}/${toNs}/${supplement}/${index + 1}`,
      signal,
    });
    progress.rows = earlier.rows + own.rows;
    objects.push({ name, rows: own.rows, bytes, sha256: hash.digest('hex') });
  }
  const manifest = await manifestOf(deps, window, objects);
  const text = manifestText(manifest);
  const manifestName = `${nameOf(1)}.manifest.json`;
  await destination.write(manifestName, once(Buffer.from(text)), {
    contentType: 'application/json',
    compression: 'none',
    idempotencyKey: `${schedule.id}/${fromNs}/${toNs}/${supplement}/manifest`,
    signal,
  });
  return { objects, manifest: text, manifestName, signature: manifest.signature.value };
}

/** One part, but for Parquet, which is in memory until its end. */
async function partsOf(deps: ScheduledRunDeps, plan: ExportPlan, signal: AbortSignal): Promise<TimeWindow[]> {
  if (plan.format !== 'parquet') return [plan.window];
  const cut = { rowsASlice: PARQUET_ROWS, nowNs: deps.source.nowNs() };
  const slices = await slicesOf(deps.source.reader, plan.visibility, plan, cut, { signal });
  return slices.length === 0 ? [plan.window] : slices;
}

async function manifestOf(
  deps: ScheduledRunDeps,
  window: WindowToMake,
  objects: readonly RunObject[]
): Promise<Manifest> {
  const { schedule, run, plan, signal } = window;
  const { filters, columns, format, compression, payloads } = run.request;
  const { recipients } = schedule.content;
  return signManifest(
    {
      version: 1,
      producer: `gatelens ${deps.version}`,
      schedule: { id: schedule.id, name: schedule.name },
      window: { from: formatInstant(run.fromNs), to: formatInstant(run.toNs) },
      previous: run.supplement > 0 || schedule.previous === '' ? null : schedule.previous,
      supplement: run.supplement === 0 ? null : run.supplement,
      filters: filters as Manifest['filters'],
      columns: [...columns],
      format,
      compression,
      encryption: recipients.length === 0 ? 'none' : 'age',
      recipients: [...recipients],
      payloads,
      rows: objects.reduce((sum, one) => sum + one.rows, 0),
      bytes: objects.reduce((sum, one) => sum + one.bytes, 0),
      parts: objects.map((one) => ({ ...one })),
      chains: await chainsOfRows(deps.source.reader, plan.visibility, plan, { signal }),
      createdAt: new Date(deps.nowMs()).toISOString(),
    },
    deps.signer
  );
}

// eslint-disable-next-line @typescript-eslint/require-await -- a source of one piece
async function* once(content: Buffer): AsyncGenerator<Buffer> {
  yield content;
}
