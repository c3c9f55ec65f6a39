/**
 * Puts the gateway's trace context into `params._meta` of a request body on its way upstream: the only bytes of a body
 * that are ever changed. Works on the offsets the scanner found; everything else is copied as it came.
 */
import type { TraceContextCarrier } from './observer.ts';
import type { ScannedMessage } from './message.ts';

/**
 * `update` replaces a `traceparent` that is there; `always` adds one where none is; `never` leaves bodies alone. But
 * `_meta` itself is only made inside a session: servers of both protocol eras take a request with `_meta` and without a
 * session for a stateless one (2026-07-28) and refuse it for what else is missing (seen with the conformance server).
 */
export type InjectMeta = 'always' | 'update' | 'never';

export interface TracedMessage {
  readonly message: ScannedMessage;
  readonly trace: TraceContextCarrier;
}

/** Replaces the bytes from `start` to `end` of the body. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * @param inSession the message belongs to a session; default: unless it is `initialize`
 * @returns undefined when the message is to stay as it is
 */
export function traceEdit(
  { message, trace }: TracedMessage,
  mode: InjectMeta,
  inSession: boolean = message.method !== 'initialize'
): Edit | undefined {
  if (trace.traceparent === undefined || mode === 'never' || !message.spliceable) return undefined;
  const { traceparentRange, meta, params, range } = message;
  if (traceparentRange !== undefined) {
    return { start: traceparentRange.start, end: traceparentRange.end, text: JSON.stringify(trace.traceparent) };
  }
  if (mode !== 'always' || (meta === undefined && !inSession)) return undefined;
  const member = `"traceparent":${JSON.stringify(trace.traceparent)}`;
  if (meta !== undefined) {
    return { start: meta.start + 1, end: meta.start + 1, text: meta.empty ? member : `${member},` };
  }
  const state = trace.tracestate === undefined ? '' : `,"tracestate":${JSON.stringify(trace.tracestate)}`;
  const whole = `"_meta":{${member}${state}}`;
  if (params !== undefined) {
    return { start: params.start + 1, end: params.start + 1, text: params.empty ? whole : `${whole},` };
  }
  const at = range.end - 1;
  return { start: at, end: at, text: `,"params":{${whole}}` };
}

/**
 * @param inSession the request carries a session id
 * @returns `body` itself when nothing is to be changed, else a new buffer: records keep views on the old one
 */
export function spliceTraceContext(
  body: Buffer,
  traced: readonly TracedMessage[],
  mode: InjectMeta,
  inSession: boolean
): Buffer {
  if (mode === 'never') return body;
  const pieces: Buffer[] = [];
  let from = 0;
  for (const one of traced) {
    const edit = traceEdit(one, mode, inSession);
    if (edit === undefined) continue;
    pieces.push(body.subarray(from, edit.start), Buffer.from(edit.text));
    from = edit.end;
  }
  if (pieces.length === 0) return body;
  pieces.push(body.subarray(from));
  return Buffer.concat(pieces);
}
