/**
 * One call on its way: begins its SERVER span, puts the intent (and the sealed request) on disk, and at the end makes
 * payload events, spans and the chained record in one tick and one append. A call ends once; whatever comes later is
 * ignored. Holds views on the request's bytes until the call is over, and copies none of them.
 */
import { ROOT_CONTEXT, SpanKind, trace, type Context, type HrTime, type Span } from '@opentelemetry/api';
import type { CallEnd, CallObservation, CallStart, TraceContextCarrier } from '../mcp/observer.ts';
import type { CaptureDecision } from '../protection/seams.ts';
import type { IntentFrame } from '../spool/spool.ts';
import {
  addEnd,
  clientSpanAttributes,
  setTarget,
  spanName,
  spanStatus,
  startAttributes,
  type CallAttributes,
} from './call-attributes.ts';
import { measureCall } from './call-metrics.ts';
import { learnNames, type TargetType } from './catalog.ts';
import { addMs, epochNanos } from './clock.ts';
import { displayTarget } from './display-names.ts';
import { encodeIntent } from './intent.ts';
import type { ObserverContext } from './observer-context.ts';
import { combinedState, type CapturedPayload, type PayloadToCapture } from './payload-capture.ts';
import { incomingTrace, outgoingTrace } from './propagation.ts';
import { appendRecord, type AppendParts } from './record-append.ts';
import { CALL_ATTR } from './record-attributes.ts';
import { estimateTokens } from './tokens.ts';
import * as semconv from './semconv.ts';
import { UpstreamSpan } from './upstream-span.ts';

const DONE = Promise.resolve();

export class ObservedCall implements CallObservation {
  readonly callId: string;
  readonly upstreamTrace: TraceContextCarrier;
  readonly captureBytes: number;

  readonly #context: ObserverContext;
  readonly #start: CallStart;
  readonly #capture: CaptureDecision;
  readonly #arrivedMs: number;
  readonly #startTime: HrTime;
  /** decimal: the key of the payload rows */
  readonly #startedAt: string;
  readonly #attributes: CallAttributes;
  readonly #span: Span;
  readonly #spanContext: Context;
  readonly #appendBase: Pick<AppendParts, 'startedAtNs' | 'userKey' | 'spanContext'>;
  readonly #upstream: UpstreamSpan;
  readonly #target: { readonly type: TargetType; readonly name: string } | undefined;
  readonly #request: CapturedPayload | Promise<CapturedPayload>;
  readonly #intent: Promise<void>;
  /** the request's event is on its way with the intent */
  #requestStored = false;
  #ended: Promise<void> | undefined;

