/**
 * Puts environment variables into the texts of a configuration: `${NAME}`, `${NAME:-default}`, `${env:NAME}` as VS Code
 * writes it, `$${` for a literal `${`. Works on the parsed tree, so a value can never change the structure. A missing
 * variable is a mistake with its path, not an empty text.
 */
import type { FoundMistake } from './mistakes.ts';
import type { Path } from './schema-tree.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Expansion {
  readonly value: unknown;
  readonly mistakes: readonly FoundMistake[];
  /** JSON of the path → the text as written, wherever something was put in */
  readonly written: ReadonlyMap<string, string>;
}

const REFERENCE = /\$\$\{|\$\{([^{}]*)\}/g;

export function expandEnvironment(input: unknown, env: Environment): Expansion {
  const mistakes: FoundMistake[] = [];
  const written = new Map<string, string>();

  const expandText = (text: string, at: Path): string => {
    if (!text.includes('${')) return text;
    const expanded = text.replace(REFERENCE, (whole, reference: string | undefined) => {
      if (reference === undefined) return '${';
      const found = resolve(reference, env);
      if ('value' in found) return found.value;
      mistakes.push({ at, ...found });
      return whole;
    });
    written.set(JSON.stringify(at), text);
    return expanded;
  };

  const walk = (value: unknown, at: Path): unknown => {
    if (typeof value === 'string') return expandText(value, at);
    if (Array.isArray(value)) return value.map((item, index) => walk(item, [...at, index]));
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item, [...at, key])]));
    }
    return value;
  };

  return { value: walk(input, []), mistakes, written };
}

function resolve(reference: string, env: Environment): { value: string } | { message: string; remedy: string } {
  const match = /^(?:env:)?([A-Za-z_][A-Za-z0-9_]*)(?::-([\s\S]*))?$/.exec(reference);
  if (match === null) {
    const [kind = ''] = reference.split(':');
    return /^(input|config|command|workspaceFolder|userHome)$/.test(kind)
      ? {
          message: `uses \`\${${kind}…}\`, which only an editor can fill in`,
          remedy: 'Set an environment variable and write `${NAME}` instead.',
        }
      : {
          message: 'has a `${…}` without a name of a variable in it',
          remedy: 'Write `${NAME}`, or `$${` for the characters themselves.',
        };
  }
  const [, variable = '', fallback] = match;
  const value = Object.hasOwn(env, variable) ? env[variable] : undefined;
  if (value !== undefined) return { value };
  if (fallback !== undefined) return { value: fallback };
  return {
    message: `needs the environment variable ${variable}, which is not set`,
    remedy: `Set it before starting, or write \`\${${variable}:-default}\`.`,
  };
}
