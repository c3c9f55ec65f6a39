/**
 * Walks the configuration schema beside a value: what is behind a key, what it means, whether it is a secret. Serves
 * suggestions, redaction and the generated documentation, so that none of them keeps a list of its own.
 */
import * as z from 'zod';
import type { SettingMeta } from './values.ts';

export type Path = readonly (string | number)[];
type Schema = z.core.$ZodType;

/** Takes off defaults, optionality and codecs until the shape itself is seen (a codec shows what a person writes). */
export function bare(schema: Schema): Schema {
  if (
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodExactOptional ||
    schema instanceof z.ZodReadonly
  ) {
    return bare(schema.def.innerType);
  }
  return schema;
}

/** The outermost description given to a setting. */
export function metaOf(schema: Schema): Partial<SettingMeta> & { readonly format?: string } {
  const own = z.globalRegistry.get(schema) as (Partial<SettingMeta> & { readonly format?: string }) | undefined;
  if (own?.description !== undefined) return own;
  if (
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodExactOptional
  ) {
    return metaOf(schema.def.innerType);
  }
  return {};
}

/** What stands behind one key; several for a union (`mcpServers.<name>`). */
function childrenOf(schema: Schema, key: string | number): Schema[] {
  const shape = bare(schema);
  if (shape instanceof z.ZodObject) {
    const child = Object.hasOwn(shape.shape, key) ? (shape.shape[key] as Schema | undefined) : undefined;
    return child === undefined ? [] : [child];
  }
  if (shape instanceof z.ZodRecord) return [shape.valueType];
  if (shape instanceof z.ZodArray) return [shape.element];
  if (shape instanceof z.ZodUnion) return shape.options.flatMap((option) => childrenOf(option, key));
  return [];
}

export function schemasAt(root: Schema, path: Path): Schema[] {
  return path.reduce<Schema[]>((found, key) => found.flatMap((one) => childrenOf(one, key)), [root]);
}

/** Keys that may stand at a path. */
export function keysAt(root: Schema, path: Path): string[] {
  const keys = schemasAt(root, path).flatMap((one) => objectKeys(one));
  return [...new Set(keys)];
}

function objectKeys(schema: Schema): string[] {
  const shape = bare(schema);
  if (shape instanceof z.ZodObject) return Object.keys(shape.shape);
  if (shape instanceof z.ZodUnion) return shape.options.flatMap((option) => objectKeys(option));
  return [];
}

export function isSecretAt(root: Schema, path: Path): boolean {
  return path.some((_, depth) => schemasAt(root, path.slice(0, depth + 1)).some((one) => metaOf(one).secret === true));
}
