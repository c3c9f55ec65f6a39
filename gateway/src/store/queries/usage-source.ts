/**
 * Where the figures of requests come from: settled buckets from a rollup that has the columns, the rest from the calls;
 * all from the calls where no rollup can tell. Gives a subquery for others to sum over, one row or many calls a line.
 * *Request*, *error* and *latency* are defined once, in the view `mcp.requests` and its rollups (DDL 0005).
 */
import type { Visibility } from './visibility.ts';
import type { QueryOptions, QueryParam, StoreReader } from './reader.ts';
import type { CallFilter, FilterName, TimeWindow } from './scope.ts';
import { conditions, filtersBy, IN_RANGE, needsOnly, rangeParams } from './scope.ts';
import type { Rollup } from './usage-range.ts';
import { rollupFor, settledPart, USAGE_USER_HOUR } from './usage-range.ts';

/** Columns of the rollups; the one with users has no operation. */
const COLUMNS: ReadonlySet<FilterName> = new Set(['server', 'operation', 'tool', 'outcome']);
const USER_COLUMNS: ReadonlySet<FilterName> = new Set(['server', 'tool', 'outcome']);

/** What the outer query groups by besides server, tool and outcome. */
export interface SourceNeeds {
  /** users, and then no latencies */
  readonly users?: boolean;
  /** name and version of clients */
  readonly clients?: boolean;
  /** width of the buckets of time */
  readonly bucketSeconds?: number;
}

export interface SourceRequest {
  readonly range: TimeWindow;
  readonly filter: CallFilter;
  /** ns since 1970 */
  readonly nowNs: bigint;
}

/**
 * Columns: `at` (seconds), `server_name`, `tool_name`, `ended`, `user_key`, `client`, `client_release`, `latency_bucket`,
 * and the sums `n`, `tokens_n`, `in_n`, `out_n`.
 */
export interface UsageSource {
  readonly sql: string;
  readonly params: Readonly<Record<string, QueryParam>>;
  /** how far the rollup is behind the calls */
  readonly lagSeconds: number;
}

/** The outcomes that count as errors, as the view has them. */
export const ERRORS = `('tool_error', 'rpc_error', 'timeout', 'upstream_unreachable', 'interrupted')`;
export const FIGURES = `sum(n) AS calls, sumIf(n, ended IN ${ERRORS}) AS errors, sumIf(n, ended = 'denied') AS denied,
    sum(tokens_n) AS tokens`;
/** µs at p50, p95 and p99: the end of the log bucket in which it lies. */
export const QUANTILES_US =
  'arrayMap(bucket -> exp2((bucket + 1) / 8), quantilesExactWeighted(0.5, 0.95, 0.99)(latency_bucket, n)) AS quantiles_us';

/** What all sources have in common, so that one outer query serves them. */
const SHARED = 'toString(server) AS server_name, toString(tool) AS tool_name, toString(outcome) AS ended';

function fromCalls(where: string, unsettled: string): string {
  return `SELECT toUInt32(toUnixTimestamp(started_at)) AS at, ${SHARED}, user_key,
        toString(client_name) AS client, toString(client_version) AS client_release, latency_bucket, toUInt64(1) AS n,
        toUInt64(tokens_estimated) AS tokens_n, request_bytes AS in_n, response_bytes AS out_n
    FROM mcp.requests
    WHERE ${IN_RANGE} AND ${unsettled} AND ${where}`;
}

function fromRollup(rollup: Rollup, where: string): string {
  const user = rollup === USAGE_USER_HOUR ? 'user_key' : "'' AS user_key";
  const latency = rollup === USAGE_USER_HOUR ? 'toUInt8(0) AS latency_bucket' : 'latency_bucket';
  return `SELECT toUInt32(toUnixTimestamp(${rollup.column})) AS at, ${SHARED}, ${user},
        '' AS client, '' AS client_release, ${latency}, calls AS n,
        tokens_estimated AS tokens_n, request_bytes AS in_n, response_bytes AS out_n
    FROM ${rollup.table} FINAL
    WHERE ${rollup.column} >= toDateTime({settledFrom:UInt32}) AND ${rollup.column} < toDateTime({settledTo:UInt32})
        AND toUnixTimestamp(${rollup.column}) NOT IN {touched:Array(UInt32)} AND ${where}`;
}

/** Rows of `mcp.requests` that the rollup has not settled. */
function unsettled(rollup: Rollup): string {
  return `(started_at < toDateTime({settledFrom:UInt32}) OR started_at >= toDateTime({settledTo:UInt32})
        OR toUnixTimestamp(${rollup.start}(started_at)) IN {touched:Array(UInt32)})`;
}

/** @param subject whose scope holds: the same figures stand on the Usage page and over the audit log */
export async function usageSource(
  store: StoreReader,
  visibility: Visibility,
  request: SourceRequest,
  needs: SourceNeeds & { readonly subject?: 'calls' | 'usage' },
  options: QueryOptions = {}
): Promise<UsageSource> {
  const { range, filter } = request;
  const { subject = 'usage' } = needs;
  const { sql: where, params } = conditions(visibility, filter, subject);
  const bound = { ...params, ...rangeParams(range) };
  const rollup = visibility[subject] === 'all' ? chooseRollup(request, needs) : undefined;
  const settled = rollup === undefined ? undefined : await settledPart(store, rollup, range, options);
  if (rollup === undefined || settled === undefined || settled.settledFrom >= settled.settledTo) {
    return { sql: fromCalls(where, '1 = 1'), params: bound, lagSeconds: settled?.lagSeconds ?? 0 };
  }
  const { settledFrom, settledTo, touched, lagSeconds } = settled;
  return {
    sql: `${fromRollup(rollup, where)}\n    UNION ALL\n    ${fromCalls(where, unsettled(rollup))}`,
    params: { ...bound, settledFrom, settledTo, touched },
    lagSeconds,
  };
}

function chooseRollup({ range, filter, nowNs }: SourceRequest, needs: SourceNeeds): Rollup | undefined {
  if (needs.clients === true || filtersBy(filter, 'user')) return undefined;
  if (!needsOnly(filter, needs.users === true ? USER_COLUMNS : COLUMNS)) return undefined;
  const rollup = needs.users === true ? USAGE_USER_HOUR : rollupFor(range, nowNs);
  return (needs.bucketSeconds ?? 0) % rollup.seconds === 0 ? rollup : undefined;
}
