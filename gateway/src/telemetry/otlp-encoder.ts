/**
 * OTLP protobuf of spans and log records, byte for byte what @opentelemetry/otlp-transformer's serializers give (a test
 * compares them), at about a third of their CPU: this runs for every call before its reply. It writes back to front, so
 * that lengths are known when they are written, into memory handed out in slabs. What it does not know (events, doubles,
 * nested values, severities) it leaves to the library by giving `undefined`. One long file: every byte goes through the
 * same private fields, and all of it goes when the library has become as fast (ADR 6).
 */
import type { HrTime, SpanContext, SpanStatus } from '@opentelemetry/api';
import { AttributeRow, type AttributeNames } from './attribute-row.ts';

type Attributes = Readonly<Record<string, unknown>>;
type SomeAttributes = Attributes | AttributeRow;

interface Origin {
  readonly resource: { readonly attributes?: Attributes; readonly schemaUrl?: string };
  readonly instrumentationScope: {
    readonly name: string;
    readonly version?: string;
    readonly schemaUrl?: string;
    readonly attributes?: Attributes;
  };
}

export interface EncodableSpan extends Origin {
  readonly name: string;
  readonly kind: number;
  readonly parentSpanContext?: SpanContext;
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  readonly status: SpanStatus;
  readonly attributes: SomeAttributes;
  readonly links: readonly { readonly context: SpanContext; readonly attributes?: Attributes }[];
  readonly events: readonly unknown[];
  readonly droppedAttributesCount: number;
  readonly droppedEventsCount: number;
  readonly droppedLinksCount: number;
  spanContext(): SpanContext;
}

export interface EncodableLog extends Origin {
  readonly hrTime: HrTime;
  readonly hrTimeObserved: HrTime;
  readonly spanContext?: SpanContext;
  readonly severityText?: string;
  readonly severityNumber?: number;
  readonly body?: unknown;
  readonly eventName?: string;
  readonly attributes: SomeAttributes;
  readonly droppedAttributesCount: number;
}

const SLAB_BYTES = 64 * 1024;
/** up to here a loop is faster than a call into the runtime */
const SHORT_TEXT = 64;
/** of an attribute whose lengths are one byte each, its key included */
const MOST_SHORT_TEXT = 0x7f - 4;
/** Span.flags: the context says whether its parent is remote, and that it is */
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;

const NO_BYTES = new Uint8Array(0);

/** one for the tracer, one for the logger */
const MOST_ORIGINS = 4;

interface EncodedOrigin {
  readonly of: Origin['resource'];
  readonly by: Origin['instrumentationScope'];
  readonly scope: Uint8Array;
  readonly resource: Uint8Array;
}

interface Written {
  readonly value: unknown;
  readonly bytes: Uint8Array;
}

function hexDigit(code: number): number {
  return code < 0x3a ? code - 0x30 : (code | 0x20) - 0x57;
}

export class OtlpEncoder {
  #origins: readonly EncodedOrigin[] = [];
  readonly #written = new Map<AttributeNames, { readonly tag: number; readonly values: (Written | undefined)[] }>();
  #slab = Buffer.alloc(0);
  /** where the bytes written last begin */
  #at = 0;
  /** where the message being written ends */
  #end = 0;
  #isUnknown = false;

  /** The requests given so far are not needed any more: their memory is used again. */
  reuse(): void {
    this.#at = this.#slab.length;
    this.#end = this.#at;
  }

  /** ExportTraceServiceRequest of spans of one tracer, or undefined when it holds something unknown here. */
  spans(spans: readonly EncodableSpan[]): Uint8Array | undefined {
    return this.#request(spans, (span) => this.#span(span));
  }

  /** ExportLogsServiceRequest of records of one logger, likewise. */
  logs(records: readonly EncodableLog[]): Uint8Array | undefined {
    return this.#request(records, (record) => this.#log(record));
  }

