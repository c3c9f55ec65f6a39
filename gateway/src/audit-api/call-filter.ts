/**
 * From the filters of a request to the filter of a query: names of people become keys, `(none)` becomes the empty
 * column, milliseconds become nanoseconds, text becomes words. Every route that reads calls gets its filter here.
 */
import type { QueryOptions } from '../store/queries/reader.ts';
import type { CallFilter, FilterName } from '../store/queries/scope.ts';
import type { CallFilterQuery } from './contract/filters.ts';
import { NONE } from './contract/filters.ts';
import { badParameter } from './api-error.ts';
import type { UserFilterDeps } from './user-filter.ts';
import { resolveUsers } from './user-filter.ts';
import type { Visibility } from './visibility.ts';

const NS_PER_MS = 1e6;
/** Written by a gateway as its own words for an empty column. */
const EMPTY_WORD: Partial<Record<FilterName, string>> = { outcome: 'open' };

type Values = readonly string[] | undefined;

/** Throws ApiError `invalid_request`. */
export async function callFilter(
  deps: UserFilterDeps,
  visibility: Visibility,
  query: CallFilterQuery,
  options: QueryOptions = {}
): Promise<CallFilter> {
  const { minDurationMs, maxDurationMs } = query;
  if (minDurationMs !== undefined && maxDurationMs !== undefined && minDurationMs > maxDurationMs) {
    throw badParameter('minDurationMs', 'must not be more than maxDurationMs');
  }
  const [user, notUser] = await Promise.all([
    resolveUsers(deps, visibility, query.user, options),
    resolveUsers(deps, visibility, query.notUser, options),
  ]);
  return {
    only: columnValues({
      user,
      server: query.server,
      operation: query.operation,
      tool: query.tool,
      outcome: query.outcome,
      kind: query.kind,
      client: query.client,
      clientVersion: query.clientVersion,
      key: query.key,
      session: query.session,
      traceId: query.traceId,
      errorType: query.errorType,
    }),
    not: columnValues({
      user: notUser,
      server: query.notServer,
      operation: query.notOperation,
      tool: query.notTool,
      outcome: query.notOutcome,
      kind: query.notKind,
      client: query.notClient,
      clientVersion: query.notClientVersion,
      key: query.notKey,
      session: query.notSession,
      errorType: query.notErrorType,
    }),
    ...(minDurationMs === undefined ? {} : { minDurationNs: BigInt(Math.round(minDurationMs * NS_PER_MS)) }),
    ...(maxDurationMs === undefined ? {} : { maxDurationNs: BigInt(Math.round(maxDurationMs * NS_PER_MS)) }),
    words: (query.q ?? '').split(/\s+/).filter((word) => word !== ''),
    demo: query.demo === 'true',
  };
}

function columnValues(asked: Readonly<Partial<Record<FilterName, Values>>>): CallFilter['only'] {
  const values: Partial<Record<FilterName, readonly string[]>> = {};
  for (const [name, given] of Object.entries(asked) as [FilterName, Values][]) {
    if (given === undefined) continue;
    const empty = EMPTY_WORD[name] ?? NONE;
    // a tool may really be called `(none)`: found too, rather than hidden behind the word
    values[name] = given.includes(empty) ? [...given, ''] : given;
  }
  return values;
}
