/**
 * W3C trace context and baggage on their way through: read from `params._meta` (the parent, SEP-414) and from HTTP
 * headers (a link when `_meta` has one, else the parent), and written for the upstream server. What is malformed is
 * ignored, as the specification asks. `tracestate` and `baggage` are text of the sender: they are passed on within the
 * limits of their specifications, and never recorded.
 */
import { TraceFlags, type SpanContext } from '@opentelemetry/api';
import type { TraceContextCarrier } from '../mcp/observer.ts';

export interface IncomingTrace {
  readonly parent: SpanContext | undefined;
  /** the HTTP context, when `_meta` gave the parent and the two differ */
  readonly link: SpanContext | undefined;
  readonly tracestate: string | undefined;
  readonly baggage: string | undefined;
}

const NO_TRACE: IncomingTrace = { parent: undefined, link: undefined, tracestate: undefined, baggage: undefined };

export function incomingTrace(
  meta: TraceContextCarrier | undefined,
  http: TraceContextCarrier | undefined
): IncomingTrace {
  if (meta === undefined && http === undefined) return NO_TRACE;
  const metaParent = parseTraceparent(meta?.traceparent);
  const httpParent = parseTraceparent(http?.traceparent);
  const parent = metaParent ?? httpParent;
  const carrier = metaParent === undefined ? http : meta;
  return {
    parent,
    link: metaParent !== undefined && httpParent?.spanId !== metaParent.spanId ? httpParent : undefined,
    // tracestate belongs to its traceparent; baggage stands alone
    tracestate: parent === undefined ? undefined : parseTracestate(carrier?.tracestate),
    baggage: parseBaggage(meta?.baggage ?? http?.baggage),
  };
}

/** What to send upstream so that its span becomes a child of `spanId`. */
export function outgoingTrace(
  traceId: string,
  spanId: string,
  traceFlags: number,
  incoming: IncomingTrace
): TraceContextCarrier {
  const traceparent = `00-${traceId}-${spanId}-${(traceFlags & TraceFlags.SAMPLED) === 0 ? '00' : '01'}`;
  const { tracestate, baggage } = incoming;
  if (tracestate === undefined && baggage === undefined) return { traceparent };
  return {
    traceparent,
    ...(tracestate === undefined ? {} : { tracestate }),
    ...(baggage === undefined ? {} : { baggage }),
  };
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const MAX_TRACEPARENT = 512;

/** Trace Context §3.2; a version above 00 may carry more fields, which are ignored. */
export function parseTraceparent(text: string | undefined): SpanContext | undefined {
  if (text === undefined || text.length > MAX_TRACEPARENT) return undefined;
  const match = TRACEPARENT.exec(text.trim());
  if (match === null) return undefined;
  const [, version, traceId = '', spanId = '', flags = '', rest] = match;
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, traceFlags: parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true };
}

const MAX_TRACESTATE_MEMBERS = 32;
const MAX_TRACESTATE_CHARS = 512;
const TRACESTATE_MEMBER =
  /^[a-z0-9][a-z0-9_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** Trace Context §3.3: at most 32 members; one malformed member invalidates the list; 512 characters are passed on. */
export function parseTracestate(text: string | undefined): string | undefined {
  if (text === undefined || text.length > 16 * MAX_TRACESTATE_CHARS) return undefined;
  const kept: string[] = [];
  let chars = 0;
  let members = 0;
  for (const part of text.split(',')) {
    const member = part.trim();
    if (member === '') continue;
    members += 1;
    if (members > MAX_TRACESTATE_MEMBERS || !TRACESTATE_MEMBER.test(member)) return undefined;
    chars += member.length + 1;
    if (chars - 1 <= MAX_TRACESTATE_CHARS) kept.push(member);
  }
  return kept.length === 0 ? undefined : kept.join(',');
}

const MAX_BAGGAGE_BYTES = 8192;
const MAX_BAGGAGE_MEMBERS = 64;
/** A token, `=`, then value and properties: printable, without quotes and backslashes. Linear in time. */
const BAGGAGE_MEMBER = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+[ \t]*=[\t\x20\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]*$/;

/** Baggage §3.3; what is malformed or over the limits is dropped as a whole: it comes from outside. */
export function parseBaggage(text: string | undefined): string | undefined {
  if (text === undefined || text === '' || text.length > MAX_BAGGAGE_BYTES) return undefined;
  const members = text.split(',');
  if (members.length > MAX_BAGGAGE_MEMBERS) return undefined;
  for (const member of members) if (!BAGGAGE_MEMBER.test(member.trim())) return undefined;
  return text;
}
