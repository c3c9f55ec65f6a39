/** Puts exports together from what the audit API is given: the store with longer limits, the opener, the state. */
import type { ExportSource } from '../../exports/export-plan.ts';
import type { ManifestSigner } from '../../exports/manifest.ts';
import type { PayloadState } from '../../record/vocabulary.ts';
import type { StoreStreams } from '../../store/queries/row-stream.ts';
import type { AuditApiDeps } from '../deps.ts';
import { nowNs } from '../deps.ts';
import { guardStore } from '../guarded-store.ts';
import { openParts } from '../payload-view.ts';
import { createExportRuns } from '../state/export-runs.ts';
import { payloadHidden } from '../visibility.ts';
import type { Exports } from './exports.ts';
import { createRunningExports } from './running-exports.ts';

export interface ExportSettings extends Pick<
  AuditApiDeps,
  'accessRecorder' | 'clock' | 'logger' | 'opener' | 'retention' | 'state' | 'version'
> {
  /** with time-outs as long as an export may take */
  readonly store: AuditApiDeps['store'];
  readonly streams: StoreStreams;
  readonly signer: ManifestSigner;
  /** SPKI PEM of the key that `signer` signs with */
  readonly signingKeyPem: string;
}

/** Counting a long range takes longer than a page may. */
const STORE_TIMEOUT_MS = 300_000;

export function assembleExports(deps: ExportSettings): Exports {
  const { clock, logger, opener, retention } = deps;
  const source: ExportSource = {
    reader: guardStore(deps.store, logger, STORE_TIMEOUT_MS),
    streams: deps.streams,
    open: (call, sealed) => openParts(call, sealed, { opener, retention, nowMs: clock.wallMs() }),
    hidden: (visibility, server, state) => payloadHidden(visibility, server, state as PayloadState),
    nowNs: () => nowNs(clock),
  };
  const runs = createExportRuns(deps.state);
  runs.interrupt(new Date(clock.wallMs()).toISOString());
  const running = createRunningExports({
    runs,
    source,
    accessRecorder: deps.accessRecorder,
    signer: deps.signer,
    version: deps.version,
    clock,
    logger,
  });
  const { signer, signingKeyPem } = deps;
  return { source, runs, running, signer, signingKeyPem, close: () => running.close() };
}