  constructor(context: ObserverContext, callId: string, start: CallStart) {
    this.#context = context;
    this.#start = start;
    this.callId = callId;
    const { telemetry, pseudonyms, demo } = context;
    context.keeper.counts.seen += 1;
    this.#arrivedMs = start.arrivedAt ?? context.clock.monotonicMs();
    this.#startTime = context.time.at(this.#arrivedMs);
    const startedAtNs = epochNanos(this.#startTime);
    this.#startedAt = startedAtNs.toString();
    this.#capture = context.capture.decide(callId, start);
    this.captureBytes = this.#capture.mode === 'off' ? 0 : this.#capture.maxBytes;
    this.#target =
      start.target === undefined
        ? undefined
        : { type: start.target.type, name: displayTarget(start.target.type, start.target.name) };

    const incoming = incomingTrace(start.metaTrace, start.httpTrace);
    this.#attributes = startAttributes(start, {
      callId,
      pseudonyms,
      mode: this.#capture.mode,
      demo,
      httpTraceLinked: incoming.link !== undefined,
    });
    this.#maskTarget();
    const parent = incoming.parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, incoming.parent);
    this.#span = telemetry.tracer.startSpan(
      this.#spanName(),
      {
        kind: SpanKind.SERVER,
        startTime: this.#startTime,
        ...(incoming.link === undefined ? {} : { links: [{ context: incoming.link }] }),
      },
      parent
    );
    this.#spanContext = trace.setSpan(ROOT_CONTEXT, this.#span);
    this.#appendBase = { startedAtNs, userKey: start.caller.userKey, spanContext: this.#spanContext };
    const own = this.#span.spanContext();
    this.#upstream = new UpstreamSpan(telemetry);
    this.upstreamTrace = outgoingTrace(own.traceId, this.#upstream.spanId, own.traceFlags, incoming);
    this.#request = this.#captureRequest();
    this.#intent = this.#appendIntent(incoming.parent?.spanId);
  }

  intent(): Promise<void> {
    return this.#intent;
  }

  upstreamStarted(): void {
    if (this.#ended !== undefined) return;
    const nowMs = this.#context.clock.monotonicMs();
    this.#upstream.started(this.#spanName(), nowMs, this.#timeAt(nowMs), this.#spanContext);
  }

  end(end: CallEnd): Promise<void> {
    if (this.#ended === undefined) {
      this.#ended = this.#end(end);
      // A relay whose client is gone may not look at it.
      this.#ended.catch(() => undefined);
    }
    return this.#ended;
  }

  #end(end: CallEnd): Promise<void> {
    const endedMs = this.#context.clock.monotonicMs();
    learnNames(this.#context.catalog, this.#start, end);
    const response = this.#captureResponse(end);
    if (!(response instanceof Promise) && !(this.#request instanceof Promise)) {
      return this.#complete(end, endedMs, this.#request, response);
    }
    return Promise.all([this.#request, response]).then(([one, other]) => this.#complete(end, endedMs, one, other));
  }

  #captureRequest(): CapturedPayload | Promise<CapturedPayload> {
    const { requestBody, requestBytes, requestHeaders, method } = this.#start;
    const { maxBytes } = this.#capture;
    return this.#capturePayload({
      direction: 'request',
      headers: requestHeaders,
      chunks: [requestBody.byteLength > maxBytes ? requestBody.subarray(0, maxBytes) : requestBody],
      bytes: requestBytes ?? requestBody.byteLength,
      format: method === '' ? 'text' : 'json',
    });
  }

  #captureResponse({ response, responseHeaders }: CallEnd): CapturedPayload | Promise<CapturedPayload> | undefined {
    if (response === undefined && responseHeaders === undefined) return undefined;
    return this.#capturePayload({
      direction: 'response',
      headers: responseHeaders ?? [],
      ...(response ?? { chunks: [], bytes: 0, format: 'text' }),
    });
  }

  #capturePayload(
    part: Pick<PayloadToCapture, 'direction' | 'headers' | 'chunks' | 'bytes' | 'format'>
  ): CapturedPayload | Promise<CapturedPayload> {
    const payload: PayloadToCapture = {
      ...part,
      callId: this.callId,
      mode: this.#capture.mode,
      userKey: this.#start.caller.userKey,
      server: String(this.#attributes[CALL_ATTR.server]),
    };
    return this.#context.payloads.capture(payload, this.#startedAt);
  }

  /** The intent, the sealed request if it is ready, and the `open` record of a stream, in one append. */
  #appendIntent(parentSpanId: string | undefined): Promise<void> {
    const { kind } = this.#start;
    // What never reaches an upstream server leaves nothing to find out after a crash.
    if (kind === 'attempt') return DONE;
    const request = this.#request instanceof Promise ? undefined : this.#request;
    this.#requestStored = request !== undefined;
    return appendRecord(this.#context, {
      ...this.#appendBase,
      at: this.#startTime,
      payloads: request === undefined ? [] : [request],
      records: 0,
      intent: () => this.#intentFrame(request, parentSpanId),
      ...(kind === 'stream' ? { makeRecords: () => this.#endOpenRecord(request) } : {}),
      onRefused: () => {
        this.#requestStored = false;
      },
    });
  }

  #intentFrame(request: CapturedPayload | undefined, parentSpanId: string | undefined): IntentFrame {
    const { traceId, spanId, traceFlags } = this.#span.spanContext();
    const bytes = encodeIntent({
      v: 1,
      spanName: this.#spanName(),
      traceId,
      spanId,
      traceFlags,
      ...(parentSpanId === undefined ? {} : { parentSpanId }),
      startTime: this.#startTime,
      attributes: this.#withPayload(request, undefined),
    });
    return { type: 'intent', callId: this.callId, bytes };
  }

  /** A record of its own (and a span of its own, a child): the row is replaced when the stream ends. */
  #endOpenRecord(request: CapturedPayload | undefined): void {
    const attributes = this.#withPayload(request, undefined);
    const open = this.#context.telemetry.tracer.startSpan(
      this.#spanName(),
      { kind: SpanKind.INTERNAL, startTime: this.#startTime },
      this.#spanContext
    );
    open.setAttributes({ ...attributes, [CALL_ATTR.phase]: 'open' });
    open.end(this.#startTime);
  }

  #complete(
    end: CallEnd,
    endedMs: number,
    request: CapturedPayload,
    response: CapturedPayload | undefined
  ): Promise<void> {
    const endTime = this.#timeAt(endedMs);
    addEnd(this.#attributes, end, this.#upstream.attempts, this.#context.pseudonyms);
    this.#maskTarget();
    this.#countTokens(end);
    const attributes = this.#withPayload(request, response);
    const payloads = this.#requestStored ? [] : [request];
    if (response !== undefined) payloads.push(response);
    const upstream = this.#upstream.wasStarted
      ? {
          attributes: clientSpanAttributes(attributes, this.#start),
          durationMs: this.#upstream.durationMs(end, endedMs),
        }
      : undefined;
    const kept = appendRecord(this.#context, {
      ...this.#appendBase,
      at: endTime,
      payloads,
      records: 1,
      makeRecords: () => {
        const name = this.#spanName();
        if (upstream !== undefined) {
          this.#upstream.end(name, upstream.attributes, end, upstream.durationMs, (ms) => this.#timeAt(ms));
        }
        this.#span.updateName(name);
        this.#span.setAttributes(attributes);
        const status = spanStatus(end.outcome, end.rpcErrorCode, 'server');
        if (status !== undefined) this.#span.setStatus(status);
        this.#span.end(endTime);
      },
    });
    // a sum is no operation: its duration is the time it is about
    if (this.#start.leftOut !== undefined) return kept;
    measureCall(this.#context, {
      kind: this.#start.kind,
      end,
      attributes,
      durationMs: endedMs - this.#arrivedMs,
      ...(upstream === undefined ? {} : { upstream }),
      endedMs,
    });
    return kept;
  }

  /** Only results of requests end in an agent's context. */
  #countTokens({ response, outcome }: CallEnd): void {
    if (response === undefined || this.#start.kind !== 'request') return;
    if (outcome !== 'success' && outcome !== 'tool_error') return;
    this.#attributes[CALL_ATTR.tokens] = estimateTokens(response);
  }

  #maskTarget(): void {
    if (this.#target === undefined) return;
    const { type, name } = this.#target;
    setTarget(this.#attributes, type, this.#context.catalog.displayed(this.#start.server, type, name));
  }

  #spanName(): string {
    const method = String(this.#attributes[semconv.ATTR_MCP_METHOD_NAME]);
    const name = this.#attributes[semconv.ATTR_GEN_AI_TOOL_NAME] ?? this.#attributes[semconv.ATTR_GEN_AI_PROMPT_NAME];
    return spanName(method, this.#target?.type, typeof name === 'string' ? name : '');
  }

  #withPayload(request: CapturedPayload | undefined, response: CapturedPayload | undefined): CallAttributes {
    const attributes = this.#attributes;
    attributes[CALL_ATTR.payloadState] = combinedState(request, response);
    if (request !== undefined && request.sha256 !== '') attributes[CALL_ATTR.requestSha256] = request.sha256;
    if (response !== undefined && response.sha256 !== '') attributes[CALL_ATTR.responseSha256] = response.sha256;
    return attributes;
  }

  /** Epoch time of a later instant, on the time scale of this call's start. */
  #timeAt(monotonicMs: number): HrTime {
    return addMs(this.#startTime, monotonicMs - this.#arrivedMs);
  }
}
