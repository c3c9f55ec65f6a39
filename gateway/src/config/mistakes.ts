/**
 * What is wrong with a configuration, in words: path, mistake, remedy. Turns zod's findings into them. Values are never
 * repeated, since a secret may stand in the wrong place; keys are, since they are what has to be found.
 */
import type * as z from 'zod';
import { GatelensError } from '../errors.ts';
import { keysAt, metaOf, schemasAt, type Path } from './schema-tree.ts';

export interface ConfigMistake {
  /** `auth.jwt.audience`, `policy[0].allow`, or `''` for the file itself */
  readonly path: string;
  /** what is wrong: continues the sentence that begins with the path */
  readonly message: string;
  /** what to do about it, a sentence; may be empty where the message says it */
  readonly remedy: string;
  /** line in the file, from 1 */
  readonly line?: number;
}

/** All mistakes at once; `message` is ready to be printed. */
export class ConfigError extends GatelensError {
  readonly mistakes: readonly ConfigMistake[];

  constructor(source: string, found: readonly ConfigMistake[]) {
    const mistakes = found.toSorted((one, other) => (one.line ?? 0) - (other.line ?? 0));
    const count = mistakes.length === 1 ? 'one mistake' : `${mistakes.length} mistakes`;
    super(
      'config_invalid',
      `${source} has ${count}:\n${mistakes.map((one) => `  - ${formatMistake(one)}`).join('\n')}`
    );
    this.mistakes = mistakes;
  }
}

function formatMistake(mistake: ConfigMistake): string {
  const where = mistake.path === '' ? 'the file' : mistake.path;
  const line = mistake.line === undefined ? '' : ` (line ${mistake.line})`;
  const remedy = mistake.remedy === '' ? '' : ` ${mistake.remedy}`;
  return `${where}${line} ${mistake.message}.${remedy}`;
}

export function formatPath(path: Path): string {
  let shown = '';
  for (const key of path) {
    if (typeof key === 'number') shown += `[${key}]`;
    else if (/^[A-Za-z_][A-Za-z0-9_-]*$/.test(key)) shown += shown === '' ? key : `.${key}`;
    else shown += `[${JSON.stringify(key.slice(0, 80))}]`;
  }
  return shown;
}

/** A mistake with its path still in parts, so that its line can be looked up. */
export interface FoundMistake {
  readonly at: Path;
  readonly message: string;
  readonly remedy: string;
}

export function mistakesOf(
  schema: z.core.$ZodType,
  issues: readonly z.core.$ZodIssue[],
  under: Path = []
): FoundMistake[] {
  return issues.flatMap((issue): FoundMistake[] => {
    const at: Path = [...under, ...issue.path.filter((key) => typeof key !== 'symbol')];
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(schema, at, key));
    if (issue.code === 'invalid_key') {
      return [{ at, message: issue.issues[0]?.message ?? 'is not allowed as a name', remedy: 'Rename it.' }];
    }
    return [{ at, message: describe(issue, schema, at), remedy: remedyFor(schema, at) }];
  });
}

function describe(issue: z.core.$ZodIssue, schema: z.core.$ZodType, at: Path): string {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.message.endsWith('received undefined')) return 'is missing';
      return `is not ${FORMAT_WORDS[formatAt(schema, at)] ?? KIND_WORDS[issue.expected] ?? 'what belongs here'}`;
    case 'invalid_value':
      return `is none of ${issue.values.map((value) => `\`${String(value)}\``).join(', ')}`;
    case 'invalid_union':
      if ('discriminator' in issue) return 'is none of `stdio`, `http`, `sse`';
      if (issue.errors.flat().every((one) => one.message.endsWith('received undefined'))) return 'is missing';
      return `is not ${FORMAT_WORDS[formatAt(schema, at)] ?? 'a text or a list of texts'}`;
    case 'too_small':
      return issue.origin === 'int' || issue.origin === 'number' ? `is less than ${issue.minimum}` : issue.message;
    case 'too_big':
      return `is more than ${issue.maximum}`;
    default:
      return issue.message;
  }
}

function formatAt(schema: z.core.$ZodType, at: Path): string {
  return (
    schemasAt(schema, at)
      .map((one) => metaOf(one).format)
      .find((one) => one !== undefined) ?? ''
  );
}

const FORMAT_WORDS: Readonly<Record<string, string>> = {
  duration: 'a duration: a number and a unit, e.g. `30s`, `15m`, `90d`',
  size: 'a size: bytes, or a number and a unit, e.g. `256KiB`, `4MiB`',
  'host:port': 'an address, e.g. `127.0.0.1:8080`',
  url: 'a URL, e.g. `https://mcp.example.com/mcp`',
};

const KIND_WORDS: Readonly<Record<string, string>> = {
  string: 'a text; if it looks like a number or a word with a meaning, put it in quotes',
  number: 'a number',
  int: 'a whole number',
  boolean: '`true` or `false`',
  array: 'a list',
  object: 'a map of settings',
  record: 'a map from names to settings',
};

function remedyFor(schema: z.core.$ZodType, at: Path): string {
  const key = at.at(-1);
  const example = schemasAt(schema, at)
    .map((one) => metaOf(one).example)
    .find((one) => one !== undefined);
  return example === undefined || typeof key !== 'string' ? '' : `Write e.g. \`${key}: ${example}\`.`;
}

function unknownKey(schema: z.core.$ZodType, at: Path, key: string): FoundMistake {
  const known = keysAt(schema, at);
  const near = nearest(key, known);
  const remedy =
    near !== undefined
      ? `Did you mean \`${near}\`?`
      : known.length === 0
        ? 'Remove it.'
        : `Known here: ${known.join(', ')}.`;
  return { at: [...at, key], message: 'is no setting', remedy };
}

/** The known word that a slip of the pen is nearest to, if one is near enough. */
function nearest(word: string, known: readonly string[]): string | undefined {
  const plain = (one: string) => one.toLowerCase().replace(/[-_]/g, '');
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(plain(word.slice(0, 64)), plain(candidate));
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
