/**
 * Configuration for people to look at: as YAML would say it, with defaults filled in and every secret hidden. A value
 * that came from the environment shows as it was written, `${NAME}`. Works from the schema's own marks, so a new secret
 * setting is hidden by being declared one.
 */
import * as z from 'zod';
import type { LoadedConfig } from './load.ts';
import { configSchema } from './schema.ts';
import { isSecretAt, type Path } from './schema-tree.ts';

const HIDDEN = '(hidden)';

export function redactConfig(loaded: LoadedConfig): unknown {
  const shown: unknown = z.encode(configSchema, structuredClone(loaded.config) as z.output<typeof configSchema>);
  return redact(shown, [], loaded.written);
}

function redact(value: unknown, at: Path, written: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) {
    const hidden = isSecretAt(configSchema, at);
    return value.map((item, index) => (hidden ? hide([...at, index], written) : redact(item, [...at, index], written)));
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redact(item, [...at, key], written)]));
  }
  if (typeof value !== 'string') return value;
  const asWritten = written.get(JSON.stringify(at));
  if (isSecretAt(configSchema, at)) return hide(at, written);
  if (asWritten !== undefined) return asWritten;
  return at.at(-1) === 'url' ? withoutQuery(value) : value;
}

/** `${NAME}` alone, or with a word before it as in `Bearer ${TOKEN}`, holds no secret itself. */
function hide(at: Path, written: ReadonlyMap<string, string>): string {
  const asWritten = written.get(JSON.stringify(at));
  const reference =
    asWritten === undefined ? undefined : /^(?:Bearer |Basic |Token )?(\$\{(?:env:)?[A-Za-z0-9_]+\})$/.exec(asWritten);
  return reference?.[0] ?? HIDDEN;
}

/** URLs of servers often carry a key in their query. */
function withoutQuery(url: string): string {
  const query = url.search(/[?#]/);
  return query === -1 ? url : `${url.slice(0, query)}?${HIDDEN}`;
}
