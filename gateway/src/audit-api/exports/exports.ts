/** What the routes get of exports. Shapes only, so that whoever gives them needs nothing of what makes them. */
import type { ExportPlan, ExportProgress, ExportSource } from '../../exports/export-plan.ts';
import type { ManifestSigner } from '../../exports/manifest.ts';
import type { AccessEntry } from '../../record/access.ts';
import type { ExportRunRow, ExportRuns, NewRun } from '../state/export-runs.ts';

export interface Exports {
  readonly source: ExportSource;
  readonly runs: ExportRuns;
  readonly running: RunningExports;
  readonly signer: ManifestSigner;
  /** SPKI PEM of the key that `signer` signs with */
  readonly signingKeyPem: string;
  /** Ends what runs. */
  close(): Promise<void>;
}

export interface RunningExports {
  /**
   * Records the access, then opens the file. Resolves with its first bytes at hand, so that what cannot begin is an
   * error and no short file.
   * @throws ApiError
   */
  start(begin: BeginExport): Promise<StartedExport>;
  /** @returns whether it ran here */
  cancel(runId: string): boolean;
  /** of one that runs here */
  progressOf(runId: string): ExportProgress | undefined;
  /** Ends all and waits for them. */
  close(): Promise<void>;
}

export interface BeginExport {
  readonly plan: ExportPlan;
  /** made already: a download that waited for its address to be called */
  readonly run: ExportRunRow | NewRun;
  readonly actor: Omit<AccessEntry, 'action' | 'decision'>;
  /** aborts when the reader leaves */
  readonly signal: AbortSignal;
}

export interface StartedExport {
  readonly runId: string;
  readonly bytes: AsyncIterable<Buffer>;
}
