/**
 * The records of one exchange with an HTTP upstream: one for each message that passes, in either direction. The relay
 * tells what passes; what comes back is the promise that must be settled before the client may see it. Knows no bytes
 * of HTTP. Every record it opens is ended: by an answer, a failure, the client's leaving, or later by `OpenCalls`.
 * Longer than usual: all ways in which a record can end stand side by side, so that none is forgotten.
 */
import { wireError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import type { BodyCapture } from './body-capture.ts';
import type { Exchange, RecordedAt } from './exchange.ts';
import type { ScanResult } from './json-scanner.ts';
import { idKey } from './message-builder.ts';
import type { ReceivedMessage, ScannedMessage } from './message.ts';
import type { CallEnd, CallObservation, CapturedBody, HeaderList } from './observer.ts';
import { OpenCall } from './open-calls.ts';
import type { OpenCalls } from './open-calls.ts';
import { LISTEN } from './endless.ts';
import { listedIn, verdictOf } from './outcome.ts';
import type { Verdict } from './outcome.ts';
import type { ServerRequests } from './server-requests.ts';
import type { SessionDirectory } from './sessions.ts';
import { isStateless } from './stateless-request.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export interface RecordsContext {
  readonly at: RecordedAt;
  readonly openCalls: OpenCalls;
  readonly serverRequests: ServerRequests;
  readonly sessions: SessionDirectory;
  /** how long a call whose stream broke may still be answered on a resumed one */
  readonly resumeGraceMs: number;
}

interface Delivery {
  readonly observation: CallObservation;
  readonly message: ReceivedMessage;
}

const PROGRESS = 'notifications/progress';
/** Of one stream; what passes beyond it waits for its record. */
const UNRECORDED_BYTES = 262_144;

const GONE = { outcome: 'cancelled', errorType: 'client_gone' } as const;

export class ExchangeRecords {
  readonly calls: OpenCall[] = [];
  /** the trace context that each message of the body takes upstream */
  readonly traced: { readonly message: ReceivedMessage; readonly trace: CallObservation['upstreamTrace'] }[] = [];
  readonly #exchange: Exchange;
  readonly #context: RecordsContext;
  readonly #onLost: () => void;
  readonly #notices: CallObservation[] = [];
  readonly #deliveries: Delivery[] = [];
  readonly #stream: CallObservation | undefined;
  readonly #initialize: ReceivedMessage | undefined;
  /** the one request is a listen stream */
  readonly #listens: boolean;
  #scope: string;
  #sentAtMs = 0;
  #firstByteAtMs: number | undefined;
  #status = 0;
  #responseHeaders: HeaderList | undefined;
  #openedSession: string | undefined;
  /** who lost the stream may come back for the rest: the client with its last event id … */
  #hasEventIds = false;
  /** … and then this call is known by its session */
  #resumable = false;
  /** of notifications whose records are on their way to the disk */
  #unrecordedBytes = 0;
  #noticesEnded: Promise<unknown> | undefined;

  /** @param onLost a record of something that was not held up could not be kept */
  constructor(exchange: Exchange, context: RecordsContext, onLost: () => void) {
    this.#exchange = exchange;
    this.#context = context;
    this.#onLost = onLost;
    this.#scope = scopeOf(exchange.server, exchange.session.id);
    for (const message of exchange.messages) {
      if (message.kind === 'response') this.#openResponse(message);
      else this.#openMessage(message);
      if (message.method === 'initialize') this.#initialize = message;
    }
    this.#listens = exchange.messages[0]?.method === LISTEN;
    if (exchange.httpMethod === 'GET') this.#stream = exchange.begin(undefined, context.at);
  }

