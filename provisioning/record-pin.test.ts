/**
 * Binds DDL, queries and dashboards to record v1: a name that the record does not have turns this red. A red pin does
 * not mean "forbidden"; it means that the contract changes, together with all its users.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  ACCESS_FIELDS,
  CALL_FIELDS,
  HEALTH_FIELDS,
  TOOL_CHANGE_FIELDS,
  type Field,
} from '../gateway/src/record/fields.ts';
import {
  DATA_KEY_ATTRIBUTES,
  EVENT_DATA_KEY,
  EVENT_PAYLOAD_REQUEST,
  EVENT_PAYLOAD_RESPONSE,
  EVENT_PRINCIPAL,
  PAYLOAD_ATTRIBUTES,
  PRINCIPAL_ATTRIBUTES,
} from '../gateway/src/record/payload-events.ts';
import { ERROR_OUTCOMES, RECORD_KINDS } from '../gateway/src/record/vocabulary.ts';

const folder = join(dirname(fileURLToPath(import.meta.url)), 'clickhouse');
const ddl = readdirSync(folder)
  .filter((name) => name.endsWith('.sql'))
  .sort()
  .map((name) => readFileSync(join(folder, name), 'utf8'))
  .join('\n')
  .replace(/^--.*$/gm, '');

const CLICKHOUSE_TYPE: Record<Field['type'], string> = {
  string: 'String',
  lowcard: 'LowCardinality(String)',
  uint8: 'UInt8',
  uint16: 'UInt16',
  uint32: 'UInt32',
  uint64: 'UInt64',
  int32: 'Int32',
  bool: 'Bool',
  datetime_ns: "DateTime64(9, 'UTC')",
  datetime_ms: "DateTime64(3, 'UTC')",
  strings: 'Array(String)',
  map: 'Map(LowCardinality(String), String)',
};

/** Column name → type, in order: of the CREATE TABLE, and as later migrations changed them. */
function columnsOf(table: string): Map<string, string> {
  const body = new RegExp(`CREATE TABLE IF NOT EXISTS ${table.replace('.', '\\.')} .*?\\n\\(\\n(.*?)\\n\\)`, 's').exec(
    ddl
  );
  if (body?.[1] === undefined) throw new Error(`no table ${table}`);
  const columns = new Map<string, string>();
  for (const line of body[1].split(',\n')) {
    const found = /^\s{4}(\w+) (.+?)(?: DEFAULT .+?)?(?: CODEC\(.+\))?$/.exec(line.trimEnd());
    if (found?.[1] !== undefined && found[2] !== undefined && found[1] !== 'INDEX') columns.set(found[1], found[2]);
  }
  const changed = `ALTER TABLE ${table.replace('.', '\\.')} \\{\\{on_cluster\\}\\} MODIFY COLUMN (\\w+) ([^;]+?)(?: CODEC\\([^;]+)?;`;
  for (const [, column = '', type = ''] of ddl.matchAll(new RegExp(changed, 'g'))) {
    if (!columns.has(column)) throw new Error(`no column ${column} in ${table}`);
    columns.set(column, type);
  }
  const added = new RegExp(
    `ALTER TABLE ${table.replace('.', '\\.')} \\{\\{on_cluster\\}\\}\\s([^;]*ADD COLUMN[^;]*);`,
    'g'
  );
  for (const [, actions = ''] of ddl.matchAll(added)) {
    for (const [, column = '', type = ''] of actions.matchAll(/ADD COLUMN IF NOT EXISTS (\w+) (\w+)/g)) {
      columns.set(column, type);
    }
  }
  return columns;
}

/** Name and text of each view that fits, in order; one that is made again comes again. */
function viewsOf(pattern: RegExp): (readonly [name: string, text: string])[] {
  const all = [...ddl.matchAll(/CREATE (?:OR REPLACE )?VIEW (?:IF NOT EXISTS )?(\S+) .*?(\bAS\s.*?);/gs)];
  return all
    .map(([, name = '', text = '']) => [name, text] as const)
    .filter(([name, text]) => pattern.test(name) || pattern.test(text));
}

