/**
 * Copies of sampled metadata spans for other OTLP backends. Stands beside the audit, never in its path: what a mirror
 * loses is counted, and nothing waits for it. A copy has the attributes of an allow-list and no status text; no user, no
 * address, no key name, no resource URI, no session, no team. Payload events never come here: they are no spans.
 */
import { SpanStatusCode, TraceFlags, type SpanContext, type SpanStatus } from '@opentelemetry/api';
import type { Logger } from '../logger.ts';
import { attributeObject, type AttributeRow } from './attribute-row.ts';
import { CALL_ATTR } from './record-attributes.ts';
import * as semconv from './semconv.ts';

export const MIRROR_ATTRIBUTES: ReadonlySet<string> = new Set([
  semconv.ATTR_MCP_METHOD_NAME,
  semconv.ATTR_MCP_PROTOCOL_VERSION,
  semconv.ATTR_GEN_AI_TOOL_NAME,
  semconv.ATTR_GEN_AI_PROMPT_NAME,
  semconv.ATTR_GEN_AI_OPERATION_NAME,
  semconv.ATTR_JSONRPC_REQUEST_ID,
  semconv.ATTR_RPC_RESPONSE_STATUS_CODE,
  semconv.ATTR_HTTP_RESPONSE_STATUS_CODE,
  semconv.ATTR_ERROR_TYPE,
  semconv.ATTR_SERVER_ADDRESS,
  semconv.ATTR_SERVER_PORT,
  semconv.ATTR_NETWORK_TRANSPORT,
  semconv.ATTR_NETWORK_PROTOCOL_NAME,
  CALL_ATTR.kind,
  CALL_ATTR.callId,
  CALL_ATTR.server,
  CALL_ATTR.outcome,
  CALL_ATTR.deniedBy,
  CALL_ATTR.clientName,
  CALL_ATTR.clientVersion,
  CALL_ATTR.upstreamTransport,
  CALL_ATTR.upstreamDuration,
  CALL_ATTR.ttfb,
  CALL_ATTR.upstreamAttempts,
  CALL_ATTR.requestBytes,
  CALL_ATTR.responseBytes,
  CALL_ATTR.tokens,
  CALL_ATTR.demo,
]);

/** Records of the gateway about itself, about readers of the log and about servers stay at home. */
const UNMIRRORED_KINDS: ReadonlySet<unknown> = new Set(['access', 'catalog', 'health']);

export interface MirrorStats {
  readonly name: string;
  /** answered with 2xx by the backend */
  readonly exported: number;
  /** given up after the exporter's retries */
  readonly failed: number;
  /** not even queued, since the queue was full */
  readonly dropped: number;
}

/** The part of a ReadableSpan that decides; the rest is passed on. */
export interface MirrorableSpan {
  readonly attributes: Readonly<Record<string, unknown>> | AttributeRow;
  readonly status: SpanStatus;
  readonly links: readonly { readonly context: SpanContext }[];
  readonly instrumentationScope: { readonly name: string };
  spanContext(): SpanContext;
}

interface Batcher<Span> {
  onEnd(span: Span): void;
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

/** The exporter's side of the count, see `countingExporter`. */
export class MirrorCounter {
  readonly name: string;
  exported = 0;
  failed = 0;
  dropped = 0;
  /** queued or being sent */
  pending = 0;

  constructor(name: string) {
    this.name = name;
  }

  stats(): MirrorStats {
    return { name: this.name, exported: this.exported, failed: this.failed, dropped: this.dropped };
  }
}

export const MIRROR_QUEUE_SPANS = 4096;

/** A SpanProcessor that hands allow-listed copies to a BatchSpanProcessor. */
export class MirrorSpanProcessor<Span extends MirrorableSpan> {
  readonly #batcher: Batcher<Span>;
  readonly #counter: MirrorCounter;
  readonly #scope: string;

  /** @param scope only spans of this instrumentation scope are copied: libraries may find the global provider, too */
  constructor(batcher: Batcher<Span>, counter: MirrorCounter, scope: string) {
    this.#batcher = batcher;
    this.#counter = counter;
    this.#scope = scope;
  }

  onStart(): void {
    // spans are copied when they have ended
  }

  onEnd(span: Span): void {
    if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0) return;
    if (span.instrumentationScope.name !== this.#scope) return;
    const attributes = attributeObject(span.attributes);
    if (UNMIRRORED_KINDS.has(attributes[CALL_ATTR.kind]) || attributes[CALL_ATTR.phase] === 'open') return;
    // The batcher's queue has the same size, so it never drops a span that was counted as pending.
    if (this.#counter.pending >= MIRROR_QUEUE_SPANS) {
      this.#counter.dropped += 1;
      return;
    }
    this.#counter.pending += 1;
    this.#batcher.onEnd(allowListed(span, attributes));
  }

  forceFlush(): Promise<void> {
    return this.#batcher.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.#batcher.shutdown();
  }
}

/** A view of the span: everything else (times, ids, kind, name, resource) is the span's own. */
function allowListed<Span extends MirrorableSpan>(span: Span, all: Readonly<Record<string, unknown>>): Span {
  const attributes: Record<string, unknown> = {};
  for (const key of Object.keys(all)) {
    if (MIRROR_ATTRIBUTES.has(key)) attributes[key] = all[key];
  }
  const status: SpanStatus = {
    code: span.status.code === SpanStatusCode.ERROR ? SpanStatusCode.ERROR : SpanStatusCode.UNSET,
  };
  const links = span.links.map((link) => ({ context: link.context }));
  return Object.create(span, {
    attributes: { value: attributes, enumerable: true },
    status: { value: status, enumerable: true },
    links: { value: links, enumerable: true },
  }) as Span;
}

export interface Exporter<Span, Result extends { readonly code: number }> {
  export(spans: Span[], done: (result: Result) => void): void;
  forceFlush?(): Promise<void>;
  shutdown(): Promise<void>;
}

/** `ExportResultCode.SUCCESS` of the SDK */
const EXPORT_SUCCESS = 0;
const LOG_INTERVAL_MS = 60_000;

/** Counts what the backend took and what was given up, and logs the latter once a minute, without the backend's text. */
export function countingExporter<Span, Result extends { readonly code: number }>(
  exporter: Exporter<Span, Result>,
  counter: MirrorCounter,
  logger: Logger,
  monotonicMs: () => number
): Exporter<Span, Result> {
  let loggedAtMs = Number.NEGATIVE_INFINITY;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        counter.pending -= spans.length;
        if (result.code === EXPORT_SUCCESS) {
          counter.exported += spans.length;
        } else {
          counter.failed += spans.length;
          if (monotonicMs() - loggedAtMs >= LOG_INTERVAL_MS) {
            loggedAtMs = monotonicMs();
            logger.warn('mirror.export_failed', { mirror: counter.name, failed_total: counter.failed });
          }
        }
        done(result);
      });
    },
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
    shutdown: () => exporter.shutdown(),
  };
}
