/**
 * What the calls of one observer share: the parts that make, protect, count and keep their records. Made by
 * call-observer.ts; holds no call.
 */
import type { Pseudonyms } from '../protection/seams.ts';
import type { CallQueue } from './call-queue.ts';
import type { CallRounds } from './call-rounds.ts';
import type { CaptureInCall } from './capture-in-call.ts';
import type { NameCatalog } from './catalog.ts';
import type { Clock, EpochTime } from './clock.ts';
import type { DurationMetrics, MetricAttributes } from './metrics.ts';
import type { PayloadCapture } from './payload-capture.ts';
import type { Principals } from './principals.ts';
import type { RecordKeeper } from './record-keeper.ts';
import type { AuditTelemetry } from './sdk.ts';
import type { SessionDurations } from './session-durations.ts';

/** Attributes of a session's two metrics. */
export interface SessionInfo {
  readonly server: MetricAttributes;
  readonly client: MetricAttributes;
}

/** What the calls of one observer share. */
export interface ObserverContext {
  readonly telemetry: AuditTelemetry;
  readonly pseudonyms: Pseudonyms;
  readonly capture: CaptureInCall;
  readonly rounds: CallRounds;
  readonly payloads: PayloadCapture;
  readonly principals: Principals;
  readonly catalog: NameCatalog;
  readonly keeper: RecordKeeper;
  readonly queue: CallQueue;
  /** completions whose payloads are being sealed on another thread, until they are settled */
  readonly sealing: Set<Promise<void>>;
  readonly metrics: DurationMetrics;
  readonly sessions: SessionDurations<SessionInfo>;
  readonly callId: () => string;
  readonly clock: Clock;
  readonly time: EpochTime;
  readonly demo: boolean;
}