  /** Response bytes worth keeping, over all records of the exchange. */
  get captureBytes(): number {
    let most = this.#stream?.captureBytes ?? 0;
    for (const call of this.calls) most = Math.max(most, call.observation.captureBytes);
    for (const notice of this.#notices) most = Math.max(most, notice.captureBytes);
    return most;
  }

  /** The context for the HTTP headers: the first record's. */
  get trace(): CallObservation['upstreamTrace'] | undefined {
    return (this.calls[0]?.observation ?? this.#notices[0] ?? this.#stream)?.upstreamTrace;
  }

  /** True when nobody but the client of this exchange waits for what the upstream does. */
  get abortable(): boolean {
    return this.calls.length > 0 || this.#stream !== undefined;
  }

  intents(): Promise<unknown> {
    const only = this.calls[0];
    if (this.calls.length === 1 && only !== undefined && this.#notices.length === 0) return only.observation.intent();
    const all = [...this.calls.map((call) => call.observation), ...this.#notices];
    if (this.#stream !== undefined) all.push(this.#stream);
    return Promise.all(all.map((observation) => observation.intent()));
  }

  /** The client waits for the intents alone. */
  hurry(): void {
    for (const call of this.calls) call.observation.hurry();
    for (const notice of this.#notices) notice.hurry();
    this.#stream?.hurry();
  }

  sent(): void {
    this.#sentAtMs = performance.now();
    for (const call of this.calls) {
      call.sentAtMs = this.#sentAtMs;
      call.observation.upstreamStarted();
    }
    for (const notice of this.#notices) notice.upstreamStarted();
    this.#stream?.upstreamStarted();
  }

  answered(status: number, headers: HeaderList, sessionId: string | undefined): void {
    this.#firstByteAtMs = performance.now();
    for (const call of this.calls) call.firstByteAtMs = this.#firstByteAtMs;
    this.#status = status;
    this.#responseHeaders = headers;
    if (sessionId !== undefined && sessionId !== this.#exchange.sessionId) {
      this.#openedSession = sessionId;
      // before the client learns of it; `initialize` adds the rest
      const { server, caller } = this.#exchange;
      if (status < 400) this.#context.sessions.opened(server, sessionId, caller.userKey);
      this.#scope = scopeOf(this.#exchange.server, sessionId);
    }
  }

  /** The stream has event ids: who loses it may come back for the rest. */
  eventIdSeen(): void {
    this.#hasEventIds = true;
    this.#resumable = this.#exchange.sessionId !== undefined || this.#openedSession !== undefined;
  }

  /**
   * Ids of calls that nobody will answer once this stream is over, as sent. A client that can resume it waits on; one
   * that listens waits for no answer, and the end of its stream says all.
   */
  get strandedIds(): readonly string[] {
    if (this.#listens) return [];
    if (this.#hasEventIds && !isStateless(this.#exchange)) return [];
    // to one that was cancelled the protocol wants no answer
    return this.calls.filter((call) => !call.ended && !call.cancelRequested).map((call) => call.id);
  }

  /** Ends what needs no JSON-RPC answer: notifications, and the client's answers to server requests. */
  noticesAccepted(): Promise<unknown> {
    if (this.#notices.length === 0 && this.#deliveries.length === 0) return Promise.resolve();
    return this.#endNotices(this.#status < 300 ? { outcome: 'success' } : this.#httpFailure(), undefined);
  }

  /** A complete body that is no event stream. */
  body(scan: ScanResult, capture: BodyCapture): Promise<unknown> {
    if (this.#exchange.httpMethod === 'DELETE' && this.#status < 300) this.#sessionDeleted();
    const messages = scan.ok ? scan.body.messages : [];
    const responses = messages.filter((message) => message.kind === 'response');
    const ends: Promise<unknown>[] = [];
    const stray = responses.find((message) => message.hasError && this.#ownCall(message) === undefined);
    const failure = stray === undefined ? this.#httpFailure() : verdictOf(stray);
    const batch = scan.ok && scan.body.batch && capture.whole ? capture.joined() : undefined;
    const whole: CapturedBody = capture.body(scan.ok ? 'json' : 'text');
    for (const message of responses) {
      const call = this.#ownCall(message);
      // in nobody else's record: what came too late, or beside the answers in a batch
      if (call?.ended === true || (call === undefined && batch !== undefined)) {
        ends.push(this.#answerOfNoCall(message, batch?.subarray(message.range.start, message.range.end), capture));
      }
    }
    for (const call of this.calls) {
      const found = responses.find((message) => message.id !== undefined && idKey(message.id) === call.key);
      const response = bodyOrNothing(call.observation, partOf(batch, found) ?? whole);
      if (found !== undefined) ends.push(this.#answer(call, found, response));
      else ends.push(call.end(this.#end(call, this.#unlessCancelled(call, failure), response)));
    }
    const accepted = this.#status >= 200 && this.#status < 300 && stray === undefined;
    ends.push(this.#endNotices(accepted ? { outcome: 'success' } : failure, capture.bytes > 0 ? whole : undefined));
    if (this.#stream !== undefined) ends.push(this.#stream.end({ ...this.#base(), ...failure, response: whole }));
    for (const message of messages) {
      if (message.kind === 'response') continue;
      const settled = this.passing(message, capture, capture);
      if (settled !== undefined) ends.push(settled);
    }
    return Promise.all(ends);
  }

  /**
   * A message of an event stream.
   * @param event the message's bytes
   * @param stream all bytes of the stream so far
   * @returns what must be settled before the client may see it whole; undefined: nothing. Notifications and the
   * server's own requests are not held up; if their record is lost, `onLost` ends the stream.
   */
  passing(message: ScannedMessage, event: BodyCapture, stream: BodyCapture): Promise<unknown> | undefined {
    if (message.kind === 'response') return this.#passingResponse(message, event, stream);
    if (message.kind === 'request') {
      const key = idKey(message.id ?? 'null');
      // replayed on a resumed stream: the client was asked once
      if (this.#context.serverRequests.has(this.#scope, key)) return undefined;
      const observation = this.#beginFromUpstream(message, event, 'server_request');
      this.#context.serverRequests.add(this.#scope, key, observation);
      observation.intent().catch(this.#onLost);
      return undefined;
    }
    if (message.kind === 'notification') {
      if (message.method === 'notifications/cancelled' && message.requestId !== undefined) {
        this.#context.serverRequests.cancel(this.#scope, idKey(message.requestId));
      }
      return this.#notified(message, event);
    }
    return undefined;
  }

  /** Not held up, unless more comes than can be recorded: then the upstream waits, not our memory. */
  #notified(message: ScannedMessage, event: BodyCapture): Promise<unknown> | undefined {
    const ended = this.#beginFromUpstream(message, event, 'notification').end({ outcome: 'success' });
    const { bytes } = event;
    this.#unrecordedBytes += bytes;
    const settled = (): void => {
      this.#unrecordedBytes -= bytes;
    };
    ended.then(settled, () => {
      settled();
      this.#onLost();
    });
    return this.#unrecordedBytes > UNRECORDED_BYTES ? ended : undefined;
  }

  /**
   * The upstream closed the event stream in good order.
   * @param rpcErrorCode what the client is told for each of `strandedIds`
   */
  streamEnded(stream: BodyCapture, rpcErrorCode?: number): Promise<unknown> {
    const response = stream.body('sse');
    const told = rpcErrorCode === undefined ? {} : { rpcErrorCode };
    const ends: Promise<unknown>[] = [];
    for (const call of this.calls) {
      if (call.ended) continue;
      const inOrder = this.#listens && this.#status < 300;
      const verdict: Verdict = inOrder ? { outcome: 'success' } : { ...this.#httpFailure(), ...told };
      const end = this.#end(call, this.#unlessCancelled(call, verdict), response);
      if (this.#resumable && this.#status < 300)
        this.#context.openCalls.endLater(call, end, this.#context.resumeGraceMs);
      else ends.push(call.end(end));
    }
    const ok: Verdict = this.#status < 300 ? { outcome: 'success' } : this.#httpFailure();
    if (this.#stream !== undefined) ends.push(this.#stream.end({ ...this.#base(), ...ok, response }));
    return Promise.all(ends);
  }

  /**
   * The upstream failed.
   * @param answer what the client gets instead; undefined when its answer had begun
   * @param told the answer was an event stream, on which the client gets an error for each of `strandedIds`
   */
  failed(code: ErrorCode, answer: Uint8Array | undefined, stream: BodyCapture, told = false): Promise<unknown> {
    const wire = wireError(code);
    const outcome = code === 'upstream_timeout' ? 'timeout' : 'upstream_unreachable';
    const verdict: Verdict = {
      outcome,
      errorType: code,
      ...(answer === undefined && !told ? {} : { rpcErrorCode: wire.rpcCode }),
    };
    const response: CapturedBody | undefined =
      answer === undefined
        ? stream.bytes > 0
          ? stream.body(told ? 'sse' : 'text')
          : undefined
        : { chunks: [answer], bytes: answer.length, format: 'json' };
    if (answer !== undefined) this.#status = wire.status;
    const ends: Promise<unknown>[] = [];
    for (const call of this.calls) {
      if (call.ended) continue;
      const end = this.#end(call, this.#unlessCancelled(call, verdict), response);
      if (this.#resumable && answer === undefined)
        this.#context.openCalls.endLater(call, end, this.#context.resumeGraceMs);
      else ends.push(call.end(end));
    }
    ends.push(this.#endNotices(verdict, response));
    if (this.#stream !== undefined) {
      ends.push(this.#stream.end({ ...this.#base(), ...verdict, ...(response === undefined ? {} : { response }) }));
    }
    return Promise.all(ends);
  }

  /** The client left before its answer was complete. */
  clientGone(stream?: BodyCapture): void {
    const response = stream !== undefined && stream.bytes > 0 ? stream.body('text') : undefined;
    const ends: Promise<unknown>[] = [];
    for (const call of this.calls) {
      const end = this.#end(call, GONE, response);
      if (this.#resumable) this.#context.openCalls.endLater(call, end, this.#context.resumeGraceMs);
      else ends.push(call.end(end));
    }
    ends.push(this.#endNotices(GONE, undefined));
    if (this.#stream !== undefined) {
      ends.push(this.#stream.end({ ...this.#base(), ...GONE, ...(response === undefined ? {} : { response }) }));
    }
    Promise.all(ends).catch(() => undefined);
  }

  /** A record could not be kept, so the client gets nothing. Whatever can still be recorded is. */
  auditLost(): void {
    const denied = { outcome: 'denied', errorType: 'audit_unavailable', deniedBy: 'audit', httpStatus: 503 } as const;
    const ends: Promise<unknown>[] = this.calls.map((call) => call.end(denied));
    ends.push(this.#endNotices(denied, undefined));
    if (this.#stream !== undefined) ends.push(this.#stream.end(denied));
    for (const end of ends) end.catch(() => undefined);
  }

  #sessionDeleted(): void {
    this.#context.openCalls.endSession(this.#scope);
    this.#context.serverRequests.endSession(this.#scope);
    this.#context.sessions.forget(this.#exchange.server, this.#exchange.session.id);
  }

  #openMessage(message: ReceivedMessage): void {
    const observation = this.#exchange.begin(message, this.#context.at);
    this.traced.push({ message, trace: observation.upstreamTrace });
    if (message.kind === 'request') {
      const call = new OpenCall(observation, message.id ?? 'null', message.progressToken);
      this.calls.push(call);
      this.#context.openCalls.add(this.#scope, call);
      return;
    }
    this.#notices.push(observation);
    if (message.method === 'notifications/cancelled' && message.requestId !== undefined) {
      this.#context.openCalls.cancel(this.#scope, idKey(message.requestId));
    }
  }

  /** The client answers a request of the server. One that nobody knows passes too, but not without a record. */
  #openResponse(message: ReceivedMessage): void {
    const key = idKey(message.id ?? 'null');
    const observation = this.#context.serverRequests.take(this.#scope, key);
    if (observation !== undefined) this.#deliveries.push({ observation, message });
    else this.#notices.push(this.#exchange.begin(message, this.#context.at));
  }

  #passingResponse(message: ScannedMessage, event: BodyCapture, stream: BodyCapture): Promise<unknown> {
    const open = this.calls.filter((call) => !call.ended);
    const only = open.length === 1 ? open[0] : undefined;
    const anonymous = message.hasError && (message.id === undefined || message.id === 'null');
    const call = this.#ownCall(message) ?? this.#resumedCall(message) ?? (anonymous ? only : undefined);
    // a second answer, or one after the call was given up: it passes, so it needs a record of its own
    if (call === undefined || call.ended) return this.#answerOfNoCall(message, undefined, event);
    const alone = this.calls.length === 1 && this.calls[0] === call && stream.whole;
    return this.#answer(
      call,
      message,
      bodyOrNothing(call.observation, alone ? stream.body('sse') : event.body('json'))
    );
  }

  /** @param bytes the message alone, when `event` holds more */
  #answerOfNoCall(message: ScannedMessage, bytes: Buffer | undefined, event: BodyCapture): Promise<unknown> {
    const parent = this.#ownCall(message)?.observation ?? this.#stream ?? this.calls[0]?.observation;
    return this.#beginFromUpstream(message, event, 'notification', parent, bytes).end(this.#verdictOf(message));
  }

  #ownCall(message: ScannedMessage): OpenCall | undefined {
    if (message.id === undefined) return undefined;
    const key = idKey(message.id);
    return this.calls.find((call) => call.key === key);
  }

  #resumedCall(message: ScannedMessage): OpenCall | undefined {
    return message.id === undefined ? undefined : this.#context.openCalls.find(this.#scope, idKey(message.id));
  }

  #answer(call: OpenCall, message: ScannedMessage, response: CapturedBody): Promise<unknown> {
    const end = this.#end(call, this.#unlessCancelled(call, this.#verdictOf(message)), response);
    const listed = listedIn(message);
    if (listed !== undefined) end.listed = listed;
    if (message.resultProtocolVersion !== undefined) end.protocolVersion = message.resultProtocolVersion;
    if (this.#initialize !== undefined && message.hasResult) this.#sessionOpened(end, message);
    return call.end(end);
  }

  #sessionOpened(end: Mutable<CallEnd>, answer: ScannedMessage): void {
    const { server, session, caller } = this.#exchange;
    const client = this.#initialize?.client;
    if (this.#openedSession !== undefined) end.session = { id: this.#openedSession, kind: 'mcp' };
    this.#context.sessions.learn(server, this.#openedSession ?? session.id, {
      userKey: caller.userKey,
      ...(client === undefined ? {} : { client }),
      ...(answer.resultProtocolVersion === undefined ? {} : { protocolVersion: answer.resultProtocolVersion }),
    });
  }

  #endNotices(verdict: Verdict, response: CapturedBody | undefined): Promise<unknown> {
    if (this.#noticesEnded !== undefined) return this.#noticesEnded;
    if (this.#notices.length === 0 && this.#deliveries.length === 0) return Promise.resolve();
    const ends: Promise<unknown>[] = [];
    for (const notice of this.#notices) {
      ends.push(notice.end({ ...this.#base(), ...verdict, ...(response === undefined ? {} : { response }) }));
    }
    for (const { observation, message } of this.#deliveries) {
      const chunks = observation.captureBytes > 0 ? [message.bytes.subarray(0, observation.captureBytes)] : [];
      const answer: CapturedBody = { chunks, bytes: message.bytes.length, format: 'json' };
      const outcome = verdict.outcome === 'success' ? verdictOf(message) : verdict;
      ends.push(observation.end({ ...this.#base(), ...outcome, response: answer }));
    }
    return (this.#noticesEnded = Promise.all(ends));
  }

  /** The call whose progress it is, if it is here or was begun on a stream that is gone; else whose stream it came on. */
  #parentOf(message: ScannedMessage): CallObservation | undefined {
    return this.#progressing(message)?.observation ?? this.#stream ?? this.calls[0]?.observation;
  }

  #progressing(message: ScannedMessage): OpenCall | undefined {
    if (message.method !== PROGRESS || message.progressToken === undefined) return undefined;
    const key = idKey(message.progressToken);
    return this.#callsHere().find((call) => call.progressKey === key);
  }

  /** A stream that was resumed carries what belongs to calls of other exchanges. */
  #callsHere(): readonly OpenCall[] {
    return this.calls.length > 0 ? this.calls : this.#context.openCalls.of(this.#scope);
  }

  #mayBelongTo(message: ScannedMessage): readonly string[] {
    if (message.kind === 'response') return [];
    return this.#callsHere().map((call) => call.observation.callId);
  }

  #beginFromUpstream(
    message: ScannedMessage,
    event: BodyCapture,
    kind: 'notification' | 'server_request',
    parent = this.#parentOf(message),
    alone?: Buffer
  ): CallObservation {
    const bytes = alone ?? event.joined();
    return this.#exchange.begin({ ...message, bytes }, this.#context.at, {
      kind,
      parentCallId: parent?.callId ?? '',
      underCallIds: this.#mayBelongTo(message),
      // progress of a call that is over belongs to a task of it, whichever that is
      ...(message.method === PROGRESS && message.relatedTaskId === undefined && this.#progressing(message) === undefined
        ? { taskId: '' }
        : {}),
      requestBody: bytes,
      ...(alone !== undefined || event.whole ? {} : { requestBytes: event.bytes }),
    });
  }

  /** Clients take a result with a status of failure for a failure. */
  #verdictOf(message: ScannedMessage): Verdict {
    const verdict = verdictOf(message);
    return this.#status >= 300 && verdict.outcome === 'success' ? this.#httpFailure() : verdict;
  }

  /** An answer in which the expected JSON-RPC response is missing. */
  #httpFailure(): Verdict {
    const errorType = this.#status >= 300 ? `http_${this.#status}` : 'upstream_protocol';
    return { outcome: 'upstream_unreachable', errorType };
  }

  #unlessCancelled(call: OpenCall, verdict: Verdict): Verdict {
    if (!call.cancelRequested || verdict.outcome === 'success' || verdict.outcome === 'tool_error') return verdict;
    // silence is what the protocol asks for then
    if (verdict.errorType === 'upstream_protocol' || verdict.errorType === 'upstream_timeout')
      return { outcome: 'cancelled' };
    return { ...verdict, outcome: 'cancelled' };
  }

  #end(call: OpenCall, verdict: Verdict, response: CapturedBody | undefined): Mutable<CallEnd> {
    const end: Mutable<CallEnd> = { ...verdict };
    if (response !== undefined) end.response = response;
    if (this.#status !== 0) end.httpStatus = this.#status;
    if (this.#responseHeaders !== undefined) end.responseHeaders = this.#responseHeaders;
    if (call.sentAtMs > 0) {
      end.upstreamMs = performance.now() - call.sentAtMs;
      if (call.firstByteAtMs !== undefined) end.ttfbMs = call.firstByteAtMs - call.sentAtMs;
    }
    return end;
  }

  #base(): Partial<CallEnd> {
    return {
      ...(this.#status === 0 ? {} : { httpStatus: this.#status }),
      ...(this.#responseHeaders === undefined ? {} : { responseHeaders: this.#responseHeaders }),
      ...(this.#sentAtMs === 0 ? {} : { upstreamMs: performance.now() - this.#sentAtMs }),
      ...(this.#firstByteAtMs === undefined ? {} : { ttfbMs: this.#firstByteAtMs - this.#sentAtMs }),
    };
  }
}

/** Sessions of different upstream servers never meet. */
function scopeOf(server: string, sessionId: string): string {
  return `${server}\0${sessionId}`;
}

function bodyOrNothing(observation: CallObservation, body: CapturedBody): CapturedBody {
  return observation.captureBytes > 0 ? body : { ...body, chunks: [] };
}

/** A call's own message in a batch of answers. */
function partOf(batch: Buffer | undefined, found: ScannedMessage | undefined): CapturedBody | undefined {
  if (batch === undefined || found === undefined) return undefined;
  const bytes = batch.subarray(found.range.start, found.range.end);
  return { chunks: [bytes], bytes: bytes.length, format: 'json' };
}
