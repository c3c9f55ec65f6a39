/**
 * Passes an upstream's HTTP answer to the client as it comes: status, headers and bytes unchanged, back-pressure both
 * ways. Holds back what the record must precede: everything until the intents are on disk, the last bytes of a body and
 * the end of the event with a JSON-RPC response until that call's record is. Nothing else waits. One object for each
 * exchange, called by undici; it parses nothing itself and keeps no more than the capture asks for.
 * Longer than usual: head, body, events and failures share one state (over, paused, recording).
 */
import type { Dispatcher } from 'undici';
import { GatelensError, wireError } from '../../errors.ts';
import type { ErrorCode } from '../../errors.ts';
import { BodyCapture } from './body-capture.ts';
import type { Exchange } from '../exchange.ts';
import type { ExchangeRecords } from './exchange-records.ts';
import { headersForClient } from './forwarded-headers.ts';
import { JsonScanner } from '../scan/json-scanner.ts';
import { rpcErrorsFor } from '../rpc-error.ts';
import { SseScanner } from '../scan/sse-scanner.ts';
import { strandedErrors } from './stranded-calls.ts';
import { failureCode, failureText } from './upstream-failure.ts';

/** Why nothing is read from the upstream at the moment. */
const PAUSED_FOR = { intent: 1, record: 2, client: 4 } as const;

/** Clients read deeper and more than a request may hold; what they can read must be seen here, or it passes unrecorded. */
const ANSWER_SCAN = { strict: false, maxDepth: 100_000, maxTokenBytes: 1_048_576, maxMessages: 10_000 } as const;

/** Those that clients follow by themselves (RFC 9110 §15.4). */
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export interface HttpAnswerOptions {
  /** bytes kept of one event, at least */
  readonly eventCaptureBytes: number;
  /** the upstream failed before its answer was complete */
  readonly onFailure: (code: ErrorCode) => void;
  /** the answer has ended or was destroyed */
  readonly onDone: () => void;
}

export class HttpAnswer implements Dispatcher.DispatchHandler {
  readonly #exchange: Exchange;
  readonly #records: ExchangeRecords;
  readonly #onFailure: (code: ErrorCode) => void;
  readonly #onDone: () => void;
  readonly #capture: BodyCapture;
  readonly #event: BodyCapture;
  readonly #json = new JsonScanner(ANSWER_SCAN);
  #sse: SseScanner | undefined;

  #controller: Dispatcher.DispatchController | undefined;
  #paused = 0;
  #intentsKept = false;
  /** what could go to the client but for the intents */
  #early: Buffer[] = [];
  #head: { readonly status: number; readonly text: string; readonly headers: string[] } | undefined;
  #bytesLeft = -1;
  /** the end of a body that is no event stream: not written before its record is kept */
  #held: Buffer | undefined;
  /** bytes are waiting for a record */
  #recording = false;
  #failedMeanwhile: ErrorCode | undefined;
  /** all is recorded but the intents */
  #finishIsDue = false;
  #drainWatched = false;
  #over = false;

