/**
 * Makes valid JSON of JSON that was cut off: what is complete stays, a cut string is closed, a half-written key, number
 * or word is left out, open brackets are closed. Used for payloads over the capture cap; it invents no value.
 */

export interface JsonPreviewOptions {
  /**
   * Leave out the last word of a cut string: half a key or half a card number is known by no pattern any more.
   */
  readonly dropCutWord: boolean;
}

/**
 * @param cut the first part of a JSON text
 * @returns undefined when there is no valid beginning
 */
export function jsonPreview(cut: string, options: JsonPreviewOptions): string | undefined {
  const closers: string[] = [];
  /** up to here everything is complete once the brackets are closed */
  let safe = 0;
  /** an object waits for a key, so a string is one */
  let expectsKey = false;
  let inScalar = false;
  for (let at = 0; at < cut.length;) {
    const code = cut.charCodeAt(at);
    if (!isDelimiter(code)) {
      inScalar = true;
      at++;
      continue;
    }
    // Only what is followed by something is known to be complete: `12` may be cut from `123`.
    if (inScalar) safe = at;
    inScalar = false;
    at++;
    if (code === QUOTE) {
      const end = stringEnd(cut, at);
      if (end === undefined) {
        return closed(expectsKey ? cut.slice(0, safe) : `${closeString(cut, at, options.dropCutWord)}"`, closers);
      }
      at = end;
      if (!expectsKey) safe = at;
    } else if (code === 0x7b || code === 0x5b) {
      expectsKey = code === 0x7b;
      closers.push(expectsKey ? '}' : ']');
      safe = at;
    } else if (code === 0x7d || code === 0x5d) {
      closers.pop();
      safe = at;
    } else if (code === COMMA) {
      expectsKey = closers.at(-1) === '}';
    } else if (code === COLON) {
      expectsKey = false;
    }
  }
  return closed(cut.slice(0, safe), closers);
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;

function isDelimiter(code: number): boolean {
  return (
    code === QUOTE ||
    code === COMMA ||
    code === COLON ||
    code === 0x20 ||
    code === 0x0a ||
    code === 0x0d ||
    code === 0x09 ||
    code === 0x7b ||
    code === 0x7d ||
    code === 0x5b ||
    code === 0x5d
  );
}

function closed(kept: string, closers: readonly string[]): string | undefined {
  const preview = kept + [...closers].reverse().join('');
  try {
    JSON.parse(preview);
    return preview;
  } catch {
    return undefined;
  }
}

/** @returns the position behind the closing quote */
function stringEnd(text: string, from: number): number | undefined {
  for (let quote = text.indexOf('"', from); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let slashes = 0;
    while (quote - slashes > from && text.charCodeAt(quote - slashes - 1) === 0x5c) slashes++;
    if (slashes % 2 === 0) return quote + 1;
  }
  return undefined;
}

/** Everything up to the cut, without half an escape, and on demand without the cut word. */
function closeString(cut: string, from: number, dropCutWord: boolean): string {
  let to = cut.length;
  let slashes = 0;
  const escapeAt = cut.lastIndexOf('\\');
  if (escapeAt >= from && to - escapeAt < 6) {
    while (escapeAt - slashes >= from && cut.charCodeAt(escapeAt - slashes) === 0x5c) slashes++;
    const opensEscape = slashes % 2 === 1;
    if (opensEscape && (escapeAt === to - 1 || cut.charAt(escapeAt + 1) === 'u')) to = escapeAt;
  }
  if (dropCutWord) to = wordStart(cut, from, to);
  return cut.slice(0, to);
}

/** Where the last word begins; digits grouped by blanks or dashes count as one. Never inside an escape. */
function wordStart(text: string, from: number, to: number): number {
  let start = to;
  while (start > from && /[\d -]/.test(text.charAt(start - 1))) start--;
  while (start > from && !/\s/.test(text.charAt(start - 1))) start--;
  // The blank in front is kept, so what is left ends with a blank or is empty: no escape can be open there.
  return start;
}
