/**
 * The requests that one logical call is made of: rounds of questions (`input_required`), and what was asked about the task
 * that it became. Each names the one before as its parent. Only rows that say of themselves that they have others are
 * looked into, since nothing is indexed by parent.
 */
import type { CallDetailRow, CallRow } from './call-row.ts';
import { CALL_COLUMNS } from './call-row.ts';
import { findCall } from './call.ts';
import type { QueryOptions, StoreReader } from './reader.ts';
import { QUERY_SETTINGS } from './reader.ts';
import { scopeConditions } from './scope.ts';
import type { Visibility } from './visibility.ts';

const DAY_NS = 86_400_000_000_000n;
const MAX_STEPS = 50;
const MAX_ROUNDS = 500;
/** On a row whose call goes on with other requests; see EXTRA_ATTRIBUTES. */
const GOES_ON = 'gatelens.goes_on';

const LATER = `SELECT ${CALL_COLUMNS}
FROM mcp.calls FINAL
WHERE kind = 'request' AND parent_call_id IN {parents:Array(String)}
    AND started_at >= fromUnixTimestamp64Nano({fromNs:Int64}) AND started_at < fromUnixTimestamp64Nano({toNs:Int64})`;

/** All of them in order, the given one included; empty when the call is a single request. */
export async function roundsOf(
  store: StoreReader,
  visibility: Visibility,
  row: CallDetailRow,
  options: QueryOptions = {}
): Promise<readonly CallRow[]> {
  if (row.kind !== 'request' || (row.parent_call_id === '' && row.attributes[GOES_ON] === undefined)) return [];
  let first: CallRow = row;
  for (let step = 0; step < MAX_STEPS && first.parent_call_id !== ''; step += 1) {
    const before = await findCall(store, visibility, first.parent_call_id, options);
    if (before?.kind !== 'request') break;
    first = before;
  }
  const rounds = new Map([[first.call_id, first]]);
  const { sql, params } = scopeConditions(visibility);
  const fromNs = BigInt(first.started_ns);
  const bounds = { fromNs: `${fromNs}`, toNs: `${fromNs + DAY_NS}` };
  let parents = [first.call_id];
  for (let step = 0; step < MAX_STEPS && parents.length > 0 && rounds.size < MAX_ROUNDS; step += 1) {
    const later = await store.query<CallRow>(
      `${LATER} AND ${sql}\nORDER BY started_at, call_id\nLIMIT ${MAX_ROUNDS}\n${QUERY_SETTINGS}`,
      { ...params, ...bounds, parents },
      options
    );
    const found = later.filter((one) => !rounds.has(one.call_id));
    for (const one of found) rounds.set(one.call_id, one);
    parents = found.map((one) => one.call_id);
  }
  return [...rounds.values()].toSorted((a, b) => (BigInt(a.started_ns) < BigInt(b.started_ns) ? -1 : 1));
}

/** The rows without requests that wait no more, since a later round went on with them. */
export async function withoutContinued(
  store: StoreReader,
  visibility: Visibility,
  rows: readonly CallRow[],
  options: QueryOptions = {}
): Promise<readonly CallRow[]> {
  const waiting = rows.filter((row) => row.kind === 'request' && row.phase === 'open');
  const [oldest] = waiting.map((row) => BigInt(row.started_ns)).toSorted((a, b) => (a < b ? -1 : 1));
  if (oldest === undefined) return rows;
  const { sql, params } = scopeConditions(visibility);
  const found = await store.query<{ readonly parent: string }>(
    `SELECT DISTINCT parent_call_id AS parent
FROM mcp.calls
WHERE kind = 'request' AND parent_call_id IN {parents:Array(String)}
    AND started_at >= fromUnixTimestamp64Nano({fromNs:Int64}) AND ${sql}
${QUERY_SETTINGS}`,
    { ...params, parents: waiting.map((row) => row.call_id), fromNs: `${oldest}` },
    options
  );
  const continued = new Set(found.map((one) => one.parent));
  return rows.filter((row) => !continued.has(row.call_id));
}
