/**
 * Positions in valid JSON text: where strings, scalars and whole values end. Used to replace single values in place.
 * Not a parser: the text has passed JSON.parse before.
 */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  code(at: number): number {
    return this.text.charCodeAt(at);
  }

  skipBlanks(at: number): number {
    let next = at;
    for (let code = this.code(next); code === 32 || code === 10 || code === 13 || code === 9;) {
      code = this.code(++next);
    }
    return next;
  }

  /** Over the colon behind a key to its value. */
  valueStart(keyEnd: number): number {
    return this.skipBlanks(this.skipBlanks(keyEnd) + 1);
  }

  /** Over the comma behind a value to the next item, or to the closing bracket. */
  nextItem(valueEnd: number): number {
    const next = this.skipBlanks(valueEnd);
    return this.code(next) === 0x2c ? this.skipBlanks(next + 1) : next;
  }

  /** @param at of the opening quote @returns the position behind the closing one */
  stringEnd(at: number): number {
    for (let quote = this.text.indexOf('"', at + 1); quote >= 0; quote = this.text.indexOf('"', quote + 1)) {
      let slashes = 0;
      while (this.code(quote - slashes - 1) === 0x5c) slashes++;
      if (slashes % 2 === 0) return quote + 1;
    }
    throw new TypeError('string without end');
  }

  /** The string that stands from a quote to behind the closing one. */
  string(at: number, end: number): string {
    const raw = this.text.slice(at + 1, end - 1);
    return raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw;
  }

  /** Behind a number, true, false or null. */
  scalarEnd(at: number): number {
    let end = at;
    while (end < this.text.length && !isScalarEnd(this.code(end))) end++;
    return end;
  }

  valueEnd(at: number): number {
    const first = this.code(at);
    if (first === 0x22) return this.stringEnd(at);
    if (first !== 0x7b && first !== 0x5b) return this.scalarEnd(at);
    let depth = 0;
    for (let next = at; next < this.text.length;) {
      const code = this.code(next);
      next = code === 0x22 ? this.stringEnd(next) : next + 1;
      if (code === 0x7b || code === 0x5b) depth++;
      else if ((code === 0x7d || code === 0x5d) && --depth === 0) return next;
    }
    throw new TypeError('value without end');
  }
}

function isScalarEnd(code: number): boolean {
  return code === 0x2c || code === 0x7d || code === 0x5d || code <= 0x20;
}
