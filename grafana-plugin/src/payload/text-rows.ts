/**
 * A text as rows that fit: long lines are broken by count, so that a megabyte without a newline is no single element.
 * Rows are numbers until they are drawn: five megabytes of newlines are five million rows, but no object is made for one.
 */

export interface DrawnRow {
  readonly text: string;
  /** what stands before it; undefined for the rest of a broken line */
  readonly label: string | undefined;
}

/** What a view of text draws from. */
export interface RowSource {
  readonly count: number;
  /** there is more than a browser can scroll through */
  readonly isCut: boolean;
  row(index: number): DrawnRow;
  /** the row in which a character of the text is; the last one for what is cut */
  indexAt(offset: number): number;
}

/** Browsers place nothing below some 33 million pixels. */
export const MAX_ROWS = 1_500_000;
const LEAST_CHARS = 20;

export function textRows(text: string, charsPerRow: number): RowSource {
  const width = Math.max(LEAST_CHARS, charsPerRow);
  const rows = new RowStarts();
  for (let start = 0, line = 1; start <= text.length && rows.count < MAX_ROWS; line++) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    rows.push(start, line);
    for (let from = broken(text, start, width); from < end && rows.count < MAX_ROWS; from = broken(text, from, width)) {
      rows.push(from, 0);
    }
    if (newline < 0) break;
    start = newline + 1;
  }
  const endOf = (index: number): number => {
    if (index + 1 < rows.count) return rows.start(index + 1) - (rows.line(index + 1) === 0 ? 0 : 1);
    const newline = text.indexOf('\n', rows.start(index));
    return Math.min(newline < 0 ? text.length : newline, broken(text, rows.start(index), width));
  };
  return {
    count: rows.count,
    isCut: rows.count === MAX_ROWS,
    row: (index) => ({
      text: text.slice(rows.start(index), endOf(index)),
      label: rows.line(index) === 0 ? undefined : String(rows.line(index)),
    }),
    indexAt: (offset) => rows.indexAt(offset),
  };
}

/** Where each row begins, and the number of its line, 0 for the rest of a broken one. */
class RowStarts {
  count = 0;
  #starts = new Uint32Array(1024);
  #lines = new Uint32Array(1024);

  push(start: number, line: number): void {
    if (this.count === this.#starts.length) {
      this.#starts = grown(this.#starts);
      this.#lines = grown(this.#lines);
    }
    this.#starts[this.count] = start;
    this.#lines[this.count] = line;
    this.count += 1;
  }

  start(index: number): number {
    return this.#starts[index] ?? 0;
  }

  line(index: number): number {
    return this.#lines[index] ?? 0;
  }

  indexAt(offset: number): number {
    let [low, high] = [0, this.count - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.start(middle) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function grown(numbers: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const more = new Uint32Array(numbers.length * 2);
  more.set(numbers);
  return more;
}

/** Not within a surrogate pair. */
function broken(text: string, from: number, width: number): number {
  const to = from + width;
  const code = text.charCodeAt(to - 1);
  return code >= 0xd800 && code <= 0xdbff ? to + 1 : to;
}
