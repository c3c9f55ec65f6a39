/** Finds text in a text of megabytes, in slices, up to a number of finds. */
import type { Slices } from './slices.ts';
import { MAX_FINDS, type Finds } from './usePayloadSearch.ts';

export interface TextFind {
  /** offset in the text */
  readonly at: number;
  readonly length: number;
}

/** searched between two looks at the clock */
const PIECE_CHARS = 131_072;

/**
 * In any case, but for bytes.
 * @returns undefined when it was aborted
 */
export async function findInText(
  text: string,
  wanted: string,
  slices: Slices,
  { isBytes = false }: { readonly isBytes?: boolean } = {}
): Promise<Finds<TextFind> | undefined> {
  const found: TextFind[] = [];
  // a pattern, since a text in small letters can be longer than the text
  const pattern = new RegExp(wanted.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`), isBytes ? 'g' : 'giu');
  let end = 0;
  for (let from = 0; from < text.length; from += PIECE_CHARS) {
    const piece = text.slice(from, from + PIECE_CHARS + wanted.length);
    for (const match of piece.matchAll(pattern)) {
      const at = from + match.index;
      // what begins behind the piece is found with the next one
      if (match.index >= PIECE_CHARS || at < end) continue;
      if (found.length === MAX_FINDS) return { found, isCut: true };
      found.push({ at, length: match[0].length });
      end = at + match[0].length;
    }
    if (!(await slices.goOn())) return undefined;
  }
  return { found, isCut: false };
}

/** Bytes that somebody looks for: hexadecimal digits in pairs, or else text. @returns a character for each byte */
export function wantedBytes(text: string): string {
  const pairs = /^(?:[0-9a-f]{2}\s*)+$/i.test(text) ? (text.match(/[0-9a-f]{2}/gi) ?? []) : [];
  const bytes = pairs.length > 0 ? pairs.map((pair) => parseInt(pair, 16)) : [...new TextEncoder().encode(text)];
  return String.fromCharCode(...bytes);
}
