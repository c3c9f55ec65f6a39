/**
 * What the record of one call is made of, and its two appends: the intent with the sealed request, and the completion
 * with payload events, spans and the chained record, each made in one tick. Holds views on the request's and the answer's
 * bytes until they are sealed, and copies none of them. What a call's own way does not need is made when it is recorded.
 * One long class: nearly every part is made by whichever append needs it first, and kept for the other.
 */
import type { HrTime } from '@opentelemetry/api';
import type { CallEnd, CallStart } from '../mcp/observer.ts';
import type { CaptureDecision } from '../protection/seams.ts';
import type { IntentFrame } from '../spool/spool.ts';
import type { AttributeRow } from './attribute-row.ts';
import { addEnd, setTarget, spanName, startAttributes } from './call-attributes.ts';
import { measureCall } from './call-metrics.ts';
import { CALL_AT } from './call-row.ts';
import { endOpenSpan, endSpans, type UpstreamCall } from './call-spans.ts';
import { CallTrace } from './call-trace.ts';
import { learnNames } from './catalog.ts';
import { addMs, epochNanos, nanosText } from './clock.ts';
import { displayTarget } from './display-names.ts';
import { encodeIntent } from './intent.ts';
import type { ObserverContext } from './observer-context.ts';
import { combinedState, type CapturedPayload, type PayloadToCapture } from './payload-capture.ts';
import { incomingTrace } from './propagation.ts';
import { appendRecord, type AppendParts } from './record-append.ts';
import { estimateTokens } from './tokens.ts';

type Captured = CapturedPayload | Promise<CapturedPayload>;
type OnSettled = AppendParts['onSettled'];

export interface Completion {
  readonly end: CallEnd;
  /** by the monotonic clock, like `sentMs` */
  readonly endedMs: number;
  /** how often the call was sent upstream, and when first */
  readonly attempts: number;
  readonly sentMs: number;
  /** a reply waits for it */
  readonly waits: boolean;
  /** an intent was written */
  readonly settles: boolean;
  readonly onSettled: OnSettled;
}

export class CallRecord {
  readonly callId: string;
  readonly capture: CaptureDecision;
  readonly #context: ObserverContext;
  readonly #start: CallStart;
  readonly #arrivedMs: number;
  #trace: CallTrace | undefined;
  #startTime: HrTime | undefined;
  #attributes: AttributeRow | undefined;
  #target: CallStart['target'];
  #request: Captured | undefined;
  /** the request's event is on its way with the intent */
  #requestStored = false;

  constructor(context: ObserverContext, start: CallStart) {
    this.#context = context;
    this.#start = start;
    this.#arrivedMs = start.arrivedAt ?? context.clock.monotonicMs();
    this.callId = context.callId();
    // At once: what runs under this call is decided by it.
    this.capture = context.capture.decide(this.callId, start);
  }

  get trace(): CallTrace {
    const { metaTrace, httpTrace } = this.#start;
    this.#trace ??= new CallTrace(this.#context.telemetry.ids, incomingTrace(metaTrace, httpTrace));
    return this.#trace;
  }

