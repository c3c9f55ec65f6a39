/**
 * The conditions of a query: what the caller may see first, then what was asked for. Conditions are constants; values
 * go into parameters. Knows no roles.
 */
import type { QueryParam } from './reader.ts';
import type { Visibility } from './visibility.ts';

/** Columns that can be filtered by value, by the name of the filter. */
export const FILTER_COLUMN = {
  user: 'user_key',
  server: 'server',
  operation: 'operation',
  tool: 'tool',
  outcome: 'outcome',
  kind: 'kind',
  client: 'client_name',
  clientVersion: 'client_version',
  key: 'key_name',
  session: 'session_key',
  traceId: 'trace_id',
  errorType: 'error_type',
} as const;
export type FilterName = keyof typeof FILTER_COLUMN;
const FILTER_NAMES = Object.keys(FILTER_COLUMN) as FilterName[];

/** Known when a row is first written, and written again unchanged. */
const STABLE: ReadonlySet<FilterName> = new Set(['user', 'server', 'operation', 'tool', 'kind', 'key', 'traceId']);

export type FilterValues = Readonly<Partial<Record<FilterName, readonly string[]>>>;

/** What was asked for. A filter that is left out lets everything through. */
export interface CallFilter {
  /** one of these values; an empty list lets nothing through */
  readonly only: FilterValues;
  /** none of these values */
  readonly not: FilterValues;
  /** inclusive */
  readonly minDurationNs?: bigint;
  /** inclusive */
  readonly maxDurationNs?: bigint;
  /** each must be found in one of the columns of metadata, in any case */
  readonly words: readonly string[];
  /** true: only rows made by `gatelens demo --history`; false: none of them */
  readonly demo: boolean;
}

export interface TimeWindow {
  /** ns since 1970, inclusive */
  readonly fromNs: bigint;
  /** ns since 1970, exclusive */
  readonly toNs: bigint;
}

/** With parameters fromNs and toNs. */
export const IN_RANGE =
  'started_at >= fromUnixTimestamp64Nano({fromNs:Int64}) AND started_at < fromUnixTimestamp64Nano({toNs:Int64})';

export function rangeParams({ fromNs, toNs }: TimeWindow): { fromNs: string; toNs: string } {
  return { fromNs: `${fromNs}`, toNs: `${toNs}` };
}

export interface Conditions {
  /** joined by AND; complete */
  readonly sql: string;
  /**
   * The part of `sql` about columns that are the same in each version of a row, for PREWHERE: FINAL then merges only
   * what passes. Outcome, duration and all that a stream learns later are never in it. Never alone: `sql` decides.
   */
  readonly stable: string;
  readonly params: Readonly<Record<string, QueryParam>>;
}

type Subject = 'calls' | 'usage';

const OWN = 'user_key = {ownUserKey:String}';

/** Columns whose text is searched, together with `ID_COLUMNS`. None holds payload: fields.ts. */
const TEXT_COLUMNS = [
  'server',
  'operation',
  'tool',
  'prompt',
  'resource_uri',
  'client_name',
  'client_version',
  'client_address',
  'key_name',
  'error_type',
  'policy_rule',
  'rpc_id',
];

/** They hold lower-case hex digits and dashes and nothing else, so other words need not be looked for in them. */
const ID_COLUMNS = ['call_id', 'session_key', 'trace_id', 'user_key'];
const PART_OF_ID = /^[0-9a-f-]+$/i;

/** The part that depends on who asks: needed where a row is looked up by its id alone. */
export function scopeConditions(visibility: Visibility, subject: Subject = 'calls'): Conditions {
  const scope = visibility[subject];
  const only = (sql: string, params: Conditions['params'] = {}): Conditions => ({ sql, stable: sql, params });
  if (scope === 'all') return only('1 = 1');
  if (scope === 'own' && visibility.userKey !== '') return only(OWN, { ownUserKey: visibility.userKey });
  return only('1 = 0');
}

