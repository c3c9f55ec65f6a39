/** How the pipeline does, as its components report it, and how much there is. Counts and times only; nobody's data. */
import type { Visibility } from './visibility.ts';
import { inForce, readHolds, type LegalHold } from '../legal-holds.ts';
import type { QueryOptions, StoreReader } from './reader.ts';
import { QUERY_SETTINGS } from './reader.ts';

type Int64 = number | string;

export interface HealthRow {
  readonly component: string;
  readonly chain_id: string;
  readonly at_ns: string;
  readonly seen_n: Int64;
  readonly recorded_n: Int64;
  readonly shipped_n: Int64;
  readonly lost_n: Int64;
  readonly set_aside_n: Int64;
  readonly spool_n: Int64;
  /** ns since 1970, 0: nothing waits */
  readonly oldest_ns: string;
  /** ns since 1970, 0: never */
  readonly verified_ns: string;
  readonly refused_n: Int64;
  readonly attempts_n: Int64;
  readonly truncated_n: Int64;
  readonly failed_n: Int64;
}

const LATEST = `SELECT component, chain_id, toString(max(toUnixTimestamp64Nano(at))) AS at_ns,
    argMax(seen, at) AS seen_n, argMax(recorded, at) AS recorded_n, argMax(shipped, at) AS shipped_n,
    argMax(lost, at) AS lost_n, argMax(set_aside, at) AS set_aside_n, argMax(spool_bytes, at) AS spool_n,
    toString(argMax(oldest_unshipped_at, at)) AS oldest_ns, toString(argMax(last_verify_at, at)) AS verified_ns,
    argMax(refused, at) AS refused_n, argMax(attempts_left_out, at) AS attempts_n,
    argMax(payloads_truncated, at) AS truncated_n, argMax(payloads_failed, at) AS failed_n
FROM mcp.health
WHERE at >= now64(9) - INTERVAL 1 DAY
GROUP BY component, chain_id
ORDER BY component, chain_id
LIMIT 1000
${QUERY_SETTINGS}`;

const ROWS = `SELECT count() AS calls FROM mcp.calls ${QUERY_SETTINGS}`;

const BYTES = `SELECT sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND database IN ('mcp', 'mcp_protected') ${QUERY_SETTINGS}`;

const USERS = `SELECT uniqExact(user_key) AS calling, uniqExactIf(user_key, user_key IN {known:Array(String)}) AS matched
FROM mcp.usage_user_hour
WHERE hour >= now() - INTERVAL 30 DAY AND user_key != '' AND NOT demo
${QUERY_SETTINGS}`;

/** The routes refuse long before; this stands here so that no road leads around them. */
function requireSettings(visibility: Visibility): void {
  if (visibility.settings === 'none') throw new TypeError('settings asked for without the right to see them');
}

/** The last report of each component, of the last day. */
export async function latestHealth(
  store: StoreReader,
  visibility: Visibility,
  options: QueryOptions = {}
): Promise<HealthRow[]> {
  requireSettings(visibility);
  return store.query<HealthRow>(LATEST, {}, options);
}

/** @returns `bytes` null where the database does not say */
export async function storeSize(
  store: StoreReader,
  visibility: Visibility,
  options: QueryOptions = {}
): Promise<{ readonly calls: number; readonly bytes: number | null }> {
  requireSettings(visibility);
  const [rows, bytes] = await Promise.all([
    store.query<{ calls: Int64 }>(ROWS, {}, options),
    store.query<{ bytes: Int64 }>(BYTES, {}, options).catch(() => []),
  ]);
  return { calls: Number(rows[0]?.calls ?? 0), bytes: bytes[0] === undefined ? null : Number(bytes[0].bytes) };
}

export async function holdsInForce(store: StoreReader, visibility: Visibility): Promise<LegalHold[]> {
  requireSettings(visibility);
  return inForce(await readHolds(store));
}

/** @param known user keys. @returns people who called in the last 30 days, and how many of them are among these */
export async function callingUsers(
  store: StoreReader,
  visibility: Visibility,
  known: readonly string[],
  options: QueryOptions = {}
): Promise<{ readonly calling: number; readonly matched: number }> {
  requireSettings(visibility);
  const [row] = await store.query<{ calling: Int64; matched: Int64 }>(USERS, { known }, options);
  return { calling: Number(row?.calling ?? 0), matched: Number(row?.matched ?? 0) };
}
