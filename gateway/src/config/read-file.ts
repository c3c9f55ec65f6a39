/**
 * Reads a YAML or JSON file into plain data, with the line of each path. Syntax errors are told by line and kind only:
 * a parser's own message quotes the text around it, and that text may be a secret.
 */
import { readFileSync } from 'node:fs';
import { LineCounter, parseDocument, type Document } from 'yaml';
import { GatelensError } from '../errors.ts';
import { ConfigError, type ConfigMistake } from './mistakes.ts';
import type { Path } from './schema-tree.ts';

export interface ReadFile {
  readonly value: unknown;
  /** line of the nearest thing that exists at or above a path */
  readonly lineOf: (path: Path) => number | undefined;
}

export function readConfigText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    const why =
      code === 'ENOENT'
        ? 'does not exist'
        : code === 'EACCES'
          ? 'may not be read by this user'
          : code === 'EISDIR'
            ? 'is a directory'
            : `cannot be read (${code})`;
    throw new GatelensError(
      'config_invalid',
      `The configuration file ${file} ${why}. Check the path given with --config.`,
      {
        cause: error,
      }
    );
  }
}

/** Throws ConfigError with every syntax error. */
export function parseConfigText(source: string, content: string): ReadFile {
  const lines = new LineCounter();
  const document = parseDocument(content, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
    customTags: [],
  });
  if (document.errors.length > 0) {
    throw new ConfigError(
      source,
      document.errors.map((error): ConfigMistake => {
        const { line, col } = lines.linePos(error.pos[0]);
        return {
          path: '',
          line,
          message: SYNTAX[error.code] ?? `is no valid YAML at column ${col}`,
          remedy: 'Check quotes, colons and indentation there.',
        };
      })
    );
  }
  return { value: toPlain(source, document), lineOf: (path) => lineOf(document, lines, path) };
}

const SYNTAX: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'has the same key twice in one map',
  BAD_INDENT: 'is indented wrongly',
  TAB_AS_INDENT: 'is indented with a tab',
  MISSING_CHAR: 'lacks a quote, colon or comma',
  MULTIPLE_DOCS: 'holds more than one document',
};

function toPlain(source: string, document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 50 });
  } catch {
    throw new ConfigError(source, [
      { path: '', message: 'repeats itself by aliases too often', remedy: 'Write the values out.' },
    ]);
  }
}

function lineOf(document: Document, lines: LineCounter, path: Path): number | undefined {
  for (let depth = path.length; depth > 0; depth--) {
    const node = document.getIn(path.slice(0, depth), true);
    if (typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)) {
      return lines.linePos(Number(node.range[0])).line;
    }
  }
  return undefined;
}
