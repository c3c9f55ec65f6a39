/**
 * Where the figures of requests come from: settled buckets from a rollup that has the columns, the rest from the calls;
 * all from the calls where no rollup can tell. Gives a subquery for others to sum over, one row or many calls a line,
 * summed up by the columns that were asked for: so what is done for each group is done for thousands and not millions.
 * *Request*, *error* and *latency* are defined once, in the view `mcp.requests` and its rollups (DDL 0005).
 */
import type { Visibility } from './visibility.ts';
import type { QueryOptions, QueryParam, StoreReader } from './reader.ts';
import type { CallFilter, FilterName, TimeWindow } from './scope.ts';
import { conditions, filtersBy, IN_RANGE, needsOnly, rangeParams } from './scope.ts';
import type { TokenPrices } from './token-cost.ts';
import { costParams, pricesByTool } from './token-cost.ts';
import type { Rollup } from './usage-range.ts';
import { rollupFor, SettledParts, USAGE_USER_HOUR } from './usage-range.ts';

/** Columns of the rollups; the one with users has no operation. */
const COLUMNS: ReadonlySet<FilterName> = new Set(['server', 'operation', 'tool', 'outcome']);
const USER_COLUMNS: ReadonlySet<FilterName> = new Set(['server', 'tool', 'outcome']);

/** What the outer query asks about besides the count. What it does not need is empty, or 0. */
export interface SourceNeeds {
  /** left out: yes */
  readonly servers?: boolean;
  /** and with them tokens and bytes */
  readonly outcomes?: boolean;
  readonly tools?: boolean;
  readonly latencies?: boolean;
  /** users, and then no latencies from a rollup */
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
  /** for `costColumn()`; left out: nothing has a price */
  readonly prices?: TokenPrices | undefined;
  /** what the rollups have settled: asked once for all queries of one answer, which then speak of the same moment */
  readonly settled?: SettledParts;
}

/**
 * Columns: `at` (seconds), `server_name`, `tool_name`, `ended`, `who` (a user key), `client`, `client_release`,
 * `latency_bucket`, and the sums `n`, `tokens_n`, `in_n`, `out_n`.
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

const NO_NAME = "toLowCardinality('')";
/** Under another name than the column has: an alias would hold in WHERE too. */
const named = (alias: string, column: string, wanted = true): string => `${wanted ? column : NO_NAME} AS ${alias}`;

function at(column: string, needs: SourceNeeds): string {
  if (needs.bucketSeconds === undefined) return 'toUInt32(0) AS at';
  return `toUInt32(intDiv(toUnixTimestamp(${column}), {sourceSeconds:UInt32}) * {sourceSeconds:UInt32}) AS at`;
}

function traffic({ outcomes }: SourceNeeds): string {
  return outcomes === true
    ? 'sum(tokens_estimated) AS tokens_n, sum(request_bytes) AS in_n, sum(response_bytes) AS out_n'
    : 'toUInt64(0) AS tokens_n, toUInt64(0) AS in_n, toUInt64(0) AS out_n';
}

function fromCalls(where: string, unsettled: string, needs: SourceNeeds): string {
  const { users, clients } = needs;
  // with users and clients together nearly every call is a group of its own
  const sums =
    clients === true
      ? 'toUInt64(1) AS n, toUInt64(tokens_estimated) AS tokens_n, request_bytes AS in_n, response_bytes AS out_n'
      : `count() AS n, ${traffic(needs)}`;
  return `SELECT ${at('started_at', needs)}, ${named('s', 'server', needs.servers)}, ${named('t', 'tool', needs.tools === true)},
        ${named('o', 'outcome', needs.outcomes === true)}, ${named('u', 'user_key', users === true)}, ${named('c', 'client_name', clients === true)},
        ${named('r', 'client_version', clients === true)}, ${needs.latencies === true ? 'latency_bucket' : 'toUInt8(0)'} AS l, ${sums}
    FROM mcp.requests
    WHERE ${IN_RANGE} AND ${unsettled} AND ${where}
    ${clients === true ? '' : 'GROUP BY ALL'}`;
}

