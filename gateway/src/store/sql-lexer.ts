/**
 * Just enough of ClickHouse's lexer to cut SQL text safely: comments, strings, quoted identifiers, heredocs. Used to
 * split migration files into statements and to find where an INSERT's inline data begins. It judges nothing: what a
 * statement does is asked of the engine's own parser (embedded/statement.ts).
 */

export type TokenKind = 'space' | 'comment' | 'string' | 'quoted_identifier' | 'word' | 'symbol';

export interface Token {
  readonly kind: TokenKind;
  readonly start: number;
  readonly end: number;
}

const WORD_START = /[A-Za-z_0-9]/;

/** End of a quoted thing whose closing quote may be escaped by a backslash or by doubling. */
function quotedEnd(sql: string, start: number, quote: string): number {
  let at = start + 1;
  while (at < sql.length) {
    const char = sql[at];
    if (char === '\\') at += 2;
    else if (char === quote) {
      if (sql[at + 1] !== quote) return at + 1;
      at += 2;
    } else at += 1;
  }
  return sql.length;
}

function lineEnd(sql: string, start: number): number {
  const end = sql.indexOf('\n', start);
  return end === -1 ? sql.length : end;
}

function heredocEnd(sql: string, start: number): number | undefined {
  const tag = /^\$\w*\$/.exec(sql.slice(start, start + 130))?.[0];
  if (tag === undefined) return undefined;
  const end = sql.indexOf(tag, start + tag.length);
  return end === -1 ? undefined : end + tag.length;
}

function nextToken(sql: string, start: number): Token {
  const char = sql[start] ?? '';
  const token = (kind: TokenKind, end: number): Token => ({ kind, start, end });
  if (/\s/.test(char)) {
    let end = start + 1;
    while (end < sql.length && /\s/.test(sql[end] ?? '')) end += 1;
    return token('space', end);
  }
  if (char === '-' && sql[start + 1] === '-') return token('comment', lineEnd(sql, start));
  if (char === '#' && (sql[start + 1] === ' ' || sql[start + 1] === '!')) return token('comment', lineEnd(sql, start));
  if (char === '/' && sql[start + 1] === '*') {
    const end = sql.indexOf('*/', start + 2);
    return token('comment', end === -1 ? sql.length : end + 2);
  }
  if (char === "'") return token('string', quotedEnd(sql, start, char));
  if (char === '"' || char === '`') return token('quoted_identifier', quotedEnd(sql, start, char));
  if (char === '$') {
    const end = heredocEnd(sql, start);
    if (end !== undefined) return token('string', end);
  }
  if (WORD_START.test(char)) {
    let end = start + 1;
    while (end < sql.length && WORD_START.test(sql[end] ?? '')) end += 1;
    return token('word', end);
  }
  return token('symbol', start + 1);
}

export function* tokens(sql: string): Generator<Token> {
  let at = 0;
  while (at < sql.length) {
    const token = nextToken(sql, at);
    yield token;
    at = token.end;
  }
}

/** Statements of a file, each without the `;` that ends it and without the comments before it. */
export function splitStatements(sql: string): string[] {
  const statements: string[] = [];
  let start: number | undefined;
  for (const token of tokens(sql)) {
    if (token.kind === 'symbol' && sql[token.start] === ';') {
      if (start !== undefined) statements.push(sql.slice(start, token.start).trim());
      start = undefined;
    } else if (token.kind !== 'space' && token.kind !== 'comment') {
      start ??= token.start;
    }
  }
  if (start !== undefined) statements.push(sql.slice(start).trim());
  return statements;
}

export interface InsertText {
  /** up to and including `FORMAT <name>` or `VALUES` */
  readonly head: string;
  /** where inline data begins: an index into the text */
  readonly dataStart: number;
}

/** Cuts `INSERT … FORMAT x <data>` and `INSERT … VALUES <data>`; undefined for anything else (INSERT … SELECT too). */
export function cutInsert(sql: string): InsertText | undefined {
  let depth = 0;
  let words = 0;
  let sawFormat = false;
  for (const token of tokens(sql)) {
    if (token.kind === 'space' || token.kind === 'comment') continue;
    const text = sql.slice(token.start, token.end);
    if (token.kind === 'symbol') {
      if (text === '(') depth += 1;
      if (text === ')') depth -= 1;
      continue;
    }
    if (token.kind !== 'word') continue;
    words += 1;
    const word = text.toUpperCase();
    if (words === 1 && word !== 'INSERT') return undefined;
    if (depth !== 0) continue;
    if (sawFormat) return { head: sql.slice(0, token.end), dataStart: skipOneBreak(sql, token.end) };
    if (word === 'VALUES') return { head: sql.slice(0, token.end), dataStart: token.end };
    if (word === 'SELECT' || word === 'WITH') return undefined;
    sawFormat = word === 'FORMAT';
  }
  return undefined;
}

/** Blanks up to and including one line break stand between the format's name and the data. */
function skipOneBreak(sql: string, from: number): number {
  let at = from;
  while (at < sql.length && /[ \t\r]/.test(sql[at] ?? '')) at += 1;
  return sql[at] === '\n' ? at + 1 : at;
}

/** True if a quoted identifier has an escape in it: nothing of ours is named so, and it could fake lines of an AST dump. */
export function hasEscapedIdentifier(sql: string): boolean {
  for (const token of tokens(sql)) {
    if (token.kind === 'quoted_identifier' && /[\\\n\r\t]/.test(sql.slice(token.start, token.end))) return true;
  }
  return false;
}

/** A string literal that the engine reads back as exactly `text`. */
export function quoteLiteral(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\0', '\\0')}'`;
}

/** @throws TypeError on anything but a plain name */
export function quoteIdentifier(name: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new TypeError('not a plain identifier');
  return `\`${name}\``;
}