/** Scope and filters together. */
export function conditions(visibility: Visibility, filter: CallFilter, subject: Subject = 'calls'): Conditions {
  const scope = scopeConditions(visibility, subject);
  const asked = filterConditions(visibility, filter);
  return {
    sql: `${scope.sql} AND demo = {demo:Bool} AND ${asked.sql}`,
    stable: `${scope.stable} AND demo = {demo:Bool} AND ${asked.stable}`,
    params: { ...scope.params, demo: filter.demo, ...asked.params },
  };
}

/** What was asked for alone; never without the scope in the same query. */
export function filterConditions(visibility: Visibility, filter: CallFilter): Conditions {
  const sql: string[] = [];
  const stable: string[] = [];
  const params: Record<string, QueryParam> = {};
  for (const name of FILTER_NAMES) {
    const { [name]: only } = filter.only;
    const { [name]: not } = filter.not;
    const about: string[] = [];
    if (only !== undefined) {
      about.push(`${FILTER_COLUMN[name]} IN {only_${name}:Array(String)}`);
      params[`only_${name}`] = [...only];
    }
    if (not !== undefined) {
      about.push(`${FILTER_COLUMN[name]} NOT IN {not_${name}:Array(String)}`);
      params[`not_${name}`] = [...not];
    }
    sql.push(...about);
    if (STABLE.has(name)) stable.push(...about);
  }
  if (filter.minDurationNs !== undefined) {
    sql.push('duration >= {minDurationNs:UInt64}');
    params.minDurationNs = `${filter.minDurationNs}`;
  }
  if (filter.maxDurationNs !== undefined) {
    sql.push('duration <= {maxDurationNs:UInt64}');
    params.maxDurationNs = `${filter.maxDurationNs}`;
  }
  for (const [index, word] of filter.words.entries()) {
    sql.push(wordCondition(visibility, `word_${index}`, word));
    params[`word_${index}`] = word;
  }
  const all = (parts: readonly string[]): string => (parts.length === 0 ? '1 = 1' : parts.join(' AND '));
  return { sql: all(sql), stable: all(stable), params };
}

/** People are found by name only for those who may see names; everybody finds themselves by their own e-mail. */
function wordCondition(visibility: Visibility, param: string, word: string): string {
  const found = (column: string): string => `positionCaseInsensitiveUTF8(${column}, {${param}:String}) > 0`;
  const places = [...TEXT_COLUMNS, ...(PART_OF_ID.test(word) ? ID_COLUMNS : [])].map(found);
  if (visibility.identities) {
    const named = ['email', 'login', 'name'].map(found).join(' OR ');
    places.push(`user_key IN (SELECT user_key FROM mcp_protected.principals FINAL WHERE ${named})`);
  } else if (visibility.ownEmail?.includes(word.toLowerCase()) === true) return '1 = 1';
  return `(${places.join(' OR ')})`;
}

/** True when no row can match, so that nothing needs to be asked. */
export function matchesNothing(visibility: Visibility, filter: CallFilter, subject: Subject = 'calls'): boolean {
  const scope = visibility[subject];
  if (scope === 'none') return true;
  if (scope === 'own' && filter.only.user !== undefined && !filter.only.user.includes(visibility.userKey)) return true;
  return Object.values(filter.only).some((values) => values.length === 0);
}

/** The filter without what it says about one column: a facet shows what else could be chosen. */
export function without(filter: CallFilter, name: FilterName): CallFilter {
  const others = (values: FilterValues): FilterValues =>
    Object.fromEntries(Object.entries(values).filter(([one]) => one !== name));
  return { ...filter, only: others(filter.only), not: others(filter.not) };
}

export function filtersBy(filter: CallFilter, name: FilterName): boolean {
  return filter.only[name] !== undefined || filter.not[name] !== undefined;
}

/** Whether a table with these columns alone can answer. */
export function needsOnly(filter: CallFilter, columns: ReadonlySet<FilterName>): boolean {
  if (filter.minDurationNs !== undefined || filter.maxDurationNs !== undefined || filter.words.length > 0) return false;
  return FILTER_NAMES.every((name) => columns.has(name) || !filtersBy(filter, name));
}
