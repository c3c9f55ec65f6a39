/**
 * A JSON value as text again. Iterative, and indented to a depth that can be read: what the browser has for it breaks off
 * at a few thousand levels, and indents ten thousand of them into hundreds of megabytes.
 */
import { isBranch, isRecord, type Json } from './json.ts';
import type { Slices } from './slices.ts';

/** deeper ones do not move further to the right */
const MAX_INDENT = 32;
/** pieces between two looks at the clock */
const PIECES_PER_LOOK = 2000;

interface Branch {
  readonly value: Json;
  /** undefined for a list */
  readonly keys: readonly string[] | undefined;
  readonly count: number;
  next: number;
}

/** Whole, in slices. @returns undefined when it was aborted */
export async function jsonText(value: Json, slices: Slices): Promise<string | undefined> {
  let text = '';
  let pieces: string[] = [];
  for (const piece of piecesOf(value)) {
    pieces.push(piece);
    if (pieces.length < PIECES_PER_LOOK) continue;
    text += pieces.join('');
    pieces = [];
    if (!(await slices.goOn())) return undefined;
  }
  return text + pieces.join('');
}

/** The beginning of it. */
export function jsonBeginning(value: Json, maxChars: number): string {
  let text = '';
  for (const piece of piecesOf(value)) {
    text += piece.length > maxChars ? piece.slice(0, maxChars + 1) : piece;
    if (text.length > maxChars) return `${text.slice(0, maxChars)}…`;
  }
  return text;
}

function* piecesOf(root: Json): Generator<string> {
  const open: Branch[] = [];
  yield begin(root, open);
  for (let branch = open.at(-1); branch !== undefined; branch = open.at(-1)) {
    const { value, keys, count, next } = branch;
    if (next === count) {
      open.pop();
      yield `${count === 0 ? '' : newLine(open.length)}${keys === undefined ? ']' : '}'}`;
      continue;
    }
    branch.next += 1;
    yield `${next === 0 ? '' : ','}${newLine(open.length)}`;
    const key = keys?.[next];
    if (key === undefined) {
      yield begin((value as readonly Json[])[next] ?? null, open);
    } else {
      yield `${JSON.stringify(key)}: `;
      yield begin((value as Readonly<Record<string, Json>>)[key] ?? null, open);
    }
  }
}

function begin(value: Json, open: Branch[]): string {
  if (!isBranch(value)) return JSON.stringify(value);
  const keys = isRecord(value) ? Object.keys(value) : undefined;
  open.push({ value, keys, count: keys?.length ?? (value as readonly Json[]).length, next: 0 });
  return keys === undefined ? '[' : '{';
}

function newLine(depth: number): string {
  return `\n${'  '.repeat(Math.min(depth, MAX_INDENT))}`;
}
