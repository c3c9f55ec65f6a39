/**
 * Finds the events of a `text/event-stream` in passing bytes (WHATWG, "Interpreting an event stream"): LF, CRLF, CR,
 * several data lines, comments, a byte order mark, cut anywhere. It copies nothing and changes nothing; who feeds it
 * decides what to do with the bytes. It judges no event: one without data is reported too, since its id counts.
 */

export interface SseSink {
  /** A piece of the event's data: a view on the chunk, or a line end between two data lines. */
  data(piece: Buffer): void;
}

export interface SseEventEnd {
  /** number of `data` fields; 0 for an event without data and for mere comments */
  readonly dataLines: number;
  /** the `id` field, if the event had one */
  readonly id?: string;
  /** the `event` field, if the event had one */
  readonly name?: string;
}

const AT = { lineStart: 0, field: 1, space: 2, value: 3, bom: 4 } as const;
type At = (typeof AT)[keyof typeof AT];

const LF = 0x0a;
const CR = 0x0d;
const LINE_END = Buffer.from('\n');
const BOM = [0xef, 0xbb, 0xbf] as const;
const LOOP_BYTES = 64;
const MAX_FIELD_BYTES = 8;
const MAX_ID_BYTES = 1024;

export class SseScanner {
  readonly #sink: SseSink;
  #at: At = AT.bom;
  #bomAt = 0;
  /** the line end was a CR: a LF that follows belongs to it */
  #afterCr = false;
  #field = '';
  #kept = '';
  #dataLines = 0;
  #id: string | undefined;
  #name: string | undefined;
  #open = false;
  #event: SseEventEnd | undefined;

  constructor(sink: SseSink) {
    this.#sink = sink;
  }

  /** The event that the last `scan` ended. */
  get event(): SseEventEnd | undefined {
    return this.#event;
  }

  /** Bytes of an event (or comment) were read that no blank line has ended. */
  get open(): boolean {
    return this.#open;
  }

  /** Bytes of a line were read that no line end has ended. */
  get inLine(): boolean {
    return this.#at === AT.bom ? this.#bomAt > 0 : this.#at !== AT.lineStart;
  }

  /** Data fields of the event that is open. */
  get openDataLines(): number {
    return this.#dataLines + (this.#at === AT.value || this.#at === AT.space ? (this.#field === 'data' ? 1 : 0) : 0);
  }

  /**
   * Reads on to the end of an event or of the chunk, whichever comes first.
   * @returns the offset after what was read; an event's offset is after the line end of its blank line
   */
  scan(chunk: Buffer, from: number): number {
    this.#event = undefined;
    const n = chunk.length;
    let i = from;
    let crAt = -2;
    while (i < n) {
      const c = chunk[i] ?? 0;
      if (this.#at === AT.bom) {
        if (c === BOM[this.#bomAt]) {
          i++;
          if (++this.#bomAt === BOM.length) this.#at = AT.lineStart;
        } else {
          // a cut-off mark is the start of an unknown field
          this.#at = this.#bomAt === 0 ? AT.lineStart : AT.field;
          this.#field = this.#bomAt === 0 ? '' : '\ufffd';
          this.#open = this.#bomAt > 0;
        }
        continue;
      }
      if (this.#afterCr) {
        this.#afterCr = false;
        if (c === LF) {
          i++;
          continue;
        }
      }
      if (c === LF || c === CR) {
        i++;
        if (c === CR) {
          if (chunk[i] === LF) i++;
          else this.#afterCr = i === n;
        }
        const blank = this.#at === AT.lineStart;
        if (!blank) this.#lineEnds();
        else if (this.#open) {
          this.#dispatch();
          return i;
        }
        continue;
      }
      switch (this.#at) {
        case AT.lineStart:
          this.#open = true;
          this.#at = AT.field;
          this.#field = '';
          this.#kept = '';
          break;
        case AT.field:
          i++;
          if (c === 0x3a) {
            this.#at = AT.space;
          } else if (this.#field.length < MAX_FIELD_BYTES) {
            this.#field += String.fromCharCode(c);
          }
          break;
        case AT.space:
          if (this.#field === 'data' && this.#dataLines > 0) this.#sink.data(LINE_END);
          this.#at = AT.value;
          if (c === 0x20) i++;
          break;
        default: {
          let end = i + 1;
          const loopEnd = Math.min(n, end + LOOP_BYTES);
          while (end < loopEnd && chunk[end] !== LF && chunk[end] !== CR) end++;
          if (end === loopEnd && end < n) {
            const lf = chunk.indexOf(LF, end);
            if (crAt !== -1 && crAt < end) crAt = chunk.indexOf(CR, end);
            end = Math.min(lf === -1 ? n : lf, crAt === -1 ? n : crAt);
          }
          this.#value(chunk, i, end);
          i = end;
        }
      }
    }
    return n;
  }

  #value(chunk: Buffer, start: number, end: number): void {
    if (this.#field === 'data') {
      this.#sink.data(start === 0 && end === chunk.length ? chunk : chunk.subarray(start, end));
    } else if ((this.#field === 'id' || this.#field === 'event') && this.#kept.length < MAX_ID_BYTES) {
      this.#kept += chunk.toString('latin1', start, Math.min(end, start + MAX_ID_BYTES));
    }
  }

  #lineEnds(): void {
    if (this.#field === 'data') {
      // `data` without a value, or with nothing after the colon, is an empty line of data
      if (this.#at !== AT.value && this.#dataLines > 0) this.#sink.data(LINE_END);
      this.#dataLines++;
    } else if (this.#field === 'id') {
      this.#id = this.#kept;
    } else if (this.#field === 'event') {
      this.#name = this.#kept;
    }
    this.#field = '';
    this.#at = AT.lineStart;
  }

  #dispatch(): void {
    this.#event = {
      dataLines: this.#dataLines,
      ...(this.#id === undefined ? {} : { id: this.#id }),
      ...(this.#name === undefined ? {} : { name: this.#name }),
    };
    this.#dataLines = 0;
    this.#id = undefined;
    this.#name = undefined;
    this.#open = false;
  }
}
