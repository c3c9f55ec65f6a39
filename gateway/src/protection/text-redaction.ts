/**
 * Redacts one piece of text: credentials known by shape (secret-patterns.ts), then credentials known by the name before
 * them (assignment-scan.ts). Part of the redaction point; used for plain bodies, for strings inside JSON, for header
 * values. Text without any hint of a credential is left after two scans.
 */
import { findAssignments } from './assignment-scan.ts';
import { EMAIL_PATTERN, PATTERN_HINT, SECRET_PATTERNS } from './secret-patterns.ts';
import type { SecretPattern } from './secret-patterns.ts';
import { createSensitiveNames } from './sensitive-names.ts';
import type { OwnNames, SensitiveNames } from './sensitive-names.ts';

/** Stands for a value whose name announced a credential. */
export const REDACTED = '[redacted]';

function redactedAs(kind: string): string {
  return `[redacted:${kind}]`;
}

const PLACEHOLDER = /^(?:[A-Za-z]{1,12} )?\[redacted(?::[a-z0-9_-]{1,32})?\]$/;

export interface RedactedText {
  readonly text: string;
  /** what was found: pattern names, or the names that announced a credential */
  readonly found: readonly string[];
}

export interface TextRedactor {
  readonly names: SensitiveNames;
  /** @returns undefined when nothing had to be replaced */
  redact(text: string): RedactedText | undefined;
  /** Credentials known by shape only, for numbers. */
  redactShapes(text: string): RedactedText | undefined;
  /**
   * A redactor for the pieces of this text that skips what the whole of it has no hint of; undefined when there is no
   * hint of anything, as with most bodies. Holds for the strings of a JSON text too, unless escapes could hide a hint.
   */
  narrowedTo(text: string): TextRedactor | undefined;
}

export interface TextRedactionOptions extends OwnNames {
  /** also e-mail addresses */
  readonly emails?: boolean;
}

export function createTextRedactor(options: TextRedactionOptions): TextRedactor {
  const emails = options.emails ?? false;
  const patterns = emails ? [...SECRET_PATTERNS, EMAIL_PATTERN] : SECRET_PATTERNS;
  const combined = new RegExp(patterns.map((one) => `(${one.source})`).join('|'), 'g');
  const names = createSensitiveNames(options);
  const hasShapeHint = (text: string): boolean => PATTERN_HINT.test(text) || (emails && text.includes('@'));
  const redactShapes = (text: string): RedactedText | undefined =>
    hasShapeHint(text) ? replaceShapes(text, combined, patterns) : undefined;
  const redactNamed = (text: string): RedactedText | undefined =>
    names.hasHint(text) ? replaceNamed(text, names) : undefined;
  const redactPlain = (text: string): RedactedText | undefined => {
    const shaped = redactShapes(text);
    const named = redactNamed(shaped?.text ?? text);
    if (named === undefined) return shaped;
    return { text: named.text, found: [...(shaped?.found ?? []), ...named.found] };
  };
  const redactBoth = (text: string): RedactedText | undefined => {
    // A credential behind escapes cannot be cut out with certainty, so all of the text goes.
    const hidden = hidesLetters(text) && redactPlain(withLettersShown(text)) !== undefined;
    return hidden ? { text: REDACTED, found: ['escaped'] } : redactPlain(text);
  };
  const narrowedTo = (text: string): TextRedactor | undefined => {
    if (text.includes('\\u') || text.includes('\\/')) return full;
    if (hasShapeHint(text)) return names.hasHint(text) ? full : shapesOnly;
    return names.hasHint(text) ? namesOnly : undefined;
  };
  const full: TextRedactor = { names, redact: redactBoth, redactShapes, narrowedTo };
  const shapesOnly: TextRedactor = { names, redact: redactShapes, redactShapes, narrowedTo };
  const namesOnly: TextRedactor = { names, redact: redactNamed, redactShapes: () => undefined, narrowedTo };
  return full;
}

/** ASCII written as `\u00xx` in text that is no JSON (any more), which the rules would not see. */
function hidesLetters(text: string): boolean {
  return /\\u00[2-7]/i.test(text);
}

function withLettersShown(text: string): string {
  return text.replace(/\\u00([2-7][0-9a-f])/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

function replaceShapes(text: string, combined: RegExp, patterns: readonly SecretPattern[]): RedactedText | undefined {
  const found: string[] = [];
  let result = '';
  let copiedTo = 0;
  combined.lastIndex = 0;
  for (let match = combined.exec(text); match !== null; match = combined.exec(text)) {
    const pattern = patternOf(patterns, match);
    const written = match[0];
    const placeholder = redactedAs(pattern.name);
    const replaced = pattern.rewrite === undefined ? placeholder : pattern.rewrite(written, placeholder);
    if (replaced === written) continue;
    found.push(pattern.name);
    result += text.slice(copiedTo, match.index) + replaced;
    copiedTo = match.index + written.length;
  }
  return found.length === 0 ? undefined : { text: result + text.slice(copiedTo), found };
}

function patternOf(patterns: readonly SecretPattern[], match: RegExpExecArray): SecretPattern {
  for (let at = 0; at < patterns.length; at++) {
    const pattern = patterns[at];
    if (pattern !== undefined && match[at + 1] !== undefined) return pattern;
  }
  throw new TypeError('a match belongs to one of the patterns');
}

function replaceNamed(text: string, names: SensitiveNames): RedactedText | undefined {
  const found: string[] = [];
  let result = '';
  let copiedTo = 0;
  for (const span of findAssignments(text, names)) {
    if (PLACEHOLDER.test(text.slice(span.from, span.to))) continue;
    found.push(span.name);
    result += text.slice(copiedTo, span.from) + REDACTED;
    copiedTo = span.to;
  }
  return found.length === 0 ? undefined : { text: result + text.slice(copiedTo), found };
}