describe('the tables are record v1', () => {
  it.each([
    ['mcp.calls', CALL_FIELDS],
    ['mcp.access_log', ACCESS_FIELDS],
    ['mcp.tool_changes', TOOL_CHANGE_FIELDS],
    ['mcp.health', HEALTH_FIELDS],
  ] as const)('%s has exactly the columns of the record, typed alike', (table, fields) => {
    expect([...columnsOf(table)]).toEqual(fields.map((one) => [one.column, CLICKHOUSE_TYPE[one.type]]));
  });

  it('reads no span attribute that the record does not define', () => {
    const known = new Set(
      [...CALL_FIELDS, ...ACCESS_FIELDS, ...HEALTH_FIELDS, ...TOOL_CHANGE_FIELDS]
        .map((one) => one.source)
        .filter((one) => !/^(span|store):/.test(one))
    );
    const used = [...ddl.matchAll(/SpanAttributes\['([^']+)'\]/g)].map((match) => match[1] ?? '');
    expect(used.length).toBeGreaterThan(60);
    expect(used.filter((name) => !known.has(name))).toEqual([]);
    expect([...known].filter((name) => !used.includes(name))).toEqual([]);
  });

  it('reads no log attribute and no event that the record does not define', () => {
    const known = new Set<string>(
      [PAYLOAD_ATTRIBUTES, DATA_KEY_ATTRIBUTES, PRINCIPAL_ATTRIBUTES].flatMap((one) => Object.values(one))
    );
    const used = [...ddl.matchAll(/LogAttributes\['([^']+)'\]/g)].map((match) => match[1] ?? '');
    expect(used.filter((name) => !known.has(name))).toEqual([]);
    const events = new Set(
      [...ddl.matchAll(/'(gatelens\.(?:payload\.(?:request|response)|data_key|principal))'/g)].map((match) => match[1])
    );
    expect([...events].sort()).toEqual(
      [EVENT_DATA_KEY, EVENT_PAYLOAD_REQUEST, EVENT_PAYLOAD_RESPONSE, EVENT_PRINCIPAL].sort()
    );
  });

  it('counts the same outcomes as errors, and takes only kinds that exist', () => {
    const definitions = [...ddl.matchAll(/CAST\(outcome, 'String'\) IN \(([^)]+)\) AS is_error/g)];
    expect(definitions.length).toBe([...ddl.matchAll(/AS is_error/g)].length);
    expect(viewsOf(/AS is_error/).map(([name]) => name)).toEqual([
      'mcp.requests',
      'mcp.grafana_usage',
      'mcp.requests',
      'mcp.grafana_usage',
    ]);
    for (const [, errors = ''] of definitions)
      expect([...errors.matchAll(/'(\w+)'/g)].map((match) => match[1])).toEqual([...ERROR_OUTCOMES]);
    const kinds = [...ddl.matchAll(/SpanAttributes\['gatelens\.kind'\] (?:IN \(([^)]+)\)|= ('\w+'))/g)].flatMap(
      (match) => [...(match[1] ?? match[2] ?? '').matchAll(/'(\w+)'/g)].map((kind) => kind[1] ?? '')
    );
    expect(kinds.length).toBeGreaterThan(8);
    expect(kinds.filter((kind) => !(RECORD_KINDS as readonly string[]).includes(kind))).toEqual([]);
  });

  it('makes a view again by its own definition', () => {
    const [first, again] = viewsOf(/^mcp\.requests$/);
    expect(again).toEqual(first);
  });

  it('shows Grafana no person: its views name no user, session, address or key', () => {
    const views = viewsOf(/^mcp\.grafana_/);
    expect(views).toHaveLength(17);
    for (const [, view] of views)
      expect(view).not.toMatch(
        /user_key|session_key|client_address|key_name|teams|rpc_id|call_id|resource_uri|attributes/
      );
  });
});
