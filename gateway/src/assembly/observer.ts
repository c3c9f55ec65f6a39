/**
 * The observer that makes the records of a recorder, with the capture, redaction and keys of the configuration: for the
 * gateway's real calls, and for the made-up past of the demo.
 */
import type { GatelensConfig } from '../config.ts';
import { GatelensError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { createCapturePolicy } from '../protection/capture-policy.ts';
import { createDataKeys } from '../protection/data-keys.ts';
import type { Keyring } from '../protection/keyring.ts';
import { createPayloadSealer } from '../protection/payload-sealer.ts';
import { createRedaction } from '../protection/redaction.ts';
import type { CapturePolicy, Pseudonyms } from '../protection/seams.ts';
import { createShapingThread } from '../protection/shaping-thread.ts';
import { TelemetryCallObserver } from '../telemetry/call-observer.ts';
import type { Clock } from '../telemetry/clock.ts';
import type { DurationMetrics } from '../telemetry/metrics.ts';
import type { Recorder } from './recorder.ts';

export interface RecordingObserverOptions {
  readonly config: Pick<GatelensConfig, 'capture' | 'audit'>;
  readonly keyring: Pick<Keyring, 'activeKekId' | 'publicKeys'>;
  readonly pseudonyms: Pseudonyms;
  readonly recorder: Pick<Recorder, 'telemetry' | 'spool'>;
  readonly logger: Logger;
  /** omitted: as configured */
  readonly capturePolicy?: CapturePolicy;
  /** omitted: none */
  readonly metrics?: DurationMetrics;
  /** omitted: the system's */
  readonly clock?: Clock;
  /** stamps every record as made up */
  readonly demo?: boolean;
}

/** Chosen by measurement: benchmarks/overhead. */
const GATHERING = {
  'before-reply': { intentMs: 5, completionMs: 0 },
  async: { intentMs: 10, completionMs: 10 },
} as const;

/** @throws GatelensError `key_unknown` */
export function createRecordingObserver(options: RecordingObserverOptions): TelemetryCallObserver {
  const { config, keyring, pseudonyms, recorder, metrics, clock, demo } = options;
  const publicKey = keyring.publicKeys.get(keyring.activeKekId);
  if (publicKey === undefined) {
    throw new GatelensError('key_unknown', 'encryption.active names no key of encryption.publicKeys.');
  }
  const { redaction } = config.capture;
  return new TelemetryCallObserver({
    telemetry: recorder.telemetry,
    pseudonyms,
    capturePolicy: options.capturePolicy ?? createCapturePolicy(config.capture),
    sealer: createPayloadSealer({
      dataKeys: createDataKeys({
        gateway: recorder.spool.chain.id,
        kekId: keyring.activeKekId,
        publicKey,
        // nobody is erased in a made-up past while it is made
        ...(clock === undefined ? {} : { now: () => clock.wallMs(), maxAgeMs: Number.POSITIVE_INFINITY }),
      }),
      pseudonyms,
      redaction: createRedaction(redaction),
      shapeAside: createShapingThread(redaction),
    }),
    audit: config.audit,
    // The made-up past is not gathered: its clock stands at another call by then.
    ...(clock === undefined ? { gathering: GATHERING[config.audit.durability] } : {}),
    logger: options.logger,
    ...(metrics === undefined ? {} : { metrics }),
    ...(clock === undefined ? {} : { clock }),
    ...(demo === undefined ? {} : { demo }),
  });
}
