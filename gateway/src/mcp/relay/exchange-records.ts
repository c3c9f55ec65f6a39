/**
 * The records of one exchange with an HTTP upstream: one for each message that passes, in either direction. The relay
 * tells what passes; what comes back is the promise that must be settled before the client may see it. Knows no bytes
 * of HTTP. Every record it opens is ended: by an answer, a failure, the client's leaving, or later by `OpenCalls`; all
 * these ways stand side by side here, so that none is forgotten, and make this file a little longer than usual.
 */
import { wireError } from '../../errors.ts';
import type { ErrorCode } from '../../errors.ts';
import type { BodyCapture } from './body-capture.ts';
import { LISTEN } from '../endless.ts';
import type { Exchange, RecordedAt } from '../exchange.ts';
import { ExchangeNotices } from './exchange-notices.ts';
import { ExchangeOutcome } from './exchange-outcome.ts';
import type { CallEndDraft } from './exchange-outcome.ts';
import { handedOver } from './handed-over.ts';
import type { ScanResult } from '../scan/json-scanner.ts';
import { idKey } from '../scan/message-builder.ts';
import type { ReceivedMessage, ScannedMessage } from '../message.ts';
import type { CallObservation, CapturedBody, HeaderList } from '../observer.ts';
import { OpenCall } from './open-calls.ts';
import { listedIn, verdictOf } from '../outcome.ts';
import type { Verdict } from '../outcome.ts';
import type { RecordsContext } from './records-context.ts';
import { isStateless } from '../stateless-request.ts';
import { UpstreamMessages } from './upstream-messages.ts';

const GONE = { outcome: 'cancelled', errorType: 'client_gone' } as const;

export class ExchangeRecords {
  readonly calls: OpenCall[] = [];
  /** the trace context that each message of the body takes upstream */
  readonly traced: { readonly message: ReceivedMessage; readonly trace: CallObservation['upstreamTrace'] }[] = [];
  readonly #exchange: Exchange;
  readonly #context: RecordsContext;
  readonly #outcome = new ExchangeOutcome();
  readonly #notices = new ExchangeNotices(this.#outcome);
  readonly #fromUpstream: UpstreamMessages;
  readonly #stream: CallObservation | undefined;
  readonly #initialize: ReceivedMessage | undefined;
  /** the one request is a listen stream */
  readonly #listens: boolean;
  #scope: string;
  #openedSession: string | undefined;
  /** who lost the stream may come back for the rest: the client with its last event id … */
  #hasEventIds = false;
  /** … and then this call is known by its session */
  #resumable = false;

