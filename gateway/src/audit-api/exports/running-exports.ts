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
import { INTERRUPTED, type ExportRunRow, type ExportRuns } from '../state/export-runs.ts';
import { formatInstant } from '../time-range.ts';
import { recordAccess } from '../record-access.ts';
import { exportDetail } from './export-request.ts';
import type { RunningExports } from './exports.ts';
import { tailOf } from './file-tail.ts';

const EXPORTS_AT_ONCE = 2;
const READER_LEFT = 'The reader left before the end.';
const NOT_RECORDED =
  'It could not be recorded, so nothing went out. Look at the disk of the audit API, then export again.';

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
    async start({ plan, run: asked, actor, signal, head }) {
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
      const action = plan.payloads ? 'export.payloads' : 'export.metadata';
      let run: ExportRunRow | undefined;
      const detailOf = ({ id, request }: ExportRunRow, phase: string) => ({
        ...exportDetail(id, request, plan.window),
        phase,
        ...(head === undefined ? {} : { resumedAt: head.bytes }),
      });
      try {
        run = 'id' in asked ? asked : deps.runs.add({ ...asked, state: 'running', startedAt: now() });
        deps.runs.change(run.id, { state: 'running', startedAt: now(), attempts: 1 });
        await recordAccess(deps, { ...actor, action, decision: 'allowed', detail: detailOf(run, 'started') });
      } catch (error) {
        places += 1;
        if (run !== undefined) {
          deps.runs.change(run.id, { state: 'failed', problem: NOT_RECORDED, endedAt: now() });
        }
        throw error;
      }
      const started = run;
      let settle: () => void = () => undefined;
      running.set(run.id, { progress, stop, over: new Promise<void>((done) => (settle = done)) });
      const end = async (state: 'done' | 'failed' | 'cancelled', problem: string, sha256 = ''): Promise<void> => {
        // whatever comes first: the end of the file, its reader who leaves, somebody who cancels it
        if (!running.delete(started.id)) return;
        places += 1;
        try {
          const ended = { state, problem, rows: progress.rows, bytes: progress.bytes, endedAt: now() };
          const vouched = state === 'done' ? await vouch(plan, started, progress, sha256) : {};
          deps.runs.change(started.id, { ...ended, ...vouched });
          const { rows, payloadBytes: bytes } = progress;
          await deps.accessRecorder
            .record({ ...actor, action, decision: 'allowed', rows, bytes, detail: detailOf(started, state) })
            .catch(() => deps.logger.error('access_record_failed', { action, decision: 'allowed', phase: state }));
        } finally {
          settle();
        }
      };
      /** @returns whether somebody or the process ended it, or its reader left */
      const endedBy = async (): Promise<boolean> => {
        const reason: unknown = stop.signal.reason;
        if (reason instanceof Ended) await end(reason.state, reason.message);
        else if (signal.aborted) await end('cancelled', READER_LEFT);
        return ends.aborted;
      };
      // at once, whoever reads it or does not; what is being asked of the store ends by the same signal
      ends.addEventListener('abort', () => void endedBy().catch(() => undefined));
      const hash = createHash('sha256');
      const file = tailOf(exportFile(plan, deps.source, progress, ends), hash, head);
      let first: IteratorResult<Buffer, unknown>;
      try {
        first = await file.next();
      } catch (error) {
        if (!(await endedBy())) await end('failed', problemOf(error));
        throw error instanceof ExportRefused ? new ApiError('too_large', error.message) : error;
      }
      return { runId: run.id, ended: ends, bytes: rest(first) };

      async function* rest(begun: IteratorResult<Buffer, unknown>): AsyncGenerator<Buffer> {
        try {
          for (let piece = begun; piece.done !== true; piece = await file.next()) yield piece.value;
          await end('done', '', hash.digest('hex'));
        } catch (error) {
          if (!(await endedBy())) await end('failed', problemOf(error));
          throw error;
        } finally {
          await file.return(undefined);
          // nothing is left to do where it ended above
          if (!(await endedBy())) await end('cancelled', READER_LEFT);
        }
      }
    },
    cancel: (runId) => {
      const found = running.get(runId);
      found?.stop.abort(new Ended('cancelled', 'Somebody cancelled it.'));
      return found !== undefined;
    },
    progressOf: (runId) => running.get(runId)?.progress,
    async close() {
      const all = [...running.values()];
      for (const { stop } of all) stop.abort(new Ended('failed', INTERRUPTED));
      await Promise.all(all.map(({ over }) => over));
    },
  };
}

/** Why an export was ended that could have gone on. */
class Ended extends Error {
  readonly state: 'failed' | 'cancelled';

  constructor(state: 'failed' | 'cancelled', message: string) {
    super(message);
    this.state = state;
  }
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
