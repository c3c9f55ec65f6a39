/**
 * The conditions of a query: what the caller may see first, then what was asked for. Conditions are constants; values
 * go into parameters. Knows no roles.
 */
import type { Visibility } from './visibility.ts';
import type { Outcome, RecordKind } from '../../record/vocabulary.ts';
import type { QueryParam } from './reader.ts';

/** What was asked for. A filter that is left out lets everything through; an empty one lets nothing through. */
export interface NameFilter {
  readonly userKeys?: readonly string[];
  readonly servers?: readonly string[];
  readonly operations?: readonly string[];
  readonly tools?: readonly string[];
  /** true: only rows made by `gatelens demo --history`; false: none of them */
  readonly demo: boolean;
}

export interface CallFilter extends NameFilter {
  readonly outcomes?: readonly Outcome[];
  readonly kinds?: readonly RecordKind[];
  /** ns since 1970, inclusive */
  readonly fromNs?: bigint;
  /** ns since 1970, exclusive */
  readonly toNs?: bigint;
}

export interface Conditions {
  /** joined by AND */
  readonly sql: string;
  readonly params: Readonly<Record<string, QueryParam>>;
}

const CONDITION = {
  servers: 'server IN {servers:Array(String)}',
  operations: 'operation IN {operations:Array(String)}',
  tools: 'tool IN {tools:Array(String)}',
  userKeys: 'user_key IN {userKeys:Array(String)}',
  outcomes: 'outcome IN {outcomes:Array(String)}',
  kinds: 'kind IN {kinds:Array(String)}',
} as const;
type FilterName = keyof typeof CONDITION;

const DEMO = 'demo = {demo:Bool}';
const OWN = 'user_key = {ownUserKey:String}';
const NOTHING = '1 = 0';

/** The part that depends on who asks: needed where a row is looked up by its id alone. */
export function scopeConditions(visibility: Visibility, subject: 'calls' | 'usage' = 'calls'): Conditions {
  const scope = visibility[subject];
  if (scope === 'all') return { sql: '1 = 1', params: {} };
  if (scope === 'own' && visibility.userKey !== '') return { sql: OWN, params: { ownUserKey: visibility.userKey } };
  return { sql: NOTHING, params: {} };
}

export function conditions(
  visibility: Visibility,
  filter: CallFilter,
  subject: 'calls' | 'usage' = 'calls'
): Conditions {
  const scope = scopeConditions(visibility, subject);
  const sql: string[] = [scope.sql, DEMO];
  const params: Record<string, QueryParam> = { ...scope.params, demo: filter.demo };
  for (const name of Object.keys(CONDITION) as FilterName[]) {
    const values = filter[name];
    if (values === undefined) continue;
    sql.push(CONDITION[name]);
    params[name] = [...values];
  }
  return { sql: sql.join(' AND '), params };
}

/** True when no row can match, so that nothing needs to be asked. */
export function matchesNothing(
  visibility: Visibility,
  filter: NameFilter,
  subject: 'calls' | 'usage' = 'calls'
): boolean {
  if (visibility[subject] === 'none') return true;
  if (visibility[subject] === 'own' && filter.userKeys !== undefined && !filter.userKeys.includes(visibility.userKey)) {
    return true;
  }
  return [filter.userKeys, filter.servers, filter.operations, filter.tools].some((values) => values?.length === 0);
}
