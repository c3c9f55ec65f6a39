/** What the routes get of exports. Shapes only, so that whoever gives them needs nothing of what makes them. */
import type { ExportPlan, ExportProgress, ExportSource } from '../../exports/export-plan.ts';
import type { ManifestSigner } from '../../exports/manifest.ts';
import type { AccessEntry } from '../../record/access.ts';
import type { GrafanaRoles } from '../grafana/roles.ts';
import type { SecretBox } from '../../exports/sealed-secret.ts';
import type { ExportRunRow, ExportRuns, NewRun, RunRequest } from '../state/export-runs.ts';
import type { ExportSchedules } from '../state/export-schedules.ts';
import type { DestinationDeps } from './destinations.ts';
import type { FileHead } from './file-tail.ts';
import type { Tickets } from './tickets.ts';

export interface Exports {
  readonly source: ExportSource;
  readonly runs: ExportRuns;
  readonly running: RunningExports;
  /** of downloads that wait for their browser */
  readonly tickets: Tickets<Ticketed>;
  readonly schedules: ExportSchedules;
  readonly destinations: DestinationDeps;
  readonly secrets: SecretBox;
  readonly scheduler: Scheduler;
  readonly signer: ManifestSigner;
  /** set by whoever knows them, once */
  readonly grafanaRoles: { current?: GrafanaRoles };
  /** SPKI PEM of the key that `signer` signs with */
  readonly signingKeyPem: string;
  /** Ends what runs. */
  close(): Promise<void>;
}

export interface PlannedExport {
  readonly plan: ExportPlan;
  readonly request: RunRequest;
}

export interface Ticketed {
  readonly planned: PlannedExport;
  readonly run: ExportRunRow;
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
  /** what the reader has already */
  readonly head?: FileHead;
}

export interface StartedExport {
  readonly runId: string;
  /** aborts when the export is ended, also while nobody asks for bytes */
  readonly ended: AbortSignal;
  readonly bytes: AsyncIterable<Buffer>;
}

export interface ScheduleStanding {
  readonly stopped?: string;
  /** gateways that the next window waits for */
  readonly heldBy: readonly string[];
  /** why nothing goes on just now, where it is none of these */
  readonly waits?: string;
}

export interface Scheduler {
  /** Looks once at every schedule. @param now ids of schedules whose runs do not wait for their next attempt */
  tick(now?: readonly string[]): Promise<void>;
  standing(scheduleId: string): ScheduleStanding;
  progressOf(runId: string): ExportProgress | undefined;
  /** @returns whether it ran here */
  cancel(runId: string): boolean;
  close(): Promise<void>;
}
