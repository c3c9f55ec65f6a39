/**
 * What Grafana does to the SQL of a panel or a rule before ClickHouse sees it: the macros of the ClickHouse data source
 * and its own variables, as far as provisioning/ uses them. Refuses a macro or variable that it does not know.
 */
export interface Evaluation {
  readonly fromMs: number;
  readonly toMs: number;
  /** width of a bucket of time */
  readonly intervalSeconds?: number;
  /** name → chosen values; a variable without values is at *All* */
  readonly variables?: Readonly<Record<string, readonly string[]>>;
}

const CONDITIONAL = '$__conditionalAll(';

export function expandMacros(sql: string, evaluation: Evaluation): string {
  const { fromMs, toMs, intervalSeconds = 60, variables = {} } = evaluation;
  const from = `toDateTime(${Math.floor(fromMs / 1000)})`;
  const to = `toDateTime(${Math.floor(toMs / 1000)})`;
  const expanded = conditionals(sql, variables)
    .replace(/\$__timeFilter\(([^)]+)\)/g, (_, column: string) => `${column} >= ${from} AND ${column} <= ${to}`)
    .replace(
      /\$__timeInterval\(([^)]+)\)/g,
      (_, column: string) => `toStartOfInterval(toDateTime(${column}), INTERVAL ${intervalSeconds} second)`
    )
    .replace(/\$__fromTime\b/g, from)
    .replace(/\$__toTime\b/g, to)
    .replace(/\$\{(\w+)(?::(\w+))?\}/g, (whole, name: string, format: string | undefined) => {
      const values = variables[name];
      if (values === undefined) throw new Error(`${whole} is no variable of this dashboard`);
      if (format === 'singlequote') return values.map((value) => `'${value.replaceAll(`'`, `\\'`)}'`).join(',');
      if (format !== undefined || values.length !== 1) throw new Error(`${whole} is not expanded here`);
      return values[0] ?? '';
    });
  if (expanded.includes('$')) throw new Error(`something is left to expand in: ${expanded}`);
  return expanded;
}

/** The condition stays where values are chosen; the macro does not nest. */
function conditionals(sql: string, variables: Readonly<Record<string, readonly string[]>>): string {
  const start = sql.lastIndexOf(CONDITIONAL);
  if (start < 0) return sql;
  let depth = 1;
  let comma = -1;
  let end = start + CONDITIONAL.length;
  for (; depth > 0 && end < sql.length; end += 1) {
    if (sql[end] === '(') depth += 1;
    if (sql[end] === ')') depth -= 1;
    if (sql[end] === ',' && depth === 1) comma = end;
  }
  if (comma < 0) throw new Error('$__conditionalAll takes a condition and a variable');
  const condition = sql.slice(start + CONDITIONAL.length, comma);
  const name = sql.slice(comma + 1, end - 1).trim();
  const values = variables[name.slice(1)];
  if (values === undefined) throw new Error(`${name} is no variable of this dashboard`);
  const phrase = values.length === 0 ? '1=1' : condition;
  return conditionals(sql.slice(0, start) + phrase + sql.slice(end), variables);
}
