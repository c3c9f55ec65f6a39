/**
 * What the schema says about each setting, for docs/configuration.md and editors: path, kind, default, meaning. Read by
 * the documentation generator only; nothing at run time depends on it.
 */
import { stringify } from 'yaml';
import * as z from 'zod';
import { bare, metaOf } from './schema-tree.ts';
import { configSchema } from './schema.ts';

type Schema = z.core.$ZodType;

export interface SettingRow {
  readonly path: string;
  /** Markdown, as are the others */
  readonly kind: string;
  readonly byDefault: string;
  readonly about: string;
}

export interface SettingSection extends Omit<SettingRow, 'path'> {
  readonly name: string;
  readonly example?: string;
  /** none for a section that is a single value */
  readonly rows: readonly SettingRow[];
}

export function settingSections(): readonly SettingSection[] {
  return Object.entries(configSchema.shape as Record<string, Schema>).map(([name, schema]) => {
    const { description, example } = metaOf(schema);
    return {
      name,
      kind: kindOf(schema),
      byDefault: defaultOf(schema),
      about: description ?? '',
      ...(example === undefined ? {} : { example }),
      rows: rowsUnder(name, schema),
    };
  });
}

export function configJsonSchema(): object {
  const schema = z.toJSONSchema(configSchema, {
    io: 'input',
    override: ({ jsonSchema }) => {
      // Our own marks. `duration` is another notation in JSON Schema than ours.
      const marks = jsonSchema as Record<string, unknown>;
      delete marks.secret;
      delete marks.format;
      delete marks.example;
    },
  });
  return { ...schema, title: 'Gatelens configuration' };
}

/** Every leaf under a section; maps and lists of maps are entered, too. */
function rowsUnder(path: string, schema: Schema): SettingRow[] {
  const shape = bare(schema);
  if (shape instanceof z.ZodObject) {
    return Object.entries(shape.shape as Record<string, Schema>).flatMap(([key, child]) =>
      rowsAt(`${path}.${key}`, child)
    );
  }
  if (shape instanceof z.ZodRecord && isMap(shape.valueType)) return rowsUnder(`${path}.<name>`, shape.valueType);
  if (shape instanceof z.ZodArray && isMap(shape.element)) return rowsUnder(`${path}[]`, shape.element);
  if (shape instanceof z.ZodUnion && shape.options.every((option) => isMap(option))) {
    const rows = shape.options.flatMap((option) => rowsUnder(path, option));
    return rows.filter(
      (row, index) => rows.findIndex((other) => other.path === row.path) === index || row.path.endsWith('.type')
    );
  }
  return [];
}

function rowsAt(path: string, schema: Schema): SettingRow[] {
  const meta = metaOf(schema);
  const example = meta.example === undefined ? '' : ` Example: \`${meta.example}\`.`;
  const row = {
    path,
    kind: kindOf(schema),
    byDefault: defaultOf(schema),
    about: `${meta.description ?? ''}${example}`,
  };
  return [row, ...rowsUnder(path, schema)];
}

function isMap(schema: Schema): boolean {
  const shape = bare(schema);
  return (
    shape instanceof z.ZodObject || (shape instanceof z.ZodUnion && shape.options.every((option) => isMap(option)))
  );
}

function kindOf(schema: Schema): string {
  const meta = metaOf(schema);
  const shape = bare(schema);
  const secret = meta.secret === true ? ', secret' : '';
  if (meta.format !== undefined) return `${meta.format}${secret}`;
  if (shape instanceof z.ZodEnum) return choices(shape.options.map(String));
  if (shape instanceof z.ZodLiteral) return choices([...shape.values].map(String));
  if (shape instanceof z.ZodBoolean) return '`true` or `false`';
  if (shape instanceof z.ZodNumber) return 'whole number';
  if (shape instanceof z.ZodArray) return `list of ${kindOf(shape.element)}${secret}`;
  if (shape instanceof z.ZodRecord) return `map of ${kindOf(shape.valueType)}${secret}`;
  if (isMap(shape)) return 'map';
  if (shape instanceof z.ZodUnion) return shape.options.map(kindOf).join(' or ');
  return `text${secret}`;
}

function defaultOf(schema: Schema): string {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    const value: unknown = schema.def.defaultValue;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return '';
    if (Array.isArray(value) && value.length === 0) return 'none';
    return `\`${stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim()}\``;
  }
  if (schema instanceof z.ZodExactOptional) return '–';
  return isMap(schema) ? '' : '**required**';
}

function choices(values: readonly string[]): string {
  return values.map((value) => `\`${value}\``).join(', ');
}