  constructor(exchange: Exchange, records: ExchangeRecords, options: HttpAnswerOptions) {
    this.#exchange = exchange;
    this.#records = records;
    this.#onFailure = options.onFailure;
    this.#onDone = options.onDone;
    const captureBytes = records.captureBytes;
    this.#capture = new BodyCapture(captureBytes);
    this.#event = new BodyCapture(Math.max(captureBytes, options.eventCaptureBytes));
    exchange.res.on('close', () => this.#clientGone());
    exchange.res.on('error', () => undefined);
    records.intents().then(
      () => {
        if (this.#over) return;
        this.#intentsKept = true;
        for (const bytes of this.#early.splice(0)) this.#write(bytes);
        if (this.#finishIsDue) this.#finish();
        else this.#resumeFrom(PAUSED_FOR.intent);
      },
      () => this.auditLost()
    );
  }

  /** A record could not be kept: the client gets a refusal, or a broken stream when its answer had begun. */
  auditLost(): void {
    if (this.#over) return;
    this.#over = true;
    this.#records.auditLost();
    this.#abortUpstream('audit_unavailable');
    void this.#exchange.refuse('audit_unavailable', failureText('audit_unavailable')).then(this.#onDone);
  }

  /** Somebody else answers. @returns false when the client has its answer, or has left */
  giveUp(): boolean {
    if (this.#over) return false;
    this.#over = true;
    return true;
  }

  /** It reads nothing at the moment. */
  get paused(): boolean {
    return this.#paused !== 0;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(new GatelensError('client_gone', 'The answer is not wanted any more.'));
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
    text?: string
  ): void {
    if (status < 200 || this.#over) return;
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      // not asked for, and it could not be read for the record
      this.#upstreamFailed('upstream_protocol');
      controller.abort(
        new GatelensError('upstream_protocol', 'The answer is compressed though this was not asked for.')
      );
      return;
    }
    const { received, passed } = headersForClient(controller.rawHeaders as Buffer[]);
    this.#head = { status, text: text ?? '', headers: passed };
    const session = headers['mcp-session-id'];
    this.#records.answered(status, received, typeof session === 'string' ? session : undefined);
    if (REDIRECTS.has(status)) {
      // followed by the client it would go past the gateway; followed here, to wherever the answer says
      this.#upstreamFailed('upstream_redirect');
      controller.abort(new GatelensError('upstream_redirect', 'Redirects are not followed.'));
      return;
    }
    if (status === 401) {
      // the gateway's credentials are meant, not the client's: OAuth clients would sign in at a wrong place, in vain
      this.#upstreamFailed('upstream_unauthorized');
      controller.abort(new GatelensError('upstream_unauthorized', 'The credentials of the gateway were refused.'));
      return;
    }
    const type = String(headers['content-type'] ?? '');
    if (/^\s*text\/event-stream\b/i.test(type)) {
      this.#sse = new SseScanner({
        data: (piece) => {
          this.#json.feed(piece);
          this.#event.add(piece);
        },
      });
      this.#gate(this.#records.noticesAccepted());
    } else {
      const length = Number(headers['content-length'] ?? -1);
      this.#bytesLeft = Number.isSafeInteger(length) ? length : -1;
    }
    queueMicrotask(() => this.#flushHead());
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over) return;
    if (this.#sse === undefined) this.#passBody(chunk);
    else this.#passEvents(this.#sse, chunk, 0);
  }

  onResponseEnd(): void {
    if (this.#over) return;
    let settled: Promise<unknown>;
    if (this.#sse === undefined) {
      settled = this.#records.body(this.#json.end(), this.#capture);
    } else {
      const last = this.#sse.openDataLines > 0 ? this.#messagesOf() : [];
      this.#held = this.#strandedErrors('upstream_reset');
      const rpcCode = this.#held === undefined ? undefined : wireError('upstream_reset').rpcCode;
      settled = Promise.all([...last, this.#records.streamEnded(this.#capture, rpcCode)]);
    }
    this.#recording = true;
    settled.then(
      () => {
        if (this.#intentsKept) this.#finish();
        else this.#finishIsDue = true;
      },
      () => this.auditLost()
    );
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#sendHead();
    this.#exchange.res.end(this.#held);
    this.#onDone();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#over) return;
    if (this.#recording) this.#failedMeanwhile = failureCode(error);
    else this.#upstreamFailed(failureCode(error));
  }

  /** All but the last bytes go at once. The last are known by the length, or by the end that follows in the same tick. */
  #passBody(chunk: Buffer): void {
    this.#json.feed(chunk);
    this.#capture.add(chunk);
    const before = this.#held;
    if (this.#bytesLeft > 0) {
      this.#bytesLeft -= chunk.length;
      if (this.#bytesLeft > 0) this.#write(chunk);
      else this.#held = chunk;
      return;
    }
    this.#held = chunk;
    if (before !== undefined) this.#write(before);
    queueMicrotask(() => this.#releaseBody(chunk));
  }

  #releaseBody(chunk: Buffer): void {
    if (this.#over || this.#recording || this.#held !== chunk || chunk.length < 2) return;
    this.#held = chunk.subarray(chunk.length - 1);
    this.#write(chunk.subarray(0, chunk.length - 1));
  }

  /**
   * @param from where in the chunk to read on
   * @returns false when the rest of the chunk waits for a record
   */
  #passEvents(sse: SseScanner, chunk: Buffer, from: number): boolean {
    let at = from;
    while (at < chunk.length) {
      const start = at;
      at = sse.scan(chunk, at);
      this.#capture.add(start === 0 && at === chunk.length ? chunk : chunk.subarray(start, at));
      if (sse.event === undefined) break;
      if (sse.event.id !== undefined && sse.event.id !== '') this.#records.eventIdSeen();
      const settled = sse.event.dataLines > 0 ? this.#messagesOf() : [];
      if (settled.length === 0) continue;
      if (start > from) this.#write(chunk.subarray(from, start));
      this.#holdEvent(sse, chunk, start, at, settled);
      return false;
    }
    this.#write(from === 0 ? chunk : chunk.subarray(from));
    return true;
  }

  /** An event with a JSON-RPC response: neither it nor what follows leaves before its record is kept. */
  #holdEvent(sse: SseScanner, chunk: Buffer, start: number, end: number, settled: readonly Promise<unknown>[]): void {
    this.#recording = true;
    this.#pauseFor(PAUSED_FOR.record);
    Promise.all(settled).then(
      () => {
        if (this.#over) return;
        this.#recording = false;
        this.#write(chunk.subarray(start, end));
        if (end < chunk.length && !this.#passEvents(sse, chunk, end)) return;
        if (this.#failedMeanwhile !== undefined) this.#upstreamFailed(this.#failedMeanwhile);
        else this.#resumeFrom(PAUSED_FOR.record);
      },
      () => this.auditLost()
    );
  }

  /** Records the messages of the event that was read, and makes ready for the next. */
  #messagesOf(): Promise<unknown>[] {
    const scan = this.#json.end();
    const waits: Promise<unknown>[] = [];
    if (scan.ok) {
      for (const message of scan.body.messages) {
        const settled = this.#records.passing(message, this.#event, this.#capture);
        if (settled !== undefined) waits.push(settled);
      }
    }
    this.#json.reset();
    this.#event.reset();
    return waits;
  }

  #upstreamFailed(code: ErrorCode): void {
    if (this.#over) return;
    this.#over = true;
    this.#onFailure(code);
    const exchange = this.#exchange;
    const records = this.#records;
    if (exchange.unanswered) {
      const text = failureText(code);
      const answer = Buffer.from(rpcErrorsFor(exchange, wireError(code).rpcCode, text));
      void exchange.refuse(code, text, records.failed(code, answer, this.#capture)).then(this.#onDone);
      return;
    }
    const errors = this.#strandedErrors(code);
    const destroy = (): void => {
      exchange.res.destroy();
      this.#onDone();
    };
    const end = (): void => {
      exchange.res.end(errors);
      this.#onDone();
    };
    const told = errors !== undefined;
    records.failed(code, undefined, this.#capture, told).then(told ? end : destroy, destroy);
  }

  /** What goes out as the last of an event stream. */
  #strandedErrors(code: ErrorCode): Buffer | undefined {
    if (this.#sse === undefined) return undefined;
    const errors = strandedErrors(this.#records.strandedIds, code, this.#sse);
    if (errors !== undefined) this.#capture.add(errors);
    return errors;
  }

  /** What nobody waits for, a notification, goes on to its end. */
  #clientGone(): void {
    if (this.#over || !this.#records.abortable) return;
    this.#over = true;
    this.#records.clientGone(this.#capture);
    this.#abortUpstream('client_gone');
    this.#onDone();
  }

  #abortUpstream(code: ErrorCode): void {
    this.#controller?.abort(new GatelensError(code, 'The answer is not wanted any more.'));
  }

  /** Nothing is read on before it is settled. */
  #gate(settled: Promise<unknown>): void {
    this.#pauseFor(PAUSED_FOR.record);
    settled.then(
      () => this.#resumeFrom(PAUSED_FOR.record),
      () => this.auditLost()
    );
  }

  #pauseFor(reason: number): void {
    this.#paused |= reason;
    this.#controller?.pause();
  }

  #resumeFrom(reason: number): void {
    if (this.#over) return;
    this.#paused &= ~reason;
    if (this.#paused !== 0) return;
    this.#flushHead();
    this.#controller?.resume();
  }

  /** Sends the head on its own when the body keeps the client waiting. */
  #flushHead(): void {
    if (this.#over || this.#recording || this.#held !== undefined || this.#head === undefined || this.#paused !== 0)
      return;
    if (!this.#intentsKept || this.#exchange.res.headersSent) return;
    this.#sendHead();
    this.#exchange.res.flushHeaders();
  }

  #sendHead(): void {
    const head = this.#head;
    if (head === undefined || this.#exchange.res.headersSent) return;
    this.#exchange.res.writeHead(head.status, head.text, head.headers);
  }

  #write(bytes: Buffer): void {
    const res = this.#exchange.res;
    if (res.destroyed) return;
    if (!this.#intentsKept) {
      this.#early.push(bytes);
      this.#pauseFor(PAUSED_FOR.intent);
      this.#records.hurry();
      return;
    }
    this.#sendHead();
    if (res.write(bytes)) return;
    this.#pauseFor(PAUSED_FOR.client);
    if (this.#drainWatched) return;
    this.#drainWatched = true;
    res.on('drain', () => this.#resumeFrom(PAUSED_FOR.client));
  }
}
