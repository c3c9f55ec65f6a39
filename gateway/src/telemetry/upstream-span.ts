/**
 * The CLIENT span of a call: from sending it upstream until the end of the answer. Its id is told to the upstream server
 * before it starts, so that the server's spans become its children. It is for traces only: no record, no place in the
 * chain; it travels in the frame of the call's record.
 */
import { SpanKind, type Context, type HrTime, type Span } from '@opentelemetry/api';
import type { CallEnd } from '../mcp/observer.ts';
import { spanStatus, type CallAttributes } from './call-attributes.ts';
import type { AuditTelemetry } from './sdk.ts';

export class UpstreamSpan {
  readonly spanId: string;
  /** how often the call was sent upstream */
  attempts = 0;
  readonly #telemetry: AuditTelemetry;
  #span: Span | undefined;
  #startedMs = 0;

  constructor(telemetry: AuditTelemetry) {
    this.#telemetry = telemetry;
    this.spanId = telemetry.ids.generateSpanId();
  }

  get wasStarted(): boolean {
    return this.#span !== undefined;
  }

  /** A second attempt belongs to the same span. */
  started(name: string, startedMs: number, startTime: HrTime, parent: Context): void {
    this.attempts += 1;
    if (this.#span !== undefined) return;
    this.#startedMs = startedMs;
    this.#telemetry.ids.preset({ spanId: this.spanId });
    this.#span = this.#telemetry.tracer.startSpan(name, { kind: SpanKind.CLIENT, startTime }, parent);
  }

  /** @param endedMs end of the call: the span never outlasts it */
  durationMs(end: CallEnd, endedMs: number): number {
    const longestMs = endedMs - this.#startedMs;
    return end.upstreamMs === undefined ? longestMs : Math.min(end.upstreamMs, longestMs);
  }

  /** @param timeAt epoch time of an instant of the monotonic clock */
  end(
    name: string,
    attributes: CallAttributes,
    end: CallEnd,
    durationMs: number,
    timeAt: (ms: number) => HrTime
  ): void {
    const span = this.#span;
    if (span === undefined) return;
    span.updateName(name);
    span.setAttributes(attributes);
    const status = spanStatus(end.outcome, end.rpcErrorCode, 'client');
    if (status !== undefined) span.setStatus(status);
    span.end(timeAt(this.#startedMs + durationMs));
  }
}