  /** Both requests have the same frame: resource, scope, items. */
  #request<Item extends Origin>(items: readonly Item[], write: (item: Item) => void): Uint8Array | undefined {
    const [first] = items;
    if (first === undefined) return undefined;
    const { resource, instrumentationScope: scope } = first;
    this.#isUnknown =
      resource.schemaUrl !== undefined || scope.schemaUrl !== undefined || scope.attributes !== undefined;
    this.#end = this.#at;
    const end = this.#mark();
    for (let i = items.length - 1; i >= 0; i -= 1) {
      const item = items[i];
      if (item?.resource !== resource || item.instrumentationScope !== scope) return undefined;
      const itemEnd = this.#mark();
      write(item);
      this.#close(0x12, itemEnd);
    }
    const origin = this.#origin(first);
    this.#bytes(origin.scope);
    this.#close(0x12, end);
    this.#bytes(origin.resource);
    this.#close(0x0a, end);
    return this.#isUnknown ? undefined : this.#slab.subarray(this.#at, this.#end);
  }

  /** What all requests of one tracer or logger have in common, as bytes. */
  #origin({ resource, instrumentationScope }: Origin): EncodedOrigin {
    const known = this.#origins.find((one) => one.of === resource && one.by === instrumentationScope);
    if (known !== undefined) return known;
    const { name, version } = instrumentationScope;
    const scope = this.#apart(() => {
      const end = this.#mark();
      if (version !== undefined && version !== '') this.#text(0x12, version);
      this.#text(0x0a, name);
      this.#close(0x0a, end);
    });
    const encoded = this.#apart(() => {
      const end = this.#mark();
      this.#number(0x10, 0);
      if (resource.attributes !== undefined) this.#attributes(0x0a, resource.attributes);
      this.#close(0x0a, end);
    });
    const origin = { of: resource, by: instrumentationScope, scope, resource: encoded };
    if (!this.#isUnknown) this.#origins = [origin, ...this.#origins].slice(0, MOST_ORIGINS);
    return origin;
  }

  /** Writes what is then taken out again. */
  #apart(write: () => void): Uint8Array {
    const mark = this.#mark();
    write();
    const behind = this.#end - mark;
    const bytes = new Uint8Array(this.#slab.subarray(this.#at, behind));
    this.#at = behind;
    return bytes;
  }

  #span(span: EncodableSpan): void {
    const { traceId, spanId, traceFlags, traceState } = span.spanContext();
    const parent = span.parentSpanContext;
    if (span.events.length > 0) this.#isUnknown = true;
    this.#flags(0x85, 0x01, traceFlags, parent?.isRemote === true);
    const statusEnd = this.#mark();
    this.#number(0x18, span.status.code);
    if (span.status.message !== undefined && span.status.message !== '') this.#text(0x12, span.status.message);
    this.#close(0x7a, statusEnd);
    this.#number(0x70, span.droppedLinksCount);
    for (let i = span.links.length - 1; i >= 0; i -= 1) this.#link(span.links[i]);
    this.#number(0x60, span.droppedEventsCount);
    this.#number(0x50, span.droppedAttributesCount);
    this.#attributes(0x4a, span.attributes);
    this.#time(0x41, span.endTime);
    this.#time(0x39, span.startTime);
    this.#number(0x30, span.kind + 1);
    this.#text(0x2a, span.name);
    if (parent !== undefined && parent.spanId !== '') this.#hex(0x22, parent.spanId);
    const state = traceState?.serialize();
    if (state !== undefined && state !== '') this.#text(0x1a, state);
    this.#hex(0x12, spanId);
    this.#hex(0x0a, traceId);
  }

  #link(link: EncodableSpan['links'][number] | undefined): void {
    if (link === undefined) return;
    const { context, attributes } = link;
    if (attributes !== undefined && Object.keys(attributes).length > 0) this.#isUnknown = true;
    const end = this.#mark();
    this.#flags(0x35, undefined, context.traceFlags, context.isRemote === true);
    this.#number(0x28, 0);
    const state = context.traceState?.serialize();
    if (state !== undefined && state !== '') this.#text(0x1a, state);
    this.#hex(0x12, context.spanId);
    this.#hex(0x0a, context.traceId);
    this.#close(0x6a, end);
  }

  #log(record: EncodableLog): void {
    const { body, spanContext, eventName } = record;
    if (record.severityNumber !== undefined || record.severityText !== undefined) this.#isUnknown = true;
    if (eventName !== undefined && eventName !== '') this.#text(0x62, eventName);
    this.#time(0x59, record.hrTimeObserved);
    if (spanContext !== undefined) {
      this.#hex(0x52, spanContext.spanId);
      this.#hex(0x4a, spanContext.traceId);
      if (spanContext.traceFlags !== 0) this.#fixed32(0x45, undefined, spanContext.traceFlags);
    }
    this.#number(0x38, record.droppedAttributesCount);
    this.#attributes(0x32, record.attributes);
    if (body instanceof Uint8Array) {
      const bodyEnd = this.#mark();
      this.#reserve(body.length);
      this.#at -= body.length;
      this.#slab.set(body, this.#at);
      this.#close(0x3a, bodyEnd);
      this.#close(0x2a, bodyEnd);
    } else if (body !== undefined) {
      this.#isUnknown = true;
    }
    this.#time(0x09, record.hrTime);
  }

  #attributes(tag: number, attributes: SomeAttributes): void {
    if (attributes instanceof AttributeRow) {
      this.#row(tag, attributes);
      return;
    }
    const keys = Object.keys(attributes);
    for (let i = keys.length - 1; i >= 0; i -= 1) {
      const key = keys[i] ?? '';
      const end = this.#mark();
      this.#anyValue(attributes[key]);
      this.#close(0x12, end);
      this.#text(0x0a, key);
      this.#close(tag, end);
    }
  }

  #row(tag: number, { of, values }: AttributeRow): void {
    const written = this.#writtenOf(tag, of);
    for (let i = values.length - 1; i >= 0; i -= 1) {
      const value = values[i];
      if (value === undefined) continue;
      const last = written[i];
      if (last?.value === value) {
        this.#bytes(last.bytes);
        continue;
      }
      const key = of.keys[i] ?? NO_BYTES;
      const end = this.#mark();
      if (typeof value !== 'string' || !this.#shortText(tag, key, value)) {
        this.#anyValue(value);
        this.#close(0x12, end);
        this.#bytes(key);
        this.#close(tag, end);
      }
      if (of.repeats[i] === true) {
        const from = this.#end - end;
        written[i] = { value, bytes: new Uint8Array(this.#slab.subarray(this.#at, from)) };
      }
    }
  }

  /**
   * A whole attribute of the kind most are: text of ASCII, so short that each length is one byte.
   * @returns false when it is not, and nothing was written
   */
  #shortText(tag: number, key: Uint8Array, text: string): boolean {
    const { length } = text;
    if (length > MOST_SHORT_TEXT - key.length) return false;
    this.#reserve(MOST_SHORT_TEXT + 8);
    const slab = this.#slab;
    let at = this.#at - length;
    for (let i = 0; i < length; i += 1) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return false;
      slab[at + i] = code;
    }
    slab[at - 1] = length;
    slab[at - 2] = 0x0a;
    slab[at - 3] = length + 2;
    slab[at - 4] = 0x12;
    at -= 4 + key.length;
    for (let i = 0; i < key.length; i += 1) slab[at + i] = key[i] ?? 0;
    slab[at - 1] = key.length + length + 4;
    slab[at - 2] = tag;
    this.#at = at - 2;
    return true;
  }

  /** What was written last at each position of such rows. */
  #writtenOf(tag: number, of: AttributeNames): (Written | undefined)[] {
    let rows = this.#written.get(of);
    if (rows?.tag !== tag) {
      rows = { tag, values: of.names.map(() => undefined) };
      this.#written.set(of, rows);
    }
    return rows.values;
  }

  #bytes(bytes: Uint8Array): void {
    const { length } = bytes;
    this.#reserve(length);
    const at = (this.#at -= length);
    const slab = this.#slab;
    if (length > SHORT_TEXT) slab.set(bytes, at);
    else for (let i = 0; i < length; i += 1) slab[at + i] = bytes[i] ?? 0;
  }

  #anyValue(value: unknown): void {
    if (typeof value === 'string') this.#text(0x0a, value);
    else if (typeof value === 'boolean') this.#number(0x10, value ? 1 : 0);
    else if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) this.#number(0x18, value);
    else if (Array.isArray(value)) this.#array(value);
    else this.#isUnknown = true;
  }

  #array(values: readonly unknown[]): void {
    const end = this.#mark();
    for (let i = values.length - 1; i >= 0; i -= 1) {
      const itemEnd = this.#mark();
      this.#anyValue(values[i]);
      this.#close(0x0a, itemEnd);
    }
    this.#close(0x2a, end);
  }

  /** Distance from the end of the request, which stays when the slab is exchanged. */
  #mark(): number {
    return this.#end - this.#at;
  }

  /** Length and tag in front of what was written since `mark`. */
  #close(tag: number, mark: number): void {
    this.#varint(this.#end - this.#at - mark);
    this.#byte(tag);
  }

  #text(tag: number, text: string): void {
    const { length } = text;
    this.#reserve(length * 3 + 12);
    const slab = this.#slab;
    let bytes = length;
    let at = this.#at - length;
    if (length > SHORT_TEXT) {
      bytes = Buffer.byteLength(text);
      at = this.#at - bytes;
      slab.write(text, at);
    } else {
      for (let i = 0; i < length; i += 1) {
        const code = text.charCodeAt(i);
        if (code > 0x7f) {
          bytes = Buffer.byteLength(text);
          at = this.#at - bytes;
          slab.write(text, at);
          break;
        }
        slab[at + i] = code;
      }
    }
    this.#at = at;
    this.#varint(bytes);
    this.#byte(tag);
  }

  /** @param hex lower case, of even length */
  #hex(tag: number, hex: string): void {
    this.#reserve(hex.length);
    const bytes = hex.length >> 1;
    const at = (this.#at -= bytes);
    for (let i = 0; i < bytes; i += 1) {
      this.#slab[at + i] = (hexDigit(hex.charCodeAt(2 * i)) << 4) | hexDigit(hex.charCodeAt(2 * i + 1));
    }
    this.#byte(bytes);
    this.#byte(tag);
  }

  /** Nanoseconds since 1970 as fixed64: more than a double holds, so in two halves. */
  #time(tag: number, time: HrTime): void {
    this.#reserve(9);
    const seconds = time[0];
    const high = Math.floor(seconds / 0x10000) * 1e9;
    const low = (high % 0x10000) * 0x10000 + (seconds % 0x10000) * 1e9 + time[1];
    this.#uint32(Math.floor(high / 0x10000) + Math.floor(low / 0x1_0000_0000));
    this.#uint32(low % 0x1_0000_0000);
    this.#byte(tag);
  }

  #flags(tag: number, tagHigh: number | undefined, traceFlags: number, isRemote: boolean): void {
    this.#fixed32(tag, tagHigh, (traceFlags & 0xff) | HAS_IS_REMOTE | (isRemote ? IS_REMOTE : 0));
  }

  #fixed32(tag: number, tagHigh: number | undefined, value: number): void {
    this.#reserve(6);
    this.#uint32(value);
    if (tagHigh !== undefined) this.#byte(tagHigh);
    this.#byte(tag);
  }

  /** Reserve the room before. */
  #uint32(value: number): void {
    const at = (this.#at -= 4);
    const slab = this.#slab;
    slab[at] = value;
    slab[at + 1] = value >>> 8;
    slab[at + 2] = value >>> 16;
    slab[at + 3] = value >>> 24;
  }

  #number(tag: number, value: number): void {
    this.#varint(value);
    this.#byte(tag);
  }

  /** Of safe integers from 0. */
  #varint(value: number): void {
    this.#reserve(10);
    if (value < 0x80) {
      this.#at -= 1;
      this.#slab[this.#at] = value;
      return;
    }
    let size = 1;
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size += 1;
    this.#at -= size;
    let rest = value;
    for (let i = 0; i < size; i += 1) {
      this.#slab[this.#at + i] = (rest % 0x80) | (i === size - 1 ? 0 : 0x80);
      rest = Math.floor(rest / 0x80);
    }
  }

  #byte(byte: number): void {
    this.#reserve(1);
    this.#at -= 1;
    this.#slab[this.#at] = byte;
  }

  /** Moves what was written of this request to a new slab when the present one is full. */
  #reserve(bytes: number): void {
    if (this.#at >= bytes) return;
    const written = this.#end - this.#at;
    const slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, 2 * (written + bytes)));
    this.#slab.copy(slab, slab.length - written, this.#at, this.#end);
    this.#slab = slab;
    this.#end = slab.length;
    this.#at = slab.length - written;
  }
}
