/**
 * A request that reaches no upstream server: recorded as an attempt first, then answered. When the attempt cannot be
 * recorded, the answer says only that. Texts are fixed and say what to do next; nothing of the client comes back but
 * its JSON-RPC ids.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { wireError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import type { LegacyRole } from '../mcp/exchange.ts';
import { headersInBatch, keptHeaders } from '../mcp/kept-headers.ts';
import type { ReceivedMessage } from '../mcp/message.ts';
import { traceOfHeaders, traceOfMeta } from '../mcp/node-exchange.ts';
import type { CallObserver, CallStart, Caller, HeaderList } from '../mcp/observer.ts';
import { targetOf } from '../mcp/outcome.ts';
import { rpcErrorsFor } from '../mcp/rpc-error.ts';
import { failureText } from '../mcp/relay/upstream-failure.ts';
import type { DeniedBy, Outcome } from '../record/vocabulary.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What is known of the request when it is refused; grows as it gets further. */
export interface Attempt {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly headers: HeaderList;
  readonly arrivedAt: number;
  readonly clientAddress: string;
  readonly server: string;
  readonly serverKnown: boolean;
  caller: Caller;
  session?: CallStart['session'];
  /** set once it is clear that the older transport is spoken here */
  legacy?: LegacyRole | undefined;
  body?: Buffer;
  /** true size, when `body` is cut */
  bodyBytes?: number;
  batch?: boolean;
  messages?: readonly ReceivedMessage[];
}

export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  /** instead of the code's */
  readonly rpcCode?: number;
  readonly deniedBy?: DeniedBy;
  readonly policyRule?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Whoever is refused before it is known who they are. */
export const NOBODY: Caller = { userKey: '', keyName: '', teams: [], authMethod: 'none' };
const NO_BYTES = Buffer.alloc(0);
/** An attempt's body is evidence, not a call: no more than this of it is kept, and of a stranger's headers and body less. */
const KEPT_BYTES = 65_536;
const KEPT_OF_STRANGERS = { bodyBytes: 4096, headers: { bytes: 4096, valueChars: 512 } } as const;
const DENIED: ReadonlySet<ErrorCode> = new Set([
  'origin_denied',
  'unauthenticated',
  'forbidden',
  'session_unknown',
  'rate_limited',
  'overloaded',
  'policy_denied',
  'body_too_large',
  'headers_too_large',
]);

export async function refuse(observer: CallObserver, attempt: Attempt, refusal: Refusal): Promise<void> {
  const wire = wireError(refusal.code);
  const rpcCode = refusal.rpcCode ?? wire.rpcCode;
  const answerable = { batch: attempt.batch ?? false, messages: attempt.messages ?? [] };
  const body = Buffer.from(rpcErrorsFor(answerable, rpcCode, refusal.message));
  try {
    await recordAttempt(observer, attempt, {
      outcome: DENIED.has(refusal.code) ? 'denied' : 'rpc_error',
      errorType: refusal.code,
      rpcErrorCode: rpcCode,
      httpStatus: wire.status,
      response: { chunks: [body], bytes: body.length, format: 'json' },
      ...(refusal.deniedBy === undefined ? {} : { deniedBy: refusal.deniedBy }),
      ...(refusal.policyRule === undefined ? {} : { policyRule: refusal.policyRule }),
    });
  } catch {
    const lost = wireError('audit_unavailable');
    const text = rpcErrorsFor(answerable, lost.rpcCode, failureText('audit_unavailable'));
    answer(attempt.res, lost.status, Buffer.from(text), {});
    return;
  }
  answer(attempt.res, wire.status, body, refusal.headers ?? {});
}

/** Says no without a record of its own: it was counted instead. What is left of the body stays unread. */
export function refuseUnrecorded({ req, res, batch, messages }: Attempt, refusal: Refusal): void {
  const wire = wireError(refusal.code);
  const answerable = { batch: batch ?? false, messages: messages ?? [] };
  const body = Buffer.from(rpcErrorsFor(answerable, refusal.rpcCode ?? wire.rpcCode, refusal.message));
  answer(res, wire.status, body, { ...refusal.headers, ...(req.complete ? {} : { Connection: 'close' }) });
}

/** The client left before its request was complete: nobody to answer, but not unseen. */
export async function recordAbandoned(observer: CallObserver, attempt: Attempt): Promise<void> {
  await recordAttempt(observer, attempt, { outcome: 'cancelled', errorType: 'client_gone' }).catch(() => undefined);
}

type AttemptEnd = Parameters<ReturnType<CallObserver['begin']>['end']>[0] & { readonly outcome: Outcome };

async function recordAttempt(observer: CallObserver, attempt: Attempt, end: AttemptEnd): Promise<void> {
  const messages = attempt.messages ?? [];
  const subjects = messages.length === 0 ? [undefined] : messages;
  const [first, ...others] = subjects;
  const begun = observer.begin(startOf(attempt, first, attempt.headers));
  const headers = others.length === 0 ? attempt.headers : headersInBatch(attempt.headers, begun.callId);
  await Promise.all([begun.end(end), ...others.map((one) => observer.begin(startOf(attempt, one, headers)).end(end))]);
}

function startOf(attempt: Attempt, message: ReceivedMessage | undefined, headers: HeaderList): CallStart {
  const bytes = message?.bytes ?? attempt.body ?? NO_BYTES;
  const stranger = attempt.caller.authMethod === 'none';
  const keptBytes = stranger ? KEPT_OF_STRANGERS.bodyBytes : KEPT_BYTES;
  const start: Mutable<CallStart> = {
    kind: 'attempt',
    server: attempt.server,
    serverKnown: attempt.serverKnown,
    caller: attempt.caller,
    method: message?.method ?? methodOf(attempt),
    clientAddress: attempt.clientAddress,
    upstreamTransport: 'none',
    requestHeaders: stranger ? keptHeaders(headers, KEPT_OF_STRANGERS.headers) : headers,
    requestBody: bytes.subarray(0, keptBytes),
    arrivedAt: attempt.arrivedAt,
  };
  const size = message === undefined ? Math.max(attempt.bodyBytes ?? 0, bytes.length) : bytes.length;
  if (size > keptBytes || size !== bytes.length) start.requestBytes = size;
  if (attempt.session !== undefined) start.session = attempt.session;
  const version = message?.protocolVersion ?? attempt.req.headers['mcp-protocol-version'];
  if (typeof version === 'string') start.protocolVersion = version;
  const httpTrace = traceOfHeaders(attempt.req);
  if (httpTrace !== undefined) start.httpTrace = httpTrace;
  if (message === undefined) return start;
  const target = targetOf(message);
  if (target !== undefined) start.target = target;
  if (message.id !== undefined) start.rpcId = message.id;
  if (message.client !== undefined) start.client = message.client;
  const metaTrace = traceOfMeta(message);
  if (metaTrace !== undefined) start.metaTrace = metaTrace;
  return start;
}

function methodOf(attempt: Attempt): string {
  return attempt.req.method === 'GET' ? 'stream' : '';
}

function answer(res: ServerResponse, status: number, body: Buffer, headers: Readonly<Record<string, string>>): void {
  if (res.destroyed || res.headersSent) {
    res.destroy();
    return;
  }
  res.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': body.length, ...headers });
  res.end(body);
}
