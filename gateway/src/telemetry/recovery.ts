/**
 * After a crash: turns intents that no completion settled into `interrupted` records, with the call's own id, ids of its
 * trace, and start. How long it ran is unknown, so the duration is 0. Runs before the gateway takes calls; a record that
 * cannot be made durable is an error of the start, since the intent would be gone with the next segment.
 */
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type HrTime } from '@opentelemetry/api';
import type { Logger } from '../logger.ts';
import { RECORD_VERSION } from '../record/fields.ts';
import { UNKNOWN_METHOD } from '../record/vocabulary.ts';
import type { IntentFrame, RecordFrame } from '../spool/spool.ts';
import type { AttributeObject } from './attribute-row.ts';
import { epochNanos } from './clock.ts';
import { millisOfCallId } from './ids.ts';
import { decodeIntent, type Intent } from './intent.ts';
import { CALL_ATTR } from './record-attributes.ts';
import type { AuditTelemetry } from './sdk.ts';
import { ATTR_ERROR_TYPE, ATTR_MCP_METHOD_NAME } from './semconv.ts';

/** Records an append, so that a long list neither holds up the loop nor makes one huge group. */
const BATCH_RECORDS = 100;

/**
 * @returns how many records were made
 * @throws GatelensError of the spool when they cannot be made durable
 */
export async function recordInterrupted(
  telemetry: AuditTelemetry,
  intents: readonly Pick<IntentFrame, 'callId' | 'bytes'>[],
  logger: Logger
): Promise<number> {
  let unreadable = 0;
  for (let from = 0; from < intents.length; from += BATCH_RECORDS) {
    const frames: RecordFrame[] = [];
    // No await between collecting and appending: positions of the chain lapse with the tick.
    for (const frame of intents.slice(from, from + BATCH_RECORDS)) {
      const intent = decodeIntent(frame.bytes);
      if (intent === undefined) unreadable += 1;
      frames.push(...interruptedFrames(telemetry, frame.callId, intent ?? unknownIntent(telemetry, frame.callId)));
    }
    await telemetry.spool.append(frames);
  }
  if (intents.length > 0) logger.warn('audit.interrupted_recorded', { records: intents.length, unreadable });
  return intents.length;
}

function interruptedFrames(telemetry: AuditTelemetry, callId: string, intent: Intent): RecordFrame[] {
  const { traceId, spanId, parentSpanId, traceFlags, startTime } = intent;
  let context = ROOT_CONTEXT;
  if (parentSpanId !== undefined) {
    context = trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: parentSpanId, traceFlags, isRemote: true });
  }
  const attributes: AttributeObject = {
    [CALL_ATTR.payloadState]: 'none',
    ...intent.attributes,
    [CALL_ATTR.callId]: callId,
    [CALL_ATTR.phase]: 'closed',
    [CALL_ATTR.outcome]: 'interrupted',
    [ATTR_ERROR_TYPE]: 'interrupted',
  };
  return telemetry.collect({ startedAtNs: epochNanos(startTime), settles: true }, () => {
    telemetry.ids.preset(parentSpanId === undefined ? { traceId, spanId } : { spanId });
    const span = telemetry.tracer.startSpan(intent.spanName, { kind: SpanKind.SERVER, startTime }, context);
    span.setAttributes(attributes);
    span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(startTime);
  });
}

/** An intent that cannot be read still proves that a call came: its id and, inside the id, its time. */
function unknownIntent(telemetry: AuditTelemetry, callId: string): Intent {
  const ms = millisOfCallId(callId);
  const startTime: HrTime = [Math.floor(ms / 1000), (ms % 1000) * 1e6];
  return {
    v: 1,
    spanName: UNKNOWN_METHOD,
    traceId: telemetry.ids.generateTraceId(),
    spanId: telemetry.ids.generateSpanId(),
    traceFlags: 1,
    startTime,
    attributes: {
      [CALL_ATTR.recordVersion]: RECORD_VERSION,
      [CALL_ATTR.kind]: 'request',
      [ATTR_MCP_METHOD_NAME]: UNKNOWN_METHOD,
    },
  };
}
