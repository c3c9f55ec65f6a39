/**
 * Finds `name=value`, `name: value`, `--name value` and `<name>value</name>` in any text, so that a credential is found
 * by its name where no JSON tree tells keys from values: shell lines, .env files, headers in a log, query strings, JSON
 * inside strings or cut off. Part of the redaction point. Scans by hand: one pass, bounded look-behind, no backtracking.
 */
import type { SensitiveNames } from './sensitive-names.ts';

export interface SecretSpan {
  readonly from: number;
  readonly to: number;
  /** the name that announced it, as written */
  readonly name: string;
}

const OPERATOR = /[=:]|%3[ad]/gi;
const LONGEST_NAME = 96;
/** Values that are no secret although a sensitive name stands before them: types, nothing, yes and no. */
const HARMLESS_VALUE =
  /^(?:true|false|null|none|nil|undefined|string|str|number|int|integer|boolean|bool|object|array|any|unknown|required|optional|yes|no)$/i;
/** Their values are written with blanks in them, so they go to the end of the line. */
const WHOLE_LINE_NAMES = /authorization$|cookie2?$|passphrase$|seed_?phrase$|mnemonic$/i;
const FLAG = /(?<![^\s"'`[(,])--?([A-Za-z][\w-]{1,60})[ \t]{1,8}(?=[^\s-])/g;
const ELEMENT = /<([\w:.-]{1,64})(?:\s[^<>]{0,300})?>([^<]+)<\//g;

/** @returns spans in order, none overlapping */
export function findAssignments(text: string, names: SensitiveNames): SecretSpan[] {
  const spans: SecretSpan[] = [];
  OPERATOR.lastIndex = 0;
  for (let found = OPERATOR.exec(text); found !== null; found = OPERATOR.exec(text)) {
    const name = nameBefore(text, found.index);
    if (name === undefined) continue;
    const sensitivity = names.key(name.text);
    if (sensitivity === 'no') continue;
    const value = valueAfter(text, found.index + found[0].length, name);
    if (value === undefined || value.to <= value.from) continue;
    const written = text.slice(value.from, value.to);
    if (HARMLESS_VALUE.test(written) || (sensitivity === 'unless-count' && isCount(written))) continue;
    spans.push({ ...value, name: name.text });
    OPERATOR.lastIndex = Math.max(OPERATOR.lastIndex, value.to);
  }
  for (const expression of [FLAG, ELEMENT]) collectNamed(text, expression, names, spans);
  return withoutOverlaps(spans);
}

export function isCount(written: string): boolean {
  return /^\d{1,9}$/.test(written);
}

function collectNamed(text: string, expression: RegExp, names: SensitiveNames, spans: SecretSpan[]): void {
  expression.lastIndex = 0;
  for (let found = expression.exec(text); found !== null; found = expression.exec(text)) {
    const name = found[1] ?? '';
    if (names.key(name) === 'no') continue;
    const span =
      found[2] === undefined
        ? valueAfter(text, expression.lastIndex, { text: name, lineStart: false })
        : elementSpan(found);
    if (span === undefined || span.to <= span.from || HARMLESS_VALUE.test(text.slice(span.from, span.to))) continue;
    spans.push({ ...span, name });
    // What is inside a value is not scanned again: an unclosed value reaches to the end each time.
    expression.lastIndex = Math.max(expression.lastIndex, span.to);
  }
}

function elementSpan(found: RegExpExecArray): { from: number; to: number } {
  const to = found.index + found[0].length - 2;
  return { from: to - (found[2] ?? '').length, to };
}

function withoutOverlaps(spans: SecretSpan[]): SecretSpan[] {
  spans.sort((left, right) => left.from - right.from || right.to - left.to);
  const kept: SecretSpan[] = [];
  for (const span of spans) {
    const last = kept.at(-1);
    if (last === undefined || span.from >= last.to) kept.push(span);
    else if (span.to > last.to) kept[kept.length - 1] = { ...last, to: span.to };
  }
  return kept;
}

interface Name {
  readonly text: string;
  /** first thing on its line, so that its value may reach to the end of it */
  readonly lineStart: boolean;
}

/** The name that ends before the operator, blanks, quotes and backslashes in between left out. */
function nameBefore(text: string, operatorAt: number): Name | undefined {
  let to = operatorAt;
  for (let skipped = 0; skipped < 16 && to > 0 && /[\s"'`\\\])]/.test(text.charAt(to - 1)); skipped++) to--;
  let from = to;
  while (from > 0 && to - from < LONGEST_NAME && isNameCharacter(text.charCodeAt(from - 1))) from--;
  if (from === to) return undefined;
  // `\npassword=` written out: the letter of an escape is no part of the name.
  if (text.charAt(from - 1) === '\\' && to - from > 1 && /[nrtbf]/.test(text.charAt(from))) from++;
  // `%26token`: neither are the digits of an encoded sign.
  if (text.charAt(from - 1) === '%' && /^[0-9a-f]{2}\w/i.test(text.slice(from, from + 3))) from += 2;
  let before = from;
  while (before > 0 && /[ \t-]/.test(text.charAt(before - 1))) before--;
  return {
    text: text.slice(from, to),
    lineStart:
      before === 0 ||
      /[\r\n]/.test(text.charAt(before - 1)) ||
      /(?:^|\n)\s*export $/.test(text.slice(Math.max(0, from - 12), from)),
  };
}

function isNameCharacter(code: number): boolean {
  return (
    (code >= 97 && code <= 122) ||
    (code >= 65 && code <= 90) ||
    (code >= 48 && code <= 57) ||
    code === 95 ||
    code === 45 ||
    code === 46 ||
    code > 127
  );
}

function valueAfter(text: string, at: number, name: Name): { from: number; to: number } | undefined {
  // `:=`, `=>`, `==` and blanks; over a line's end only when a quoted value follows, as in pretty-printed JSON.
  let from = at;
  while (from < text.length && /[ \t=>]/.test(text.charAt(from))) from++;
  if (/[\r\n]/.test(text.charAt(from))) {
    let next = from;
    while (next < text.length && next - from < 64 && /\s/.test(text.charAt(next))) next++;
    if (!/["'\\]/.test(text.charAt(next))) return undefined;
    from = next;
  }
  let quoteAt = from;
  while (text.charAt(quoteAt) === '\\') quoteAt++;
  const quote = text.charAt(quoteAt);
  if (quote === '"' || quote === "'" || quote === '`') {
    return { from: quoteAt + 1, to: closingQuote(text, quoteAt + 1, quote, quoteAt - from) };
  }
  const first = text.charAt(from);
  if (first === '{' || first === '[') return { from, to: closingBracket(text, from) };
  if (name.lineStart || WHOLE_LINE_NAMES.test(name.text)) return { from, to: lineEnd(text, from) };
  const end = /[\s,;&"'`<>)}\]\\]/g;
  end.lastIndex = from;
  return { from, to: end.exec(text)?.index ?? text.length };
}

/**
 * In a string inside `level` backslash layers a quote closes when the backslashes before it are exactly those layers
 * (plus escaped backslashes). Not closed at all: everything to the end belongs to it.
 */
function closingQuote(text: string, from: number, quote: string, level: number): number {
  for (let at = text.indexOf(quote, from); at >= 0; at = text.indexOf(quote, at + 1)) {
    let slashes = 0;
    while (at - slashes > from && text.charAt(at - slashes - 1) === '\\') slashes++;
    if (slashes >= level && (slashes - level) % (2 * (level + 1)) === 0) return at - level;
    if (slashes < level) return at - slashes;
  }
  return text.length;
}

function closingBracket(text: string, from: number): number {
  const token = /[[{\]}]|\\*["']/g;
  token.lastIndex = from;
  let depth = 0;
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    const written = found[0];
    if (written === '{' || written === '[') depth++;
    else if (written === '}' || written === ']') {
      if (--depth === 0) return token.lastIndex;
    } else {
      const quote = written.slice(-1);
      const level = written.length - 1;
      token.lastIndex = closingQuote(text, token.lastIndex, quote, level) + level + 1;
    }
  }
  return text.length;
}

/** To the end of the line; a form field (`token=…&user=…`) ends at the next one, a quoted line at its quote. */
function lineEnd(text: string, from: number): number {
  const end = /[\r\n"'`]|\\[rn"]|&[\w.%[\]-]{1,64}=/g;
  end.lastIndex = from;
  return end.exec(text)?.index ?? text.length;
}
