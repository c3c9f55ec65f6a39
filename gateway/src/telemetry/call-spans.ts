/**
 * The spans of a call, made by the SDK when the call is recorded, with the times and ids noted before: SERVER for the
 * record, CLIENT (from sending it upstream until the end of the answer) for traces only: no record, no place in the
 * chain; it travels in the frame of the call's record.
 */
import { SpanKind, type HrTime } from '@opentelemetry/api';
import type { CallEnd, CallStart } from '../mcp/observer.ts';
import type { AttributeRow } from './attribute-row.ts';
import { clientSpanAttributes, spanStatus } from './call-attributes.ts';
import type { CallTrace } from './call-trace.ts';
import type { AuditTelemetry } from './sdk.ts';

export interface EndedCall {
  readonly name: string;
  readonly start: CallStart;
  readonly end: CallEnd;
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  readonly attributes: AttributeRow;
}

export interface UpstreamCall {
  readonly durationMs: number;
  readonly startTime: HrTime;
  readonly endTime: HrTime;
}

/** @param upstream undefined: nothing was sent, so there is no CLIENT span */
export function endSpans(
  telemetry: AuditTelemetry,
  trace: CallTrace,
  call: EndedCall,
  upstream: UpstreamCall | undefined
): void {
  const { name, start, end, startTime, endTime } = call;
  const { link } = trace.incoming;
  if (upstream !== undefined) {
    const client = telemetry.tracer.startSpan(
      name,
      { kind: SpanKind.CLIENT, startTime: upstream.startTime },
      trace.beginClientSpan()
    );
    telemetry.setAttributes(client, clientSpanAttributes(call.attributes, start));
    const status = spanStatus(end.outcome, end.rpcErrorCode, 'client');
    if (status !== undefined) client.setStatus(status);
    client.end(upstream.endTime);
  }
  const server = telemetry.tracer.startSpan(
    name,
    link === undefined
      ? { kind: SpanKind.SERVER, startTime }
      : { kind: SpanKind.SERVER, startTime, links: [{ context: link }] },
    trace.beginServerSpan()
  );
  telemetry.setAttributes(server, call.attributes);
  const status = spanStatus(end.outcome, end.rpcErrorCode, 'server');
  if (status !== undefined) server.setStatus(status);
  server.end(endTime);
}

/** A record of its own (and a span of its own, a child): the row is replaced when the stream ends. */
export function endOpenSpan(
  telemetry: AuditTelemetry,
  trace: CallTrace,
  { name, startTime, attributes }: Pick<EndedCall, 'name' | 'startTime' | 'attributes'>
): void {
  const open = telemetry.tracer.startSpan(name, { kind: SpanKind.INTERNAL, startTime }, trace.context());
  telemetry.setAttributes(open, attributes);
  open.end(startTime);
}
