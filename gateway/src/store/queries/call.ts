/**
 * One call by its id, within what the caller may see: a call of somebody else is not found, like one that does not exist.
 * A UUIDv7 begins with its time, so an hour around it is read first; ids that say nothing are looked for everywhere, by
 * the bloom filter on call_id.
 */
import type { Visibility } from './visibility.ts';
import type { CallDetailRow } from './call-row.ts';
import { CALL_COLUMNS } from './call-row.ts';
import type { QueryOptions, QueryParam, StoreReader } from './reader.ts';
import { QUERY_SETTINGS } from './reader.ts';
import { scopeConditions } from './scope.ts';

const HALF_HOUR_NS = 1_800_000_000_000n;
const AROUND =
  'started_at >= fromUnixTimestamp64Nano({lowerNs:Int64}) AND started_at < fromUnixTimestamp64Nano({upperNs:Int64})';
const UUID_V7 = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function callSql(where: string): string {
  return `SELECT ${CALL_COLUMNS}, attributes
FROM mcp.calls FINAL
WHERE call_id = {callId:String} AND ${where}
LIMIT 1
${QUERY_SETTINGS}`;
}

export async function findCall(
  store: StoreReader,
  visibility: Visibility,
  callId: string,
  options: QueryOptions = {}
): Promise<CallDetailRow | undefined> {
  if (visibility.calls === 'none') return undefined;
  const scope = scopeConditions(visibility);
  const params: Record<string, QueryParam> = { ...scope.params, callId };
  const madeNs = timeOf(callId);
  if (madeNs !== undefined) {
    const bounds = { lowerNs: `${madeNs - HALF_HOUR_NS}`, upperNs: `${madeNs + HALF_HOUR_NS}` };
    const sql = callSql(`${AROUND} AND ${scope.sql}`);
    const [row] = await store.query<CallDetailRow>(sql, { ...params, ...bounds }, options);
    if (row !== undefined) return row;
  }
  const [row] = await store.query<CallDetailRow>(callSql(scope.sql), params, options);
  return row;
}

/** @returns ns since 1970, or undefined when the id is no UUIDv7 */
function timeOf(callId: string): bigint | undefined {
  const match = UUID_V7.exec(callId);
  return match === null ? undefined : BigInt(`0x${match[1]}${match[2]}`) * 1_000_000n;
}