  /** Call when it ends, at once: the client's next request may go on with it. */
  goesOn(end: CallEnd): void {
    const { asks } = end;
    if (this.#start.kind !== 'request') return;
    if (asks !== undefined) this.#context.rounds.asked(this.callId, this.#start, asks.state);
    const taskId = this.#startedTask(end);
    if (taskId !== undefined) this.#context.capture.taskStarted(taskId, this.callId, this.#start, this.capture);
  }

  /**
   * The intent, the sealed request if it is ready, and the `open` record of a stream, in one append.
   * @returns what resolves when it is settled
   */
  appendIntent(waits: boolean, onSettled: OnSettled): Promise<void> {
    const isStream = this.#start.kind === 'stream';
    const records = isStream ? 1 : 0;
    this.#context.keeper.counts.seen += records;
    try {
      const captured = this.#captureRequest();
      const request = captured instanceof Promise ? undefined : captured;
      this.#requestStored = request !== undefined;
      return appendRecord(this.#context, {
        ...this.#appendBase(),
        at: this.#startedAt(),
        payloads: request === undefined ? [] : [request],
        records,
        waits,
        intent: () => this.#intentFrame(request),
        ...(isStream ? { makeRecords: () => this.#endOpenRecord(request) } : {}),
        onUntaken: () => {
          this.#requestStored = false;
        },
        onSettled,
      });
    } catch (error) {
      return this.#context.keeper.fail({ records, waits, onSettled }, error);
    }
  }

  /** @returns what resolves when it is settled; undefined while payloads are still being sealed */
  appendCompletion(completion: Completion): Promise<void> | undefined {
    const { end, waits, onSettled } = completion;
    const fail = (error: unknown): Promise<void> => this.#context.keeper.fail({ records: 1, waits, onSettled }, error);
    try {
      learnNames(this.#context.catalog, this.#start, end, this.#shownTarget());
      const request = this.#captureRequest();
      const response = this.#captureResponse(end);
      if (!(response instanceof Promise) && !(request instanceof Promise)) {
        return this.#complete(completion, request, response);
      }
      const { sealing } = this.#context;
      const sealed = Promise.all([request, response])
        .then(([one, other]) => this.#complete(completion, one, other))
        .catch(fail)
        .finally(() => sealing.delete(sealed));
      sealing.add(sealed);
      return undefined;
    } catch (error) {
      return fail(error);
    }
  }

  #complete(completion: Completion, request: CapturedPayload, response: CapturedPayload | undefined): Promise<void> {
    const { end, endedMs, attempts, waits, settles, onSettled } = completion;
    const start = this.#start;
    const attributes = this.#row();
    addEnd(attributes, end, attempts, this.#context.pseudonyms);
    this.#markGoingOn(attributes, end);
    this.#maskTarget(attributes);
    this.#countTokens(attributes, end);
    this.#withPayload(request, response);
    const payloads = this.#requestStored ? [] : [request];
    if (response !== undefined) payloads.push(response);
    const upstream = this.#upstreamCall(completion);
    const durationMs = endedMs - this.#arrivedMs;
    // a sum is no operation: its duration is the time it is about
    // and a round is no call of its own
    if (start.leftOut === undefined && end.asks === undefined) {
      measureCall(this.#context, { start, end, attributes, durationMs, upstreamMs: upstream?.durationMs, endedMs });
    }
    const startTime = this.#startedAt();
    const endTime = this.#timeAt(endedMs);
    return appendRecord(this.#context, {
      ...this.#appendBase(),
      at: endTime,
      payloads,
      records: 1,
      waits,
      settles,
      makeRecords: () => {
        const name = this.#spanName();
        const call = { name, start, end, startTime, endTime, attributes };
        endSpans(this.#context.telemetry, this.trace, call, upstream);
      },
      onSettled,
    });
  }

  /** A call that the server answered with questions is not over. */
  #markGoingOn({ values }: AttributeRow, end: CallEnd): void {
    if (this.#start.kind !== 'request') return;
    if (end.asks !== undefined) {
      values[CALL_AT.phase] = 'open';
      values[CALL_AT.outcome] = undefined;
      values[CALL_AT.goesOn] = 'input';
    } else if (this.#startedTask(end) !== undefined) values[CALL_AT.goesOn] = 'task';
  }

  /** What is about a task names it in its answer, too, and starts none. */
  #startedTask({ startedTaskId }: CallEnd): string | undefined {
    return this.#start.taskId === undefined ? startedTaskId : undefined;
  }

  #captureRequest(): Captured {
    if (this.#request !== undefined) return this.#request;
    const { requestBody, requestBytes, requestHeaders, method } = this.#start;
    const { maxBytes } = this.capture;
    this.#request = this.#capturePayload({
      direction: 'request',
      headers: requestHeaders,
      chunks: [requestBody.byteLength > maxBytes ? requestBody.subarray(0, maxBytes) : requestBody],
      bytes: requestBytes ?? requestBody.byteLength,
      format: method === '' ? 'text' : 'json',
    });
    return this.#request;
  }

  #captureResponse({ response, responseHeaders }: CallEnd): Captured | undefined {
    if (response === undefined && responseHeaders === undefined) return undefined;
    return this.#capturePayload({
      direction: 'response',
      headers: responseHeaders ?? [],
      chunks: response?.chunks ?? [],
      bytes: response?.bytes ?? 0,
      format: response?.format ?? 'text',
    });
  }

  #capturePayload(part: Pick<PayloadToCapture, 'direction' | 'headers' | 'chunks' | 'bytes' | 'format'>): Captured {
    const payload: PayloadToCapture = {
      callId: this.callId,
      direction: part.direction,
      mode: this.capture.mode,
      userKey: this.#start.caller.userKey,
      server: String(this.#row().values[CALL_AT.server]),
      headers: part.headers,
      chunks: part.chunks,
      bytes: part.bytes,
      format: part.format,
    };
    return this.#context.payloads.capture(payload, nanosText(this.#startedAt()));
  }

