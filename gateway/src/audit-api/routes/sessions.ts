/** `/sessions` and `/sessions/{key}`: an agent's runs, and one of them in order, within the caller's visibility. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { SessionKind } from '../../record/vocabulary.ts';
import { principalsOf } from '../../store/queries/principals.ts';
import type { SessionRow } from '../../store/queries/sessions.ts';
import { callsOfSession, findSession, listSessions } from '../../store/queries/sessions.ts';
import { sessionNotFound } from '../api-error.ts';
import type { Principals } from '../call-view.ts';
import { callView, orNull, userView } from '../call-view.ts';
import type { Session } from '../contract.ts';
import { sessionRoute, sessionsRoute } from '../contract.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import type { ApiEnv, RouteDeps } from '../deps.ts';
import { nowNs } from '../clock.ts';
import { askedFilter, noteNotOwn } from '../own-calls-only.ts';
import { requireSight } from '../require-sight.ts';
import { formatInstant, recentRange } from '../time-range.ts';
import type { Visibility } from '../visibility.ts';

const NS_PER_MS = 1e6;

export function registerSessions(api: OpenAPIHono<ApiEnv>, deps: RouteDeps): void {
  api.openapi(sessionsRoute, async (c) => {
    const visibility = await requireSight(c, deps.refusals, 'calls.read');
    const query = c.req.valid('query');
    const range = recentRange(query, nowNs(deps.clock));
    const after = query.cursor === undefined ? {} : { after: decodeCursor(query.cursor) };
    const { signal } = c.req.raw;
    const filter = await askedFilter(c, deps, visibility, query, { signal, action: 'calls.read' });
    const request = { range, limit: query.limit, ...after };
    const page = await listSessions(deps.store, visibility, filter, request, { signal });
    const people = page.rows.flatMap(({ users }) => users);
    const principals = await principalsOf(deps.store, visibility, people, { signal });
    return c.json(
      {
        from: formatInstant(range.fromNs),
        to: formatInstant(range.toNs),
        items: page.rows.map((row) => sessionView(row, visibility, principals)),
        nextCursor: page.next === undefined ? null : encodeCursor(page.next),
      },
      200
    );
  });

  api.openapi(sessionRoute, async (c) => {
    const visibility = await requireSight(c, deps.refusals, 'calls.read');
    const { limit, cursor } = c.req.valid('query');
    const after = cursor === undefined ? {} : { after: decodeCursor(cursor) };
    const { signal } = c.req.raw;
    const { key } = c.req.valid('param');
    const session = await findSession(deps.store, visibility, key, { signal });
    if (session === undefined) {
      await noteNotOwn(c, deps, key);
      throw sessionNotFound();
    }
    const page = await callsOfSession(deps.store, visibility, session, { limit, ...after }, { signal });
    const people = [...session.users, ...page.rows.map((row) => row.user_key)];
    const principals = await principalsOf(deps.store, visibility, people, { signal });
    return c.json(
      {
        session: sessionView(session, visibility, principals),
        items: page.rows.map((row) => callView(row, visibility, principals)),
        nextCursor: page.next === undefined ? null : encodeCursor(page.next),
      },
      200
    );
  });
}

function sessionView(row: SessionRow, visibility: Visibility, principals: Principals): Session {
  const startedNs = BigInt(row.started_ns);
  const endedNs = BigInt(row.ended_ns);
  return {
    key: row.session,
    kind: row.kind_of_session as SessionKind,
    startedAt: formatInstant(startedNs),
    endedAt: formatInstant(endedNs),
    durationMs: Number(endedNs - startedNs) / NS_PER_MS,
    users: row.users.map((key) => userView(key, visibility, principals)).filter((user) => user !== null),
    client: { name: orNull(row.client), version: orNull(row.client_release) },
    servers: [...row.servers],
    records: Number(row.records),
    calls: Number(row.calls),
    serverRequests: Number(row.server_requests),
    errors: Number(row.errors),
    denied: Number(row.denied_calls),
    tokensEstimated: Number(row.tokens),
  };
}
