/**
 * One HTTP request of an MCP client, authenticated, parsed and allowed, on its way to an upstream server. The endpoint
 * (http/) makes it; an `Upstream` (HTTP relay, stdio bridge) answers it on the raw Node response. It knows no Hono.
 * Whoever answers must keep the order: intent before the first byte, `end()` before the last byte of an answer.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ErrorCode } from '../errors.ts';
import type { CallObservation, CallObserver, CallStart, Caller, HeaderList } from './observer.ts';
import type { ReceivedMessage } from './message.ts';
import type { SessionKind } from '../record/vocabulary.ts';

export type McpHttpMethod = 'POST' | 'GET' | 'DELETE';

/** What a client of the older HTTP+SSE transport does: opens its event stream, or posts a message. */
export type LegacyRole = 'stream' | 'message';

/** What an upstream adds to a record that the exchange does not know. */
export interface RecordedAt {
  readonly upstreamTransport: CallStart['upstreamTransport'];
  readonly upstreamAddress?: { readonly host: string; readonly port: number };
}

/** Differences from the plain case (a message of the client's POST), e.g. a server request seen on a stream. */
export interface RecordMore {
  readonly kind?: CallStart['kind'];
  readonly parentCallId?: string;
  /** see `CallStart` */
  readonly underCallIds?: readonly string[];
  /** see `CallStart`; omitted: as the message says */
  readonly taskId?: string;
  /** the upstream server sent it: later than the HTTP request, and without its headers; default: with a parent */
  readonly fromUpstream?: boolean;
  /** instead of the message's own bytes; with `requestBytes` when cut */
  readonly requestBody?: Uint8Array;
  readonly requestBytes?: number;
}

export interface Exchange {
  readonly httpMethod: McpHttpMethod;
  /** undefined: Streamable HTTP */
  readonly legacy: LegacyRole | undefined;
  /** key in `mcpServers` */
  readonly server: string;
  readonly caller: Caller;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** headers as received */
  readonly headers: HeaderList;
  /** the whole request body as it came; empty for GET and DELETE. Never change it: records hold views on it. */
  readonly body: Buffer;
  /** the body was a JSON array */
  readonly batch: boolean;
  /** the messages of the body; empty for GET and DELETE */
  readonly messages: readonly ReceivedMessage[];
  /** `Mcp-Session-Id` as sent; with the older transport, what the message endpoint names */
  readonly sessionId: string | undefined;
  /** the session for the record: the header's, else the TCP connection */
  readonly session: { readonly id: string; readonly kind: SessionKind };
  readonly clientAddress: string;
  /** `performance.now()` at arrival */
  readonly arrivedAt: number;
  readonly observer: CallObserver;
  /** Aborts when the client is gone before the answer was complete. Made on first use. */
  readonly signal: AbortSignal;

  header(name: string): string | undefined;
  /** Opens the record of one message of the body, or (kind `stream`, no message) of a GET stream. */
  begin(message: ReceivedMessage | undefined, at: RecordedAt, more?: RecordMore): CallObservation;

  /** Another upstream takes over, with the record that is open for this message: its next `begin` gives this one. */
  handOver(message: ReceivedMessage, observation: CallObservation): void;

  /** True until a byte of the answer was written or the client went away. */
  readonly unanswered: boolean;
  /**
   * Answers with one whole JSON body. Waits for `settled` first (the `intent()`s and `end()`s that must be on disk);
   * when it rejects, the answer is `audit_unavailable` instead. Resolves when the answer was handed to the socket.
   * `body` omitted: an empty answer, e.g. 202 for notifications.
   */
  sendJson(
    status: number,
    body: Uint8Array | string | undefined,
    settled: Promise<unknown>,
    headers?: Record<string, string>
  ): Promise<void>;
  /** Answers 200 with an event stream; the head is sent once `intents` resolved (else 503 and every send is false). */
  openSse(intents: Promise<unknown>, headers?: Record<string, string>): SseAnswer;
  /**
   * Answers with a JSON-RPC error for each request in the body (`id: null` when there is none): HTTP status and code by
   * errors.ts. Destroys the connection when an answer had begun. `settled` as in sendJson.
   */
  refuse(code: ErrorCode, message: string, settled?: Promise<unknown>): Promise<void>;
}

export interface SseEvent {
  /** one JSON-RPC message as JSON text without raw line ends (it is split into data lines if it has any) */
  readonly data: Uint8Array | string;
  readonly id?: string;
  /** default: none, as the specification's examples (clients take it for `message`) */
  readonly event?: string;
  readonly retryMs?: number;
  /** must be on disk before the client may see this event; rejecting destroys the stream */
  readonly settled?: Promise<unknown>;
}

/** An event stream to the client. Events leave in the order of the calls; each waits for its own `settled`. */
export interface SseAnswer {
  /** Resolves true when the socket took it (back-pressure), false when the client is gone or the stream was destroyed. */
  send(event: SseEvent): Promise<boolean>;
  /** A comment line as keep-alive. */
  keepAlive(): void;
  /** Ends the stream after what was sent. */
  end(): Promise<void>;
}

/** Where exchanges of one `mcpServers` entry go. */
export interface Upstream {
  /** `own`: a server of the gateway itself */
  readonly kind: 'http' | 'stdio' | 'sse' | 'own';
  /** How the server is spoken to for such a client, where it has to be asked first; omitted: by `kind`. */
  kindFor?(legacy: LegacyRole | undefined): Promise<Upstream['kind']>;
  /**
   * Answers the exchange. Resolves when the answer has ended or was destroyed; never rejects for what an upstream server
   * or a client did (a rejection is a bug and becomes `internal`).
   */
  handle(exchange: Exchange): Promise<void>;
  /** Ends sessions, children and connections. */
  close(): Promise<void>;
}
