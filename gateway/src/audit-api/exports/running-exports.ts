/**
 * Exports that run in this process: made known before their first byte, followed while they run, ended by whoever may,
 * and recorded at both ends. No more than a few at once, so that pages keep their place in the store.
 */
import { createHash } from 'node:crypto';
import { exportFile } from '../../exports/export-file.ts';
import type { ExportPlan, ExportProgress, ExportSource } from '../../exports/export-plan.ts';
import { extensionOf } from '../../exports/formats.ts';
import { ExportRefused } from '../../exports/export-refused.ts';
import { manifestText, signManifest, type Manifest, type ManifestSigner } from '../../exports/manifest.ts';
import type { Logger } from '../../logger.ts';
import type { AccessRecorder } from '../../record/access.ts';
import { chainsOfRows } from '../../store/queries/export-rows.ts';
import { ApiError } from '../api-error.ts';
import type { ApiClock } from '../clock.ts';
import type { ExportRunRow, ExportRuns } from '../state/export-runs.ts';
import { formatInstant } from '../time-range.ts';
import { recordAccess } from '../record-access.ts';
import { exportDetail } from './export-request.ts';
import type { RunningExports } from './exports.ts';

const EXPORTS_AT_ONCE = 2;

export interface RunningExportsDeps {
  readonly runs: ExportRuns;
  readonly source: ExportSource;
  readonly accessRecorder: AccessRecorder;
  readonly signer: ManifestSigner;
  readonly version: string;
  readonly clock: ApiClock;
  readonly logger: Logger;
}

interface Running {
  readonly progress: ExportProgress;
  readonly stop: AbortController;
  readonly over: Promise<void>;
}

export function createRunningExports(deps: RunningExportsDeps): RunningExports {
  const running = new Map<string, Running>();
  let places = EXPORTS_AT_ONCE;
  const now = (): string => new Date(deps.clock.wallMs()).toISOString();

  const vouch = async (plan: ExportPlan, run: ExportRunRow, progress: ExportProgress, sha256: string) => {
    const name = fileName(plan, run);
    const object = { name, rows: progress.rows, bytes: progress.bytes, sha256 };
    try {
      const chains = await chainsOfRows(deps.source.reader, plan.visibility, plan);
      const { filters, columns, format, compression, payloads } = run.request;
      const manifest = signManifest(
        {
          version: 1,
          producer: `gatelens ${deps.version}`,
          schedule: null,
          window: { from: formatInstant(run.fromNs), to: formatInstant(run.toNs) },
          previous: null,
          supplement: null,
          filters: filters as Manifest['filters'],
          columns: [...columns],
          format,
          compression,
          encryption: 'none',
          recipients: [],
          payloads,
          rows: progress.rows,
          bytes: progress.bytes,
          parts: [object],
          chains,
          createdAt: now(),
        },
        deps.signer
      );
      return { objects: [object], manifest: manifestText(manifest), manifestName: `${name}.manifest.json` };
    } catch (error) {
      deps.logger.warn('export_manifest_failed', { class: error instanceof Error ? error.name : typeof error });
      return { objects: [object] };
    }
  };

  return {
    async start({ plan, run: asked, actor, signal }) {
      if (places === 0) {
        throw new ApiError(
          'limit_reached',
          `${EXPORTS_AT_ONCE} exports run already. Wait for one to end, or cancel one.`
        );
      }
      places -= 1;
      const stop = new AbortController();
      const ends = AbortSignal.any([signal, stop.signal]);
      const progress: ExportProgress = { rows: 0, bytes: 0, payloadBytes: 0 };
      let run: ExportRunRow;
      const action = plan.payloads ? 'export.payloads' : 'export.metadata';
      const recordEnd = async (phase: string): Promise<void> => {
        const detail = { ...exportDetail(run.id, run.request, plan.window), phase };
        const end = {
          ...actor,
          action,
          decision: 'allowed',
          rows: progress.rows,
          bytes: progress.payloadBytes,
          detail,
        } as const;
        await deps.accessRecorder.record(end).catch(() => {
          deps.logger.error('access_record_failed', { action, decision: 'allowed', phase });
        });
      };
      try {
        run = 'id' in asked ? asked : deps.runs.add({ ...asked, state: 'running', startedAt: now() });
        deps.runs.change(run.id, { state: 'running', startedAt: now(), attempts: 1 });
        const detail = { ...exportDetail(run.id, run.request, plan.window), phase: 'started' };
        await recordAccess(deps, { ...actor, action, decision: 'allowed', detail });
      } catch (error) {
        places += 1;
        throw error;
      }
      let settle: () => void = () => undefined;
      running.set(run.id, { progress, stop, over: new Promise<void>((done) => (settle = done)) });
      const end = async (state: 'done' | 'failed' | 'cancelled', problem: string, sha256 = ''): Promise<void> => {
        running.delete(run.id);
        places += 1;
        try {
          const ended = { state, problem, rows: progress.rows, bytes: progress.bytes, endedAt: now() };
          deps.runs.change(run.id, { ...ended, ...(state === 'done' ? await vouch(plan, run, progress, sha256) : {}) });
          await recordEnd(state);
        } finally {
          settle();
        }
      };
      const hash = createHash('sha256');
      const file = exportFile(plan, deps.source, progress, ends);
      let first: IteratorResult<Buffer>;
      try {
        first = await file.next();
      } catch (error) {
        await end(ends.aborted ? 'cancelled' : 'failed', problemOf(error));
        throw error instanceof ExportRefused ? new ApiError('too_large', error.message) : error;
      }
      return { runId: run.id, bytes: rest(first) };

      async function* rest(begun: IteratorResult<Buffer>): AsyncGenerator<Buffer> {
        let finished = false;
        try {
          for (let piece = begun; piece.done !== true; piece = await file.next()) {
            hash.update(piece.value);
            yield piece.value;
          }
          finished = true;
          await end('done', '', hash.digest('hex'));
        } catch (error) {
          finished = true;
          await end(ends.aborted ? 'cancelled' : 'failed', ends.aborted ? '' : problemOf(error));
          throw error;
        } finally {
          await file.return(undefined);
          if (!finished) await end('cancelled', 'The reader left before the end.');
        }
      }
    },
    cancel: (runId) => {
      const found = running.get(runId);
      found?.stop.abort();
      return found !== undefined;
    },
    progressOf: (runId) => running.get(runId)?.progress,
    async close() {
      const all = [...running.values()];
      for (const { stop } of all) stop.abort();
      await Promise.all(all.map(({ over }) => over));
    },
  };
}

/** In words that may be shown: nothing of the store or of a row. */
function problemOf(error: unknown): string {
  if (error instanceof ExportRefused || error instanceof ApiError) return error.message;
  return 'The store broke off. Start the export again, or narrow its range.';
}

/** @returns e.g. `gatelens-calls-20261124T080000Z-20261125T080000Z.jsonl.gz` */
export function fileName(
  plan: Pick<ExportPlan, 'format' | 'compression'>,
  { fromNs, toNs }: Pick<ExportRunRow, 'fromNs' | 'toNs'>
): string {
  return `gatelens-calls-${compact(fromNs)}-${compact(toNs)}.${extensionOf(plan)}`;
}

function compact(ns: bigint): string {
  return `${formatInstant(ns).slice(0, 19).replace(/[-:]/g, '')}Z`;
}
