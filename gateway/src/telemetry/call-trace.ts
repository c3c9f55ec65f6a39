/**
 * The place of a call in its trace: the ids of its SERVER and CLIENT span, decided at arrival, before either span exists,
 * since the upstream server is told its parent with the request, and spans are made when the call is recorded. The
 * sampled flag is the caller's, as the sampler of the audit's tracer decides (sdk.ts).
 */
import { ROOT_CONTEXT, TraceFlags, trace, type Context, type SpanContext } from '@opentelemetry/api';
import type { TraceContextCarrier } from '../mcp/observer.ts';
import type { TraceIds } from './ids.ts';
import { outgoingTrace, type IncomingTrace } from './propagation.ts';

export class CallTrace {
  readonly incoming: IncomingTrace;
  /** of the SERVER span */
  readonly spanContext: SpanContext;
  readonly upstreamSpanId: string;
  readonly #ids: TraceIds;
  #context: Context | undefined;

  constructor(ids: TraceIds, incoming: IncomingTrace) {
    this.#ids = ids;
    this.incoming = incoming;
    this.spanContext = {
      traceId: incoming.parent?.traceId ?? ids.generateTraceId(),
      spanId: ids.generateSpanId(),
      traceFlags: incoming.parent === undefined ? TraceFlags.SAMPLED : incoming.parent.traceFlags & TraceFlags.SAMPLED,
    };
    this.upstreamSpanId = ids.generateSpanId();
  }

  /** What the upstream server is told. */
  upstream(): TraceContextCarrier {
    const { traceId, traceFlags } = this.spanContext;
    return outgoingTrace(traceId, this.upstreamSpanId, traceFlags, this.incoming);
  }

  /** The context to start the SERVER span in, at once: the next span gets its ids. */
  beginServerSpan(): Context {
    const { parent } = this.incoming;
    const { traceId, spanId } = this.spanContext;
    this.#ids.preset(parent === undefined ? { traceId, spanId } : { spanId });
    return parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
  }

  /** The context to start the CLIENT span in, likewise. */
  beginClientSpan(): Context {
    this.#ids.preset({ spanId: this.upstreamSpanId });
    return this.context();
  }

  /** Under the SERVER span, whether it exists yet or not. */
  context(): Context {
    this.#context ??= trace.setSpanContext(ROOT_CONTEXT, this.spanContext);
    return this.#context;
  }
}
