/**
 * Records of the audit API about its own use: who read, searched or changed what, and who was refused. Has a spool and a
 * chain of its own. A record is on disk before `record` resolves; it rejects when it cannot be, and then the caller must
 * give nothing out. Holds pseudonymous filters and counts, never payload, never a name of a person.
 */
import { ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import type { Principal } from '../access/principal.ts';
import type { Logger } from '../logger.ts';
import type { TraceContextCarrier } from '../mcp/observer.ts';
import type { AccessAction, AccessDecision, AccessReason } from '../record/access.ts';
import { RECORD_VERSION } from '../record/fields.ts';
import type { AttributeObject } from './attribute-row.ts';
import { EpochTime, addMs, epochNanos, systemClock, type Clock } from './clock.ts';
import { displayAddress, displayText } from './display-names.ts';
import { createCallIds } from './ids.ts';
import { Principals, principalEvent } from './principals.ts';
import { incomingTrace } from './propagation.ts';
import { ACCESS_ATTR, CALL_ATTR } from './record-attributes.ts';
import { RecordKeeper, type KeepRequest, type RecordCounts } from './record-keeper.ts';
import type { AuditTelemetry } from './sdk.ts';
import { ATTR_CLIENT_ADDRESS, ATTR_USER_HASH } from './semconv.ts';

export interface AccessRecord {
  readonly action: AccessAction;
  readonly decision: AccessDecision;
  /** default `''` */
  readonly reason?: AccessReason;
  /** keyed hash of the person, `''` for automation without one */
  readonly actorKey: string;
  readonly actorKind: 'token' | 'grafana' | 'mcp' | 'none';
  /** name of the automation token */
  readonly actorName?: string;
  /** who `actorKey` is; goes to the erasable principals with the first record that uses the key */
  readonly actorPrincipal?: Omit<Principal, 'subject'>;
  readonly roles?: readonly string[];
  readonly clientAddress?: string;
  readonly targetCallId?: string;
  readonly targetUserKey?: string;
  readonly targetServer?: string;
  readonly rows?: number;
  readonly bytes?: number;
  /** pseudonymous filters or changes; no payload, no names */
  readonly detail?: Readonly<Record<string, unknown>>;
  /** `performance.now()` when it was asked for; omitted: now */
  readonly startedMs?: number;
  readonly trace?: TraceContextCarrier;
}

export interface AccessRecorder {
  /** Resolves when the record is on disk. @throws GatelensError `audit_unavailable`: then give nothing out */
  record(access: AccessRecord): Promise<void>;
  readonly counts: Readonly<RecordCounts>;
}

const MAX_DETAIL_CHARS = 8192;

export function createAccessRecorder(options: {
  readonly telemetry: AuditTelemetry;
  readonly logger: Logger;
  readonly clock?: Clock;
  readonly demo?: boolean;
}): AccessRecorder {
  const { telemetry, logger } = options;
  const clock = options.clock ?? systemClock;
  const time = new EpochTime(clock);
  const principals = new Principals();
  const accessId = createCallIds(() => clock.wallMs());
  const keeper = new RecordKeeper({
    spool: telemetry.spool,
    policy: { durability: 'before-reply', onFailure: 'refuse' },
    logger,
    monotonicMs: () => clock.monotonicMs(),
  });
  return {
    counts: keeper.counts,
    record: (access) => {
      keeper.counts.seen += 1;
      const nowMs = clock.monotonicMs();
      const startedMs = access.startedMs ?? nowMs;
      const startTime = time.at(startedMs);
      const { parent } = incomingTrace(undefined, access.trace);
      const context = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
      const { actorKey, actorPrincipal } = access;
      if (actorKey !== '' && actorPrincipal !== undefined) {
        principals.remember(actorKey, { subject: actorKey, ...actorPrincipal });
      }
      const principal = actorKey === '' ? undefined : principals.take(actorKey);
      const { promise, resolve, reject } = Promise.withResolvers<undefined>();
      const request: KeepRequest = {
        records: 1,
        waits: true,
        onUntaken: () => {
          if (principal !== undefined) principals.unsent(actorKey);
        },
        onSettled: (error) => {
          if (error === undefined) resolve(undefined);
          else reject(error);
        },
      };
      try {
        const frames = telemetry.collect({ startedAtNs: epochNanos(startTime), settles: false }, () => {
          if (principal !== undefined) {
            const event = principalEvent(actorKey, principal, startTime);
            telemetry.events.emit({
              ...event,
              timestamp: startTime,
              observedTimestamp: startTime,
              context: ROOT_CONTEXT,
            });
          }
          const span = telemetry.tracer.startSpan(
            `access ${access.action}`,
            { kind: SpanKind.SERVER, startTime },
            context
          );
          span.setAttributes(attributesOf(access, accessId(), options.demo === true));
          span.end(addMs(startTime, nowMs - startedMs));
        });
        void keeper.keep(frames, request);
      } catch (error) {
        void keeper.fail(request, error);
      }
      return promise;
    },
  };
}

function attributesOf(access: AccessRecord, accessId: string, demo: boolean): AttributeObject {
  const texts: readonly (readonly [attribute: string, value: string])[] = [
    [ACCESS_ATTR.reason, access.reason ?? ''],
    [ATTR_USER_HASH, access.actorKey],
    [ACCESS_ATTR.actorName, displayText(access.actorName ?? '')],
    [ATTR_CLIENT_ADDRESS, displayAddress(access.clientAddress)],
    [ACCESS_ATTR.callId, displayText(access.targetCallId ?? '')],
    [ACCESS_ATTR.userKey, displayText(access.targetUserKey ?? '')],
    [ACCESS_ATTR.server, displayText(access.targetServer ?? '')],
    [ACCESS_ATTR.detail, detailText(access.detail)],
  ];
  const attributes: AttributeObject = {
    [CALL_ATTR.recordVersion]: RECORD_VERSION,
    [CALL_ATTR.kind]: 'access',
    [CALL_ATTR.callId]: accessId,
    [ACCESS_ATTR.action]: access.action,
    [ACCESS_ATTR.decision]: access.decision,
    [ACCESS_ATTR.actorKind]: access.actorKind,
    [ACCESS_ATTR.rows]: access.rows ?? 0,
    [ACCESS_ATTR.bytes]: access.bytes ?? 0,
  };
  for (const [attribute, value] of texts) if (value !== '') attributes[attribute] = value;
  if (access.roles !== undefined && access.roles.length > 0) attributes[ACCESS_ATTR.roles] = [...access.roles];
  if (demo) attributes[CALL_ATTR.demo] = true;
  return attributes;
}

/** Details that are too long are named as such, not cut: a cut JSON is none. */
function detailText(detail: AccessRecord['detail']): string {
  if (detail === undefined) return '';
  const text = JSON.stringify(detail).toWellFormed();
  return text.length <= MAX_DETAIL_CHARS ? text : JSON.stringify({ omitted: 'too long', characters: text.length });
}