  #appendBase(): Pick<AppendParts, 'startedAtNs' | 'userKey' | 'spanContext'> {
    return {
      startedAtNs: epochNanos(this.#startedAt()),
      userKey: this.#start.caller.userKey,
      spanContext: this.trace.context(),
    };
  }

  #intentFrame(request: CapturedPayload | undefined): IntentFrame {
    const { spanContext, incoming } = this.trace;
    const { traceId, spanId, traceFlags } = spanContext;
    const bytes = encodeIntent({
      v: 1,
      spanName: this.#spanName(),
      traceId,
      spanId,
      traceFlags,
      ...(incoming.parent === undefined ? {} : { parentSpanId: incoming.parent.spanId }),
      startTime: this.#startedAt(),
      attributes: this.#withPayload(request, undefined).toObject(),
    });
    return { type: 'intent', callId: this.callId, bytes };
  }

  #endOpenRecord(request: CapturedPayload | undefined): void {
    const attributes = this.#withPayload(request, undefined).copy();
    attributes.values[CALL_AT.phase] = 'open';
    const open = { name: this.#spanName(), startTime: this.#startedAt(), attributes };
    endOpenSpan(this.#context.telemetry, this.trace, open);
  }

  /** undefined when nothing was sent */
  #upstreamCall({ end, endedMs, attempts, sentMs }: Completion): UpstreamCall | undefined {
    if (attempts === 0) return undefined;
    // The span never outlasts the call.
    const longestMs = endedMs - sentMs;
    const durationMs = end.upstreamMs === undefined ? longestMs : Math.min(end.upstreamMs, longestMs);
    return { durationMs, startTime: this.#timeAt(sentMs), endTime: this.#timeAt(sentMs + durationMs) };
  }

  /** Only results of requests end in an agent's context. */
  #countTokens(row: AttributeRow, { response, outcome }: CallEnd): void {
    if (response === undefined || this.#start.kind !== 'request') return;
    if (outcome !== 'success' && outcome !== 'tool_error') return;
    row.values[CALL_AT.tokens] = estimateTokens(response);
  }

  /** The attributes so far. */
  #row(): AttributeRow {
    if (this.#attributes !== undefined) return this.#attributes;
    this.#attributes = startAttributes(this.#start, {
      callId: this.callId,
      pseudonyms: this.#context.pseudonyms,
      mode: this.capture.mode,
      demo: this.#context.demo,
      httpTraceLinked: this.trace.incoming.link !== undefined,
    });
    this.#maskTarget(this.#attributes);
    return this.#attributes;
  }

  /** What the call is about, fit to be shown once the upstream server is known to have it. */
  #shownTarget(): CallStart['target'] {
    const { target } = this.#start;
    if (target === undefined) return undefined;
    this.#target ??= { type: target.type, name: displayTarget(target.type, target.name) };
    return this.#target;
  }

  #maskTarget(row: AttributeRow): void {
    const target = this.#shownTarget();
    if (target === undefined) return;
    setTarget(row, target.type, this.#context.catalog.displayed(this.#start.server, target.type, target.name));
  }

  #spanName(): string {
    const { values } = this.#row();
    const name = values[CALL_AT.tool] ?? values[CALL_AT.prompt];
    return spanName(String(values[CALL_AT.method]), this.#start.target?.type, typeof name === 'string' ? name : '');
  }

  #withPayload(request: CapturedPayload | undefined, response: CapturedPayload | undefined): AttributeRow {
    const row = this.#row();
    row.values[CALL_AT.payloadState] = combinedState(request, response);
    if (request !== undefined && request.sha256 !== '') row.values[CALL_AT.requestSha256] = request.sha256;
    if (response !== undefined && response.sha256 !== '') row.values[CALL_AT.responseSha256] = response.sha256;
    return row;
  }

  /** Arrival; read soon after it, and kept, so that the system clock can be set meanwhile. */
  #startedAt(): HrTime {
    this.#startTime ??= this.#context.time.at(this.#arrivedMs);
    return this.#startTime;
  }

  /** Epoch time of a later instant, on the time scale of this call's start. */
  #timeAt(monotonicMs: number): HrTime {
    return addMs(this.#startedAt(), monotonicMs - this.#arrivedMs);
  }
}