  /** @param onLost a record of something that was not held up could not be kept */
  constructor(exchange: Exchange, context: RecordsContext, onLost: () => void) {
    this.#exchange = exchange;
    this.#context = context;
    this.#scope = scopeOf(exchange.server, exchange.session.id);
    for (const message of exchange.messages) {
      if (message.kind === 'response') this.#openResponse(message);
      else this.#openMessage(message);
      if (message.method === 'initialize') this.#initialize = message;
    }
    this.#listens = exchange.messages[0]?.method === LISTEN;
    if (exchange.httpMethod === 'GET') this.#stream = exchange.begin(undefined, context.at);
    this.#fromUpstream = new UpstreamMessages({
      exchange,
      context,
      outcome: this.#outcome,
      calls: this.calls,
      stream: this.#stream,
      scope: () => this.#scope,
      onLost,
    });
  }

  /** Response bytes worth keeping, over all records of the exchange. */
  get captureBytes(): number {
    let most = this.#stream?.captureBytes ?? 0;
    for (const call of this.calls) most = Math.max(most, call.observation.captureBytes);
    for (const notice of this.#notices.opened) most = Math.max(most, notice.captureBytes);
    return most;
  }

  /** The context for the HTTP headers: the first record's. */
  get trace(): CallObservation['upstreamTrace'] | undefined {
    return (this.calls[0]?.observation ?? this.#notices.opened[0] ?? this.#stream)?.upstreamTrace;
  }

  /** True when nobody but the client of this exchange waits for what the upstream does. */
  get abortable(): boolean {
    return this.calls.length > 0 || this.#stream !== undefined;
  }

  intents(): Promise<unknown> {
    const only = this.calls[0];
    if (this.calls.length === 1 && only !== undefined && this.#notices.opened.length === 0)
      return only.observation.intent();
    const all = [...this.calls.map((call) => call.observation), ...this.#notices.opened];
    if (this.#stream !== undefined) all.push(this.#stream);
    return Promise.all(all.map((observation) => observation.intent()));
  }

  /** The client waits for the intents alone. */
  hurry(): void {
    for (const call of this.calls) call.observation.hurry();
    for (const notice of this.#notices.opened) notice.hurry();
    this.#stream?.hurry();
  }

  sent(): void {
    const atMs = this.#outcome.sent();
    for (const call of this.calls) {
      call.sentAtMs = atMs;
      call.observation.upstreamStarted();
    }
    for (const notice of this.#notices.opened) notice.upstreamStarted();
    this.#stream?.upstreamStarted();
  }

  answered(status: number, headers: HeaderList, sessionId: string | undefined): void {
    const atMs = this.#outcome.answered(status, headers);
    for (const call of this.calls) call.firstByteAtMs = atMs;
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
    return this.#notices.end(this.#outcome.byStatus());
  }

  /** A complete body that is no event stream. */
  body(scan: ScanResult, capture: BodyCapture): Promise<unknown> {
    if (this.#exchange.httpMethod === 'DELETE' && this.#outcome.status < 300) this.#sessionDeleted();
    const messages = scan.ok ? scan.body.messages : [];
    const responses = messages.filter((message) => message.kind === 'response');
    const ends: Promise<unknown>[] = [];
    const stray = responses.find((message) => message.hasError && this.#fromUpstream.ownCall(message) === undefined);
    const failure = stray === undefined ? this.#outcome.failure() : verdictOf(stray);
    const batch = scan.ok && scan.body.batch && capture.whole ? capture.joined() : undefined;
    const whole: CapturedBody = capture.body(scan.ok ? 'json' : 'text');
    for (const message of responses) {
      const call = this.#fromUpstream.ownCall(message);
      // in nobody else's record: what came too late, or beside the answers in a batch
      if (call?.ended === true || (call === undefined && batch !== undefined)) {
        const alone = batch?.subarray(message.range.start, message.range.end);
        ends.push(this.#fromUpstream.answerOfNoCall(message, capture, alone));
      }
    }
    for (const call of this.calls) {
      const found = responses.find((message) => message.id !== undefined && idKey(message.id) === call.key);
      const response = bodyOrNothing(call.observation, partOf(batch, found) ?? whole);
      if (found !== undefined) ends.push(this.#answer(call, found, response));
      else ends.push(call.end(this.#outcome.ofCall(call, failure, response)));
    }
    const accepted = this.#outcome.status >= 200 && this.#outcome.status < 300 && stray === undefined;
    ends.push(this.#notices.end(accepted ? { outcome: 'success' } : failure, capture.bytes > 0 ? whole : undefined));
    if (this.#stream !== undefined) ends.push(this.#stream.end(this.#outcome.ofOther(failure, whole)));
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
    if (message.kind === 'notification') return this.#fromUpstream.notified(message, event);
    if (message.kind === 'request') this.#fromUpstream.asked(message, event);
    return undefined;
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
      const inOrder = this.#listens && this.#outcome.status < 300;
      const verdict: Verdict = inOrder ? { outcome: 'success' } : { ...this.#outcome.failure(), ...told };
      const end = this.#outcome.ofCall(call, verdict, response);
      if (this.#resumable && this.#outcome.status < 300)
        this.#context.openCalls.endLater(call, end, this.#context.resumeGraceMs);
      else ends.push(call.end(end));
    }
    if (this.#stream !== undefined) {
      ends.push(this.#stream.end(this.#outcome.ofOther(this.#outcome.byStatus(), response)));
    }
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
    if (answer !== undefined) this.#outcome.status = wire.status;
    const ends: Promise<unknown>[] = [];
    for (const call of this.calls) {
      if (call.ended) continue;
      const end = this.#outcome.ofCall(call, verdict, response);
      if (this.#resumable && answer === undefined)
        this.#context.openCalls.endLater(call, end, this.#context.resumeGraceMs);
      else ends.push(call.end(end));
    }
    ends.push(this.#notices.end(verdict, response));
    if (this.#stream !== undefined) {
      ends.push(this.#stream.end(this.#outcome.ofOther(verdict, response)));
    }
    return Promise.all(ends);
  }

  /** The client left before its answer was complete. */
  clientGone(stream?: BodyCapture): void {
    const response = stream !== undefined && stream.bytes > 0 ? stream.body('text') : undefined;
    const ends: Promise<unknown>[] = [];
    for (const call of this.calls) {
      const end = this.#outcome.ofCall(call, GONE, response);
      if (this.#resumable) this.#context.openCalls.endLater(call, end, this.#context.resumeGraceMs);
      else ends.push(call.end(end));
    }
    ends.push(this.#notices.end(GONE));
    if (this.#stream !== undefined) {
      ends.push(this.#stream.end(this.#outcome.ofOther(GONE, response)));
    }
    Promise.all(ends).catch(() => undefined);
  }

  /** Another upstream answers the request that is alone in the exchange, and ends its record. */
  handOver(upstreamTransport: RecordedAt['upstreamTransport']): void {
    const [call] = this.calls;
    const [message] = this.#exchange.messages;
    if (call === undefined || message === undefined) return;
    this.#exchange.handOver(message, handedOver(call.release(), upstreamTransport));
  }

  /** A record could not be kept, so the client gets nothing. Whatever can still be recorded is. */
  auditLost(): void {
    const denied = { outcome: 'denied', errorType: 'audit_unavailable', deniedBy: 'audit', httpStatus: 503 } as const;
    const ends: Promise<unknown>[] = this.calls.map((call) => call.end(denied));
    ends.push(this.#notices.end(denied));
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
    this.#notices.add(observation);
    if (message.method === 'notifications/cancelled' && message.requestId !== undefined) {
      this.#context.openCalls.cancel(this.#scope, idKey(message.requestId));
    }
  }

  /** The client answers a request of the server. One that nobody knows passes too, but not without a record. */
  #openResponse(message: ReceivedMessage): void {
    const key = idKey(message.id ?? 'null');
    const observation = this.#context.serverRequests.take(this.#scope, key);
    if (observation !== undefined) this.#notices.deliver(observation, message);
    else this.#notices.add(this.#exchange.begin(message, this.#context.at));
  }

  #passingResponse(message: ScannedMessage, event: BodyCapture, stream: BodyCapture): Promise<unknown> {
    const open = this.calls.filter((call) => !call.ended);
    const only = open.length === 1 ? open[0] : undefined;
    const anonymous = message.hasError && (message.id === undefined || message.id === 'null');
    const call = this.#fromUpstream.callOf(message) ?? (anonymous ? only : undefined);
    if (call === undefined || call.ended) return this.#fromUpstream.answerOfNoCall(message, event);
    const alone = this.calls.length === 1 && this.calls[0] === call && stream.whole;
    return this.#answer(
      call,
      message,
      bodyOrNothing(call.observation, alone ? stream.body('sse') : event.body('json'))
    );
  }

  #answer(call: OpenCall, message: ScannedMessage, response: CapturedBody): Promise<unknown> {
    const end = this.#outcome.ofCall(call, this.#outcome.verdictOf(message), response);
    const listed = listedIn(message);
    if (listed !== undefined) end.listed = listed;
    if (message.resultProtocolVersion !== undefined) end.protocolVersion = message.resultProtocolVersion;
    if (this.#initialize !== undefined && message.hasResult) this.#sessionOpened(end, message);
    return call.end(end);
  }

  #sessionOpened(end: CallEndDraft, answer: ScannedMessage): void {
    const { server, session, caller } = this.#exchange;
    const client = this.#initialize?.client;
    if (this.#openedSession !== undefined) end.session = { id: this.#openedSession, kind: 'mcp' };
    this.#context.sessions.learn(server, this.#openedSession ?? session.id, {
      userKey: caller.userKey,
      ...(client === undefined ? {} : { client }),
      ...(answer.resultProtocolVersion === undefined ? {} : { protocolVersion: answer.resultProtocolVersion }),
    });
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
