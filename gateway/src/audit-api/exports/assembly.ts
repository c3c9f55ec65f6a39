/** Puts exports together from what the audit API is given: the store with longer limits, the opener, the state. */
import type { ExportSource } from '../../exports/export-plan.ts';
import type { ManifestSigner } from '../../exports/manifest.ts';
import type { PayloadState } from '../../record/vocabulary.ts';
import type { StoreStreams } from '../../store/queries/row-stream.ts';
import { createSecretBox } from '../../exports/sealed-secret.ts';
import { callFilter } from '../call-filter.ts';
import type { AuditApiDeps } from '../deps.ts';
import { nowNs } from '../clock.ts';
import { guardStore } from '../guarded-store.ts';
import { openParts } from '../payload-view.ts';
import { createExportRuns } from '../state/export-runs.ts';
import { createExportSchedules } from '../state/export-schedules.ts';
import { payloadHidden } from '../visibility.ts';
import type { DestinationDeps } from './destinations.ts';
import { keptFilters } from './export-request.ts';
import type { Exports, Ticketed } from './exports.ts';
import { ownerRights } from './schedule-owner.ts';
import { createScheduler } from './scheduler.ts';
import { createRunningExports } from './running-exports.ts';
import { createTickets } from './tickets.ts';

export interface ExportSettings extends Pick<
  AuditApiDeps,
  'accessRecorder' | 'clock' | 'logger' | 'opener' | 'pseudonyms' | 'retention' | 'state' | 'tokens' | 'version'
> {
  /** with time-outs as long as an export may take */
  readonly store: AuditApiDeps['store'];
  readonly streams: StoreStreams;
  readonly destinations: Omit<DestinationDeps, 'nowMs'>;
  /** 32 bytes that seal secrets of destinations */
  readonly secretKey: Uint8Array;
  /** @returns what stops it; left out: schedules run when somebody says so */
  readonly every?: (intervalMs: number, tick: () => void) => () => void;
  readonly signer: ManifestSigner;
  /** SPKI PEM of the key that `signer` signs with */
  readonly signingKeyPem: string;
}

/** Counting a long range takes longer than a page may. */
const STORE_TIMEOUT_MS = 300_000;
const TICK_MS = 15_000;

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
  const schedules = createExportSchedules(deps.state);
  const secrets = createSecretBox(deps.secretKey);
  const nowMs = (): number => clock.wallMs();
  const destinations = { ...deps.destinations, nowMs };
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
  const tickets = createTickets<Ticketed>(clock, ({ run }) => {
    if (runs.find(run.id)?.state !== 'pending') return;
    const problem = 'No browser fetched it within a minute, so nothing went out. Export again.';
    runs.change(run.id, { state: 'failed', problem, endedAt: new Date(clock.wallMs()).toISOString() });
  });
  const { signer, signingKeyPem } = deps;
  const grafanaRoles: Exports['grafanaRoles'] = {};
  const scheduler = createScheduler({
    source,
    signer,
    version: deps.version,
    nowMs,
    schedules,
    runs,
    destinations,
    secrets,
    ownerRights: (schedule) =>
      ownerRights(schedule.owner, schedule.content.request.payloads, {
        nowMs,
        tokens: deps.tokens,
        ...(grafanaRoles.current === undefined ? {} : { grafanaRoles: grafanaRoles.current }),
      }),
    planOf: async ({ content }, { fromNs, toNs }, visibility) => {
      const { filters, columns, format, compression, payloads } = content.request;
      const filter = await callFilter(
        { store: source.reader, pseudonyms: deps.pseudonyms },
        visibility,
        keptFilters(filters)
      );
      return { visibility, window: { fromNs, toNs }, filter, columns, format, compression, payloads };
    },
    accessRecorder: deps.accessRecorder,
    clock,
    logger,
  });
  const stopTimer = deps.every?.(TICK_MS, () => void scheduler.tick()) ?? (() => undefined);
  return {
    source,
    runs,
    running,
    tickets,
    schedules,
    destinations,
    secrets,
    scheduler,
    grafanaRoles,
    signer,
    signingKeyPem,
    async close() {
      stopTimer();
      await Promise.all([running.close(), scheduler.close()]);
    },
  };
}
