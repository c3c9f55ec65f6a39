/**
 * One chain of records with its spool: opened, recovered from a crash, shipping, reporting its health. The gateway has
 * one and the audit API has one, so that neither waits for the other and each can be verified alone.
 */
import { join } from 'node:path';
import type { GatelensConfig } from '../config.ts';
import type { Logger } from '../logger.ts';
import type { Keyring } from '../protection/keyring.ts';
import { openSpool } from '../spool/open-spool.ts';
import type { ShippingSpool } from '../spool/file-spool.ts';
import { createCheckpointSigner, startHealthReporter, type HealthReporter } from '../telemetry/health-reporter.ts';
import type { RecordCounts } from '../telemetry/record-keeper.ts';
import { recordInterrupted } from '../telemetry/recovery.ts';
import { createAuditTelemetry, startMirrors, type AuditTelemetry, type Mirrors } from '../telemetry/sdk.ts';
import { lastVerifiedNs } from '../verify/last-verified.ts';
import type { OtlpDestination } from './store.ts';

export interface Recorder {
  readonly spool: ShippingSpool;
  readonly telemetry: AuditTelemetry;
  readonly mirrors: Mirrors;
  /** Begins to ship. */
  ship(metadata: OtlpDestination, payloads: OtlpDestination): void;
  /** Begins to report every 15 s; once. */
  reportHealth(counts: Readonly<RecordCounts>, more?: HealthMore): void;
  /** Last report, what can be shipped in `flushMs` (0: nothing is), then the disk. */
  close(flushMs: number): Promise<void>;
}

export type HealthMore = Pick<Parameters<typeof startHealthReporter>[0], 'leftOut' | 'onTick'>;

export interface RecorderOptions {
  readonly component: 'gateway' | 'audit-api';
  readonly config: GatelensConfig;
  readonly keyring: Keyring;
  readonly logger: Logger;
  readonly version: string;
}

const CHAIN_PREFIX = { gateway: 'gw', 'audit-api': 'api' } as const;

export async function openRecorder(options: RecorderOptions): Promise<Recorder> {
  const { component, config, keyring, logger, version } = options;
  const { spool, unsettled } = await openSpool({
    dir: join(config.dataDir, 'spool', component),
    logger,
    maxBytes: config.spool.maxBytes,
    chainPrefix: CHAIN_PREFIX[component],
  });
  let health: HealthReporter | undefined;
  try {
    const mirrors = await startMirrors({
      mirrors: component === 'gateway' ? config.otlp.mirrors : [],
      service: { version, instanceId: spool.chain.id },
      logger,
      monotonicMs: () => performance.now(),
    });
    const telemetry = createAuditTelemetry({ spool, service: { version }, mirrors });
    await recordInterrupted(telemetry, unsettled, logger);
    return {
      spool,
      telemetry,
      mirrors,
      ship: (metadata, payload) => spool.startShipping({ metadata, payload }),
      reportHealth: (counts, more) => {
        health ??= startHealthReporter({
          telemetry,
          component,
          counts,
          signer: createCheckpointSigner(keyring.signingKey.id, keyring.signingKey.privateKey),
          logger,
          head: () => spool.chain.durableHead(),
          lastVerifyNs: () => lastVerifiedNs(config.dataDir),
          ...more,
        });
      },
      close: async (flushMs) => {
        await health?.close();
        await mirrors.close();
        if (flushMs > 0) await spool.flush(flushMs);
        await spool.close();
      },
    };
  } catch (error) {
    await spool.close();
    throw error;
  }
}