function fromRollup(rollup: Rollup, where: string, needs: SourceNeeds): string {
  const hasUsers = rollup === USAGE_USER_HOUR;
  return `SELECT ${at(rollup.column, needs)}, ${named('s', 'server', needs.servers)}, ${named('t', 'tool', needs.tools === true)},
        ${named('o', 'outcome', needs.outcomes === true)}, ${named('u', 'user_key', hasUsers)}, ${NO_NAME} AS c, ${NO_NAME} AS r,
        ${needs.latencies === true && !hasUsers ? 'latency_bucket' : 'toUInt8(0)'} AS l, sum(calls) AS n,
        ${traffic(needs)}
    FROM ${rollup.table} FINAL
    WHERE ${rollup.column} >= toDateTime({settledFrom:UInt32}) AND ${rollup.column} < toDateTime({settledTo:UInt32})
        AND toUnixTimestamp(${rollup.column}) NOT IN {touched:Array(UInt32)} AND calls > 0 AND ${where}
    GROUP BY ALL`;
}

/** The columns under the names that the outer queries know. */
function summed(parts: readonly string[]): string {
  return `SELECT at, toString(s) AS server_name, toString(t) AS tool_name, toString(o) AS ended, toString(u) AS who,
        toString(c) AS client, toString(r) AS client_release, l AS latency_bucket, n, tokens_n, in_n, out_n
    FROM (
    ${parts.join('\n    UNION ALL\n    ')}
    )`;
}

/** Rows of `mcp.requests` that the rollup has not settled. */
function unsettled(rollup: Rollup): string {
  return `(started_at < toDateTime({settledFrom:UInt32}) OR started_at >= toDateTime({settledTo:UInt32})
        OR toUnixTimestamp(${rollup.start}(started_at)) IN {touched:Array(UInt32)})`;
}

export async function usageSource(
  store: StoreReader,
  visibility: Visibility,
  request: SourceRequest,
  asked: SourceNeeds,
  options: QueryOptions = {}
): Promise<UsageSource> {
  const { range, filter, prices, settled: parts = new SettledParts() } = request;
  const needs = withPriced(asked, prices);
  const { sql: where, params } = conditions(visibility, filter, 'usage');
  const { bucketSeconds: sourceSeconds } = needs;
  const bound = {
    ...params,
    ...costParams(prices),
    ...rangeParams(range),
    ...(sourceSeconds === undefined ? {} : { sourceSeconds }),
  };
  const rollup = visibility.usage === 'all' ? chooseRollup(request, needs) : undefined;
  const settled = rollup === undefined ? undefined : await parts.of(store, rollup, range, options);
  if (rollup === undefined || settled === undefined || settled.settledFrom >= settled.settledTo) {
    return { sql: summed([fromCalls(where, '1 = 1', needs)]), params: bound, lagSeconds: settled?.lagSeconds ?? 0 };
  }
  const { settledFrom, settledTo, touched, lagSeconds } = settled;
  return {
    sql: summed([fromRollup(rollup, where, needs), fromCalls(where, unsettled(rollup), needs)]),
    params: { ...bound, settledFrom, settledTo, touched },
    lagSeconds,
  };
}

/** A price is one of a server, perhaps of a tool, for the tokens. */
function withPriced(needs: SourceNeeds, prices: TokenPrices | undefined): SourceNeeds {
  if (prices === undefined || needs.outcomes !== true) return needs;
  return pricesByTool(prices) ? { ...needs, servers: true, tools: true } : { ...needs, servers: true };
}

function chooseRollup({ range, filter, nowNs }: SourceRequest, needs: SourceNeeds): Rollup | undefined {
  if (needs.clients === true || filtersBy(filter, 'user')) return undefined;
  if (!needsOnly(filter, needs.users === true ? USER_COLUMNS : COLUMNS)) return undefined;
  const bucketSeconds = needs.bucketSeconds ?? 0;
  const rollup = needs.users === true ? USAGE_USER_HOUR : rollupFor(range, nowNs, bucketSeconds);
  return bucketSeconds % rollup.seconds === 0 ? rollup : undefined;
}
