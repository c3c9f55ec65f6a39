/**
 * Every 15 s, a process tells how its audit is doing: what it saw, recorded, shipped, lost and left out, what waits on
 * disk, and the head of its chain, signed with Ed25519 over `chain_id|seq|hash`. Such a record is not chained itself,
 * since it vouches for the chain. A report that cannot be written is dropped: the next one carries the same totals.
 */
import { sign, type KeyObject } from 'node:crypto';
import { ROOT_CONTEXT, SpanKind } from '@opentelemetry/api';
import type { Logger } from '../logger.ts';
import { RECORD_VERSION } from '../record/fields.ts';
import type { ChainLink } from '../spool/spool.ts';
import type { AttributeObject } from './attribute-row.ts';
import { EpochTime, epochNanos, systemClock, type Clock } from './clock.ts';
import { CALL_ATTR, HEALTH_ATTR } from './record-attributes.ts';
import type { RecordCounts } from './record-keeper.ts';
import type { AuditTelemetry } from './sdk.ts';

export interface CheckpointSigner {
  readonly keyId: string;
  /** @returns base64 */
  sign(message: string): string;
}

/** @param privateKey Ed25519 */
export function createCheckpointSigner(keyId: string, privateKey: KeyObject): CheckpointSigner {
  return { keyId, sign: (message) => sign(null, Buffer.from(message), privateKey).toString('base64') };
}

/** What the records of a gateway do not have, since start. */
export interface LeftOutCounts {
  /** refused attempts that were counted instead of recorded one by one */
  readonly attempts: number;
  /** payloads cut for the record */
  readonly payloadsTruncated: number;
  /** payloads that could not be sealed */
  readonly payloadsFailed: number;
}

const NOTHING_LEFT_OUT: LeftOutCounts = { attempts: 0, payloadsTruncated: 0, payloadsFailed: 0 };

/** What a signature of a chain's head is made over; verification rebuilds it from columns. */
export function checkpointMessage(chainId: string, head: ChainLink): string {
  return `${chainId}|${head.seq}|${head.hash}`;
}

export interface HealthReporter {
  /** Resolves when the report is on disk or was dropped. */
  report(): Promise<void>;
  /** Stops the timer, after a last report. */
  close(): Promise<void>;
}

const INTERVAL_MS = 15_000;

export function startHealthReporter(options: {
  readonly telemetry: AuditTelemetry;
  readonly component: 'gateway' | 'audit-api';
  readonly counts: Readonly<RecordCounts>;
  /** default: nothing */
  readonly leftOut?: () => LeftOutCounts;
  readonly signer: CheckpointSigner;
  readonly logger: Logger;
  /** newest link that is on disk; default: the chain's head */
  readonly head?: () => ChainLink;
  /** last successful verification of the chain, ns since 1970, 0n if never */
  readonly lastVerifyNs?: () => bigint;
  readonly clock?: Clock;
  /** called before each report, e.g. to end silent sessions */
  readonly onTick?: () => void;
  /** @returns what stops it */
  readonly every?: (intervalMs: number, tick: () => void) => () => void;
}): HealthReporter {
  const { telemetry, counts, signer, logger } = options;
  const { chain } = telemetry.spool;
  const time = new EpochTime(options.clock ?? systemClock);
  const head = options.head ?? (() => chain.head());

  const attributesNow = (): AttributeObject => {
    const stats = telemetry.spool.stats();
    const link = head();
    const leftOut = options.leftOut?.() ?? NOTHING_LEFT_OUT;
    return {
      [CALL_ATTR.recordVersion]: RECORD_VERSION,
      [CALL_ATTR.kind]: 'health',
      [HEALTH_ATTR.component]: options.component,
      [CALL_ATTR.chainId]: chain.id,
      [CALL_ATTR.seq]: Number(link.seq),
      [CALL_ATTR.hash]: link.hash,
      [HEALTH_ATTR.signingKeyId]: signer.keyId,
      [HEALTH_ATTR.signature]: signer.sign(checkpointMessage(chain.id, link)),
      [HEALTH_ATTR.seen]: counts.seen,
      [HEALTH_ATTR.recorded]: counts.recorded,
      [HEALTH_ATTR.shipped]: stats.shipped,
      [HEALTH_ATTR.lost]: counts.lost,
      [HEALTH_ATTR.setAside]: stats.setAsideBatches,
      [HEALTH_ATTR.spoolBytes]: stats.backlogBytes,
      // nanoseconds do not fit a double
      [HEALTH_ATTR.oldestUnshipped]: stats.oldestUnshippedNs.toString(),
      [HEALTH_ATTR.lastVerify]: (options.lastVerifyNs?.() ?? 0n).toString(),
      [HEALTH_ATTR.refused]: counts.refused,
      [HEALTH_ATTR.attemptsLeftOut]: leftOut.attempts,
      [HEALTH_ATTR.payloadsTruncated]: leftOut.payloadsTruncated,
      [HEALTH_ATTR.payloadsFailed]: leftOut.payloadsFailed,
    };
  };

  const report = async (): Promise<void> => {
    try {
      options.onTick?.();
      const at = time.now();
      const frames = telemetry.collect({ startedAtNs: epochNanos(at), settles: false }, () => {
        const span = telemetry.tracer.startSpan('health', { kind: SpanKind.INTERNAL, startTime: at }, ROOT_CONTEXT);
        span.setAttributes(attributesNow());
        span.end(at);
      });
      await telemetry.spool.append(frames);
    } catch {
      logger.warn('health.report_dropped', { component: options.component });
    }
  };

  const stop = (options.every ?? everyUnref)(INTERVAL_MS, () => void report());
  return {
    report,
    close: () => {
      stop();
      return report();
    },
  };
}

/** A timer that does not keep the process alive. */
function everyUnref(intervalMs: number, tick: () => void): () => void {
  const timer = setInterval(tick, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}
