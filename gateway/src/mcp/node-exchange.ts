/**
 * The exchange over Node's request and response: what http/ makes of an allowed request and hands to an upstream. Opens
 * records, answers whole bodies and event streams, refuses. The HTTP relay writes to `res` itself.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { wireError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { isEndless, LISTEN } from './endless.ts';
import type { Exchange, LegacyRole, McpHttpMethod, RecordedAt, RecordMore, SseAnswer } from './exchange.ts';
import { headersInBatch } from './kept-headers.ts';
import type { ReceivedMessage } from './message.ts';
import type { CallObservation, CallObserver, CallStart, Caller, HeaderList, TraceContextCarrier } from './observer.ts';
import { targetOf, taskOf } from './outcome.ts';
import { RevocableObservation } from './revocable-observation.ts';
import type { Revocation } from './revocable-observation.ts';
import { rpcErrorsFor } from './rpc-error.ts';
import type { SessionDirectory } from './sessions.ts';
import { NodeSseAnswer } from './sse-answer.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export interface ExchangeParts {
  readonly httpMethod: McpHttpMethod;
  /** omitted: Streamable HTTP */
  readonly legacy?: LegacyRole | undefined;
  readonly server: string;
  readonly caller: Caller;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly headers: HeaderList;
  readonly body: Buffer;
  readonly batch: boolean;
  readonly messages: readonly ReceivedMessage[];
  /** which policy rules let the messages pass, in their order; without messages, the request as such */
  readonly policyRules?: readonly string[];
  readonly session: Exchange['session'];
  readonly clientAddress: string;
  readonly arrivedAt: number;
  readonly observer: CallObserver;
  readonly sessions: SessionDirectory;
}

const AUDIT_REFUSAL = 'This call cannot be recorded at the moment, so it was refused. Try again later.';
const NO_BYTES = Buffer.alloc(0);

/** W3C trace context of an HTTP request. */
export function traceOfHeaders(req: IncomingMessage): TraceContextCarrier | undefined {
  const { traceparent, tracestate, baggage } = req.headers;
  if (typeof traceparent !== 'string' && typeof baggage !== 'string') return undefined;
  return {
    ...(typeof traceparent === 'string' ? { traceparent } : {}),
    ...(typeof tracestate === 'string' ? { tracestate } : {}),
    ...(typeof baggage === 'string' ? { baggage } : {}),
  };
}

/** W3C trace context of a message. */
export function traceOfMeta(message: ReceivedMessage): TraceContextCarrier | undefined {
  const { traceparent, tracestate, baggage } = message;
  if (traceparent === undefined && baggage === undefined) return undefined;
  return {
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(tracestate === undefined ? {} : { tracestate }),
    ...(baggage === undefined ? {} : { baggage }),
  };
}

export class NodeExchange implements Exchange {
  readonly httpMethod: McpHttpMethod;
  readonly legacy: LegacyRole | undefined;
  readonly server: string;
  readonly caller: Caller;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly headers: HeaderList;
  readonly body: Buffer;
  readonly batch: boolean;
  readonly messages: readonly ReceivedMessage[];
  readonly session: Exchange['session'];
  readonly clientAddress: string;
  readonly arrivedAt: number;
  readonly observer: CallObserver;
  readonly #sessions: SessionDirectory;
  readonly #policyRules: readonly string[];
  #handedOver: { readonly message: ReceivedMessage; readonly observation: CallObservation } | undefined;
  #firstCallId: string | undefined;
  #headersInBatch: HeaderList | undefined;
  #revoked: Revocation | undefined;
  #abort: AbortController | undefined;

  constructor(parts: ExchangeParts) {
    this.httpMethod = parts.httpMethod;
    this.legacy = parts.legacy;
    this.server = parts.server;
    this.caller = parts.caller;
    this.req = parts.req;
    this.res = parts.res;
    this.headers = parts.headers;
    this.body = parts.body;
    this.batch = parts.batch;
    this.messages = parts.messages;
    this.session = parts.session;
    this.clientAddress = parts.clientAddress;
    this.arrivedAt = parts.arrivedAt;
    this.observer = parts.observer;
    this.#sessions = parts.sessions;
    this.#policyRules = parts.policyRules ?? [];
  }

  get sessionId(): string | undefined {
    return this.session.kind === 'mcp' ? this.session.id : undefined;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      const abort = (this.#abort = new AbortController());
      const closed = (): void => {
        if (!this.res.writableFinished) abort.abort();
      };
      if (this.res.closed) closed();
      else this.res.once('close', closed);
    }
    return this.#abort.signal;
  }

  /** Takes a stream from a caller who may not have it any more; its record says so. */
  revoke(why: Revocation): void {
    this.#revoked ??= why;
    this.res.destroy();
  }

  get unanswered(): boolean {
    return !this.res.headersSent && !this.res.destroyed;
  }

