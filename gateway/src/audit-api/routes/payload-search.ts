/**
 * `/payload-search`: a bounded search in payloads, for auditors within their servers, as server-sent events. That it was
 * asked for is on disk before the first byte is read, each reading before it is told, its end too. What was looked for
 * is kept as a keyed digest only; the text goes into no record, no log and no address.
 */
import { randomUUID } from 'node:crypto';
import type { Context } from 'hono';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { SSEStreamingApi } from 'hono/streaming';
import type { AccessEntry } from '../../record/access.ts';
import { principalsOf } from '../../store/queries/principals.ts';
import type { CallFilter } from '../../store/queries/scope.ts';
import { auditedServers } from '../../store/queries/visibility.ts';
import { ApiError } from '../api-error.ts';
import { callFilter } from '../call-filter.ts';
import { callView } from '../call-view.ts';
import type { SearchStarted } from '../contract.ts';
import { payloadSearchRoute, SEARCH_LIMITS } from '../contract.ts';
import type { ApiEnv, RouteDeps } from '../deps.ts';
import { accessActor } from '../deps.ts';
import { nowNs } from '../clock.ts';
import { eventStream } from '../event-stream.ts';
import type { FoundCall, SearchSink } from '../payload-search.ts';
import { searchPayloads, snippetBytes } from '../payload-search.ts';
import { requireAuditor, requireAuditorOf } from '../read-payload.ts';
import { recordAccess } from '../record-access.ts';
import { requireSight } from '../require-sight.ts';
import { formatInstant, recentRange } from '../time-range.ts';
import type { Visibility } from '../visibility.ts';
import { payloadRefusal } from '../visibility.ts';

/** At the same time: each opens megabytes. */
const SEARCHES_OF_ALL = 3;

export function registerPayloadSearch(api: OpenAPIHono<ApiEnv>, deps: RouteDeps): void {
  const running = new Set<string>();

  /** Throws ApiError `limit_reached`. @returns to be called at the end */
  const begin = (c: Context<ApiEnv>): (() => void) => {
    const { kind, actorKey, userKey, name } = c.get('caller');
    const who = `${kind} ${actorKey ?? userKey} ${name}`;
    if (running.has(who) || running.size >= SEARCHES_OF_ALL) {
      throw new ApiError(
        'limit_reached',
        'A search in payloads runs already. Let it end or cancel it, then search again.'
      );
    }
    running.add(who);
    return () => running.delete(who);
  };

  api.openapi(payloadSearchRoute, async (c) => {
    const visibility = await requireSight(c, deps.refusals, 'payload.search');
    await requireAuditor(c, deps, {}, 'payload.search');
    const query = c.req.valid('query');
    const { text, maxCalls = SEARCH_LIMITS.calls } = c.req.valid('json');
    const [server] = query.server ?? [];
    const noneCovered = query.server?.every((one) => payloadRefusal(visibility, one) !== undefined) === true;
    if (noneCovered && server !== undefined) {
      await requireAuditorOf(c, deps, server, { targetServer: server }, 'payload.search');
    }
    const { signal } = c.req.raw;
    const range = recentRange(query, nowNs(deps.clock));
    const filter = withinServers(await callFilter(deps, visibility, query, { signal }), visibility);
    const ended = begin(c);
    const started: SearchStarted = {
      search: randomUUID(),
      servers: auditedServers(visibility),
      limits: { ...SEARCH_LIMITS, calls: maxCalls },
    };
    const entry = { ...accessActor(c), action: 'payload.search', decision: 'allowed' } as const;
    const { search } = started;
    const asked = {
      search,
      text_digest: deps.pseudonyms.hash('plaintext', text),
      text_chars: text.length,
      from: formatInstant(range.fromNs),
      to: formatInstant(range.toNs),
      max_calls: maxCalls,
      ...filterDetail(filter),
    };
    try {
      await recordAccess(deps, { ...entry, detail: { ...asked, step: 'begin' } });
    } catch (error) {
      ended();
      throw error;
    }
    return eventStream(
      c,
      async (stream, left) => {
        let rows = 0;
        let bytes = 0;
        let reason = 'left';
        const sink: SearchSink = {
          recordReadings: async (found) => {
            await Promise.all(found.map((one) => recordAccess(deps, reading(entry, one, search))));
          },
          matches: async (found) => {
            rows += found.length;
            bytes += found.reduce((sum, { hits }) => sum + snippetBytes(hits), 0);
            await tellMatches(deps, stream, visibility, found);
          },
          progress: async (progress) => stream.writeSSE({ event: 'progress', data: JSON.stringify(progress) }),
        };
        try {
          await stream.writeSSE({ event: 'started', data: JSON.stringify(started) });
          const request = { text, filter, range, limits: started.limits, visibility, renew: c.get('renew') };
          const end = await searchPayloads(deps, { ...request, signal: left }, sink);
          ({ reason } = end);
          await stream.writeSSE({ event: 'end', data: JSON.stringify(end) });
        } finally {
          ended();
          await recordAccess(deps, { ...entry, rows, bytes, detail: { search, step: 'end', reason } }).catch(
            () => undefined
          );
        }
      },
      () => deps.logger.error('payload_search_failed', {})
    );
  });
}

async function tellMatches(
  deps: RouteDeps,
  stream: SSEStreamingApi,
  visibility: Visibility,
  found: readonly FoundCall[]
): Promise<void> {
  const keys = found.map(({ row }) => row.user_key);
  const principals = await principalsOf(deps.store, visibility, keys);
  for (const { row, hits } of found) {
    await stream.writeSSE({
      event: 'match',
      data: JSON.stringify({ call: callView(row, visibility, principals), hits }),
    });
  }
}

/** What was found in a call is read, like a payload that is opened. */
function reading(entry: AccessEntry, { row, hits }: FoundCall, search: string): AccessEntry {
  return {
    ...entry,
    action: 'payload.read',
    targetCallId: row.call_id,
    targetUserKey: row.user_key,
    targetServer: row.server,
    rows: 1,
    bytes: snippetBytes(hits),
    detail: { search },
  };
}

/** Only what the caller may open, and of that what was asked for. */
function withinServers(filter: CallFilter, visibility: Visibility): CallFilter {
  const servers = auditedServers(visibility);
  if (servers === '*') return filter;
  const asked = filter.only.server ?? servers;
  return { ...filter, only: { ...filter.only, server: asked.filter((server) => servers.includes(server)) } };
}

/** Names of filters and how many values they have: the values could be anything that somebody typed. */
function filterDetail({ only, not, words }: CallFilter): Readonly<Record<string, readonly string[]>> {
  const named = (prefix: string, values: CallFilter['only']): string[] =>
    Object.entries(values).map(([name, list]) => `${prefix}${name}:${list.length}`);
  const filters = [...named('', only), ...named('not_', not), ...(words.length === 0 ? [] : [`q:${words.length}`])];
  return filters.length === 0 ? {} : { filters };
}
