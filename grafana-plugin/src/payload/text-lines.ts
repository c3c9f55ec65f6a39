/**
 * A text as lines that fit: long ones are broken by count, so that a megabyte without a newline is no single element.
 * Lines are ranges of the text until they are drawn.
 */

export interface LineRange {
  readonly start: number;
  readonly end: number;
  /** number of the line it belongs to, from 1; undefined for the rest of a broken one */
  readonly number: number | undefined;
}

export function textLines(text: string, charsPerLine: number): readonly LineRange[] {
  const width = Math.max(20, charsPerLine);
  const lines: LineRange[] = [];
  let number = 1;
  for (let start = 0; start <= text.length; number++) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    for (let from = start; ; from = broken(text, from, width)) {
      const to = Math.min(end, broken(text, from, width));
      lines.push({ start: from, end: to, number: from === start ? number : undefined });
      if (to >= end) break;
    }
    if (newline < 0) break;
    start = newline + 1;
  }
  return lines;
}

/** Not within a surrogate pair. */
function broken(text: string, from: number, width: number): number {
  const to = from + width;
  const code = text.charCodeAt(to - 1);
  return code >= 0xd800 && code <= 0xdbff ? to + 1 : to;
}

/** Where `wanted` is found, in any case. */
export function findInText(text: string, wanted: string, limit: number): readonly number[] {
  if (wanted === '') return [];
  const haystack = text.toLowerCase();
  const needle = wanted.toLowerCase();
  const found: number[] = [];
  for (
    let at = haystack.indexOf(needle);
    at >= 0 && found.length < limit;
    at = haystack.indexOf(needle, at + needle.length)
  ) {
    found.push(at);
  }
  return found;
}
