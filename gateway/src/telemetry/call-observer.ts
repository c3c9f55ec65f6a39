/**
 * Makes the record of what passes the relay: one SERVER span (and one CLIENT span) a call, its payloads as sealed events,
 * an intent on disk at arrival and the completion at the end. It decides nothing about the call and changes no byte of
 * it; what it is handed may hold payload, so only masked names leave here in the clear.
 */
import type { Logger } from '../logger.ts';
import type { CallObservation, CallObserver, CallStart } from '../mcp/observer.ts';
import type { AuthenticatedCaller } from '../access/principal.ts';
import type { CapturePolicy, PayloadSealer, Pseudonyms } from '../protection/seams.ts';
import { CallQueue, type Gathering, type Timers } from './call-queue.ts';
import { CallRounds } from './call-rounds.ts';
import { CaptureInCall } from './capture-in-call.ts';
import { NameCatalog } from './catalog.ts';
import { EpochTime, systemClock, type Clock } from './clock.ts';
import { createCallIds } from './ids.ts';
import { noDurationMetrics, type DurationMetrics } from './metrics.ts';
import { PayloadCapture, type PayloadCounts } from './payload-capture.ts';
import { Principals } from './principals.ts';
import { ObservedCall } from './observed-call.ts';
import type { ObserverContext } from './observer-context.ts';
import { RecordKeeper, type AuditPolicy, type RecordCounts } from './record-keeper.ts';
import type { AuditTelemetry } from './sdk.ts';
import { SessionDurations } from './session-durations.ts';

export interface CallObserverOptions {
  readonly telemetry: AuditTelemetry;
  readonly pseudonyms: Pseudonyms;
  readonly capturePolicy: CapturePolicy;
  readonly sealer: PayloadSealer;
  readonly audit: AuditPolicy;
  readonly logger: Logger;
  readonly metrics?: DurationMetrics;
  readonly clock?: Clock;
  /** omitted: each record is made and written at once */
  readonly gathering?: Gathering;
  /** what gathering goes by; default: Node's */
  readonly timers?: Timers;
  /** stamps every record as made by `gatelens demo --history` */
  readonly demo?: boolean;
}

export class TelemetryCallObserver implements CallObserver {
  readonly #context: ObserverContext;

  constructor(options: CallObserverOptions) {
    const clock = options.clock ?? systemClock;
    const metrics = options.metrics ?? noDurationMetrics;
    const demo = options.demo ?? false;
    const monotonicMs = (): number => clock.monotonicMs();
    this.#context = {
      telemetry: options.telemetry,
      pseudonyms: options.pseudonyms,
      capture: new CaptureInCall(options.capturePolicy),
      rounds: new CallRounds(monotonicMs),
      payloads: new PayloadCapture({
        sealer: options.sealer,
        pseudonyms: options.pseudonyms,
        demo,
        onSealFailed: () => options.logger.error('payload.seal_failed', { code: 'seal_failed' }),
      }),
      principals: new Principals(),
      catalog: new NameCatalog(),
      keeper: new RecordKeeper({
        spool: options.telemetry.spool,
        policy: options.audit,
        logger: options.logger,
        monotonicMs,
      }),
      queue: new CallQueue(options.gathering, options.timers),
      sealing: new Set(),
      metrics,
      sessions: new SessionDurations((durationMs, info) => metrics.session(durationMs, info.server, info.client)),
      callId: createCallIds(() => clock.wallMs()),
      clock,
      time: new EpochTime(clock),
      demo,
    };
  }

  begin(start: CallStart): CallObservation {
    const above = this.#above(start);
    return new ObservedCall(this.#context, above === undefined ? start : { ...start, parentCallId: above });
  }

  /** The call that a request goes on with: the round before, or the one that became the task it is about. */
  #above(start: CallStart): string | undefined {
    if (start.parentCallId !== undefined || start.kind === 'attempt') return undefined;
    return this.#context.rounds.before(start) ?? this.#context.capture.callOfTask(start);
  }

  /** Call after authentication. The person is written once a process, with the first record that uses the key. */
  rememberPrincipal(caller: Pick<AuthenticatedCaller, 'userKey' | 'principal'>): void {
    if (caller.principal !== undefined && caller.userKey !== '') {
      this.#context.principals.remember(caller.userKey, caller.principal);
    }
  }

  /** The client closed its session (DELETE) or its connection. */
  sessionEnded(sessionId: string): void {
    const { sessions, pseudonyms, clock } = this.#context;
    sessions.ended(pseudonyms.hash('session', sessionId), clock.monotonicMs());
  }

  /** Ends sessions that fell silent; call it now and then. */
  sweepSessions(): void {
    this.#context.sessions.sweep(this.#context.clock.monotonicMs());
  }

  /** Writes what is gathered and waits for what is being sealed. Call it when calls have ended, before the spool closes. */
  async flush(): Promise<void> {
    const { queue, sealing } = this.#context;
    queue.flush();
    while (sealing.size > 0) await Promise.allSettled(sealing);
  }

  get counts(): Readonly<RecordCounts> {
    return this.#context.keeper.counts;
  }

  get payloadCounts(): Readonly<PayloadCounts> {
    return this.#context.payloads.counts;
  }
}