  header(name: string): string | undefined {
    const value = this.req.headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  handOver(message: ReceivedMessage, observation: CallObservation): void {
    this.#handedOver = { message, observation };
  }

  begin(message: ReceivedMessage | undefined, at: RecordedAt, more: RecordMore = {}): CallObservation {
    const handed = this.#handedOver;
    if (handed !== undefined && handed.message === message) {
      this.#handedOver = undefined;
      return handed.observation;
    }
    const known = this.#sessions.find(this.server, this.session.id);
    // a proxy in front may carry several people on one connection
    const facts = known?.userKey === this.caller.userKey ? known : undefined;
    // what an upstream sent on its own came without the client's headers, and later
    const fromUpstream = more.fromUpstream ?? more.parentCallId !== undefined;
    const start: Mutable<CallStart> = {
      kind: more.kind ?? kindOf(message),
      server: this.server,
      serverKnown: true,
      caller: this.caller,
      method: message?.method ?? (message === undefined && this.httpMethod === 'GET' ? 'stream' : ''),
      session: this.session,
      clientAddress: this.clientAddress,
      upstreamTransport: at.upstreamTransport,
      requestHeaders: fromUpstream ? [] : this.#headersToKeep(),
      requestBody: more.requestBody ?? message?.bytes ?? NO_BYTES,
    };
    if (more.requestBytes !== undefined) start.requestBytes = more.requestBytes;
    if (more.parentCallId !== undefined) start.parentCallId = more.parentCallId;
    if (more.underCallIds !== undefined) start.underCallIds = more.underCallIds;
    if (!fromUpstream) start.arrivedAt = this.arrivedAt;
    const policyRule = this.#policyRules[message === undefined ? 0 : this.messages.indexOf(message)];
    if (policyRule !== undefined) start.policyRule = policyRule;
    if (at.upstreamAddress !== undefined) start.upstreamAddress = at.upstreamAddress;
    const client = message?.client ?? facts?.client;
    if (client !== undefined) start.client = client;
    const protocolVersion = message?.protocolVersion ?? this.header('mcp-protocol-version') ?? facts?.protocolVersion;
    if (protocolVersion !== undefined) start.protocolVersion = protocolVersion;
    const httpTrace = fromUpstream ? undefined : traceOfHeaders(this.req);
    if (httpTrace !== undefined) start.httpTrace = httpTrace;
    if (message !== undefined) {
      const target = targetOf(message);
      if (target !== undefined) start.target = target;
      if (message.id !== undefined) start.rpcId = message.id;
      const taskId = more.taskId ?? taskOf(message);
      if (taskId !== undefined) start.taskId = taskId;
      if (message.hasInputResponses || message.requestState !== undefined) {
        start.answersRound = message.requestState === undefined ? {} : { state: message.requestState };
      }
      const metaTrace = traceOfMeta(message);
      if (metaTrace !== undefined) start.metaTrace = metaTrace;
    }
    const observation = this.observer.begin(start);
    if (fromUpstream) return observation;
    this.#firstCallId ??= observation.callId;
    return isEndless(this) ? new RevocableObservation(observation, () => this.#revoked) : observation;
  }

  /** They came once, for all messages of a batch. */
  #headersToKeep(): HeaderList {
    const first = this.#firstCallId;
    if (!this.batch || first === undefined) return this.headers;
    return (this.#headersInBatch ??= headersInBatch(this.headers, first));
  }

  async sendJson(
    status: number,
    body: Uint8Array | string | undefined,
    settled: Promise<unknown>,
    headers: Record<string, string> = {}
  ): Promise<void> {
    try {
      await settled;
    } catch {
      this.#writeError('audit_unavailable', AUDIT_REFUSAL);
      return;
    }
    if (!this.unanswered) return;
    this.#learnSession(headers);
    if (body === undefined) {
      this.res.writeHead(status, { 'Content-Length': 0, ...headers });
      this.res.end();
      return;
    }
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    this.res.writeHead(status, {
      'Content-Type': 'application/json',
      'Content-Length': bytes.length,
      'Cache-Control': 'no-store',
      ...headers,
    });
    this.res.end(bytes);
  }

  openSse(intents: Promise<unknown>, headers: Record<string, string> = {}): SseAnswer {
    const opened = intents.then(
      () => {
        if (!this.unanswered) return false;
        this.#learnSession(headers);
        this.res.writeHead(200, {
          'Content-Type': 'text/event-stream',
          'Cache-Control': 'no-cache, no-transform',
          'X-Accel-Buffering': 'no',
          ...headers,
        });
        this.res.flushHeaders();
        return true;
      },
      () => {
        this.#writeError('audit_unavailable', AUDIT_REFUSAL);
        return false;
      }
    );
    return new NodeSseAnswer(this.res, opened);
  }

  async refuse(code: ErrorCode, message: string, settled?: Promise<unknown>): Promise<void> {
    try {
      await settled;
    } catch {
      this.#writeError('audit_unavailable', AUDIT_REFUSAL);
      return;
    }
    this.#writeError(code, message);
  }

  #writeError(code: ErrorCode, message: string): void {
    if (!this.unanswered) {
      if (!this.res.writableEnded) this.res.destroy();
      return;
    }
    const { status, rpcCode } = wireError(code);
    const body = Buffer.from(rpcErrorsFor(this, rpcCode, message));
    this.res.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': body.length });
    this.res.end(body);
  }

  /** A bridge that opens a session says so in the head of its answer to `initialize`; with the older transport it is open. */
  #learnSession(headers: Record<string, string>): void {
    const initialize = this.messages.find((message) => message.method === 'initialize');
    if (initialize === undefined) return;
    const entry = Object.entries(headers).find(([name]) => name.toLowerCase() === 'mcp-session-id');
    const sessionId = entry?.[1] ?? (this.legacy === undefined ? undefined : this.sessionId);
    if (sessionId === undefined) return;
    const { client, protocolVersion } = initialize;
    this.#sessions.learn(this.server, sessionId, {
      userKey: this.caller.userKey,
      ...(client === undefined ? {} : { client }),
      ...(protocolVersion === undefined ? {} : { protocolVersion }),
    });
  }
}

function kindOf(message: ReceivedMessage | undefined): CallStart['kind'] {
  if (message === undefined || (message.kind === 'request' && message.method === LISTEN)) return 'stream';
  return message.kind === 'request' ? 'request' : 'notification';
}
