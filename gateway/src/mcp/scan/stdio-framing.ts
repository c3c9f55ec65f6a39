/**
 * Newline-delimited JSON over raw bytes, as the stdio transport of MCP frames messages. Sits between a child process's
 * stdout and the session, and makes the lines that go to its stdin. Right for any chunk split, because it works on bytes
 * and never decodes. Knows nothing of JSON-RPC; a line that is no message is the envelope's business, and no line's text
 * ever reaches a log or an error.
 */
import { GatelensError } from '../../errors.ts';

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;

/** Large enough for a file of 45 MiB as base64; the memory one child can claim for an unfinished line. */
export const DEFAULT_MAX_LINE_BYTES = 64 * 1024 * 1024;
const FIRST_BUFFER_BYTES = 16 * 1024;

export interface LineFramerOptions {
  /** longest line accepted, without its newline; default 64 MiB */
  readonly maxLineBytes?: number;
}

/** Cuts a byte stream into lines. One framer per stream. */
export class LineFramer {
  readonly #maxLineBytes: number;
  #partial: Buffer = Buffer.alloc(0);
  #partialBytes = 0;

  constructor(options: LineFramerOptions = {}) {
    this.#maxLineBytes = options.maxLineBytes ?? DEFAULT_MAX_LINE_BYTES;
  }

  /** Bytes of the unfinished last line. */
  get pendingBytes(): number {
    return this.#partialBytes;
  }

  /**
   * @param onLine takes each finished line without its newline; it may keep the bytes
   * @throws GatelensError `upstream_protocol` when a line is longer than allowed; the stream cannot be used after that
   */
  push(chunk: Uint8Array, onLine: (line: Buffer) => void): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    for (let end = bytes.indexOf(LF); end !== -1; end = bytes.indexOf(LF, start)) {
      const line = this.#finish(bytes.subarray(start, end));
      start = end + 1;
      onLine(line);
    }
    if (start < bytes.length) this.#append(bytes.subarray(start));
  }

  /** What stood after the last newline, given out once: some servers do not end their last line before they exit. */
  end(onLine: (line: Buffer) => void): void {
    if (this.#partialBytes > 0) onLine(this.#finish(Buffer.alloc(0)));
  }

  #finish(tail: Buffer): Buffer {
    if (this.#partialBytes === 0) {
      this.#check(tail.length);
      return tail;
    }
    this.#append(tail);
    const line = this.#partial.subarray(0, this.#partialBytes);
    this.#partial = Buffer.alloc(0);
    this.#partialBytes = 0;
    return line;
  }

  /** Copies into one growing buffer: a list of chunks would cost a hundred bytes a byte with a child that dribbles. */
  #append(tail: Buffer): void {
    const neededBytes = this.#partialBytes + tail.length;
    this.#check(neededBytes);
    if (neededBytes > this.#partial.length) {
      const grown = Buffer.allocUnsafe(Math.max(neededBytes, this.#partial.length * 2, FIRST_BUFFER_BYTES));
      this.#partial.copy(grown, 0, 0, this.#partialBytes);
      this.#partial = grown;
    }
    tail.copy(this.#partial, this.#partialBytes);
    this.#partialBytes = neededBytes;
  }

  #check(lineBytes: number): void {
    if (lineBytes <= this.#maxLineBytes) return;
    throw new GatelensError(
      'upstream_protocol',
      `The MCP server sent a message longer than ${this.#maxLineBytes} bytes. Ask it for less at a time, or raise the limit on messages of stdio servers.`
    );
  }
}

/**
 * One line for the wire out of valid JSON. A pretty-printed message holds raw line breaks between its tokens (inside
 * strings they cannot be), which would cut the line: they become spaces, everything else passes as it came.
 */
export function toLine(json: Uint8Array): Buffer {
  const line = Buffer.allocUnsafe(json.length + 1);
  line.set(json);
  blankBreaks(line, json.length);
  line[json.length] = LF;
  return line;
}

/** The same for the `data` of a server-sent event, where a carriage return ends the field too. Copies only if needed. */
export function toEventData(json: Uint8Array): Uint8Array {
  if (!json.includes(CR) && !json.includes(LF)) return json;
  const copy = Buffer.from(json);
  blankBreaks(copy, copy.length);
  return copy;
}

function blankBreaks(bytes: Buffer, until: number): void {
  for (const lineBreak of [LF, CR]) {
    for (let at = bytes.indexOf(lineBreak); at !== -1 && at < until; at = bytes.indexOf(lineBreak, at + 1)) {
      bytes[at] = SPACE;
    }
  }
}
