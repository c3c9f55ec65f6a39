/**
 * The SpanProcessor of the audit: gives a record span its place in the hash chain while it ends, and makes a spool frame
 * of it when it has ended, together with the CLIENT spans that ended before it in the same completion. It takes every
 * span, sampled or not, keeps none, and drops none. It knows the SDK only by the shape of a span.
 */
import type { Chain, ChainLink } from '../spool/spool.ts';
import type { FrameCollector } from './frame-collector.ts';
import { AttributeRow } from './attribute-row.ts';
import { CALL_AT } from './call-row.ts';
import { CALL_ATTR } from './record-attributes.ts';
import { attributeOf, canonicalFormOf, type RecordSpan } from './record-row.ts';

/** A span in `onEnding`: its end time is set, its attributes can still be. */
export interface EndingSpan extends RecordSpan {
  setAttribute(key: string, value: string | number): unknown;
}

function setAttribute(span: EndingSpan, name: string, position: number, value: string | number): void {
  if (span.attributes instanceof AttributeRow) span.attributes.values[position] = value;
  else span.setAttribute(name, value);
}

export interface AuditSpanProcessorOptions<Span> {
  readonly chain: Chain;
  readonly frames: Pick<FrameCollector<never>, 'addRecord' | 'completion'>;
  /** ExportTraceServiceRequest, protobuf */
  readonly serialize: (spans: Span[]) => Uint8Array;
}

export class AuditSpanProcessor<Span extends RecordSpan> {
  readonly #chain: Chain;
  readonly #frames: AuditSpanProcessorOptions<Span>['frames'];
  readonly #serialize: (spans: Span[]) => Uint8Array;
  /** CLIENT spans that wait for the SERVER span of their completion */
  #children: Span[] = [];
  #link: ChainLink | undefined;

  constructor(options: AuditSpanProcessorOptions<Span>) {
    this.#chain = options.chain;
    this.#frames = options.frames;
    this.#serialize = options.serialize;
  }

  onStart(): void {
    // what a record needs is known at its end
  }

  /** Takes the next position. The frame follows in the same tick (`onEnd`), the append after it (`collect`). */
  onEnding(span: EndingSpan): void {
    this.#link = undefined;
    const kind = attributeOf(span, CALL_ATTR.kind, CALL_AT.kind);
    if (kind === undefined || kind === 'health') return;
    const seq = this.#chain.head().seq + 1n;
    setAttribute(span, CALL_ATTR.chainId, CALL_AT.chainId, this.#chain.id);
    setAttribute(span, CALL_ATTR.seq, CALL_AT.seq, Number(seq));
    const link = this.#chain.next(canonicalFormOf(span));
    if (link.seq !== seq) throw new TypeError('the chain gave another position than the one that was hashed');
    setAttribute(span, CALL_ATTR.hash, CALL_AT.hash, link.hash);
    this.#link = link;
  }

  onEnd(span: Span): void {
    if (attributeOf(span, CALL_ATTR.kind, CALL_AT.kind) === undefined) {
      this.#children.push(span);
      return;
    }
    const spans = this.#children.length === 0 ? [span] : [...this.#children, span];
    this.#children = [];
    const { startedAtNs, settles } = this.#frames.completion;
    const callId = settles ? attributeOf(span, CALL_ATTR.callId, CALL_AT.callId) : undefined;
    this.#frames.addRecord({
      type: 'record',
      stream: 'metadata',
      bytes: this.#serialize(spans),
      startedAtNs,
      ...(typeof callId === 'string' ? { settles: callId } : {}),
      ...(this.#link === undefined ? {} : { link: this.#link }),
    });
  }

  /** Forgets spans of a completion that was not finished. */
  reset(): void {
    this.#children = [];
  }

  forceFlush(): Promise<void> {
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    return Promise.resolve();
  }
}
