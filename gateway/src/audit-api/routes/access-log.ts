/** `/access-log`: who did what through the audit API; auditors and admins see everybody, viewers themselves. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import { z } from '@hono/zod-openapi';
import type { AccessAction, AccessDecision, AccessReason } from '../../record/access.ts';
import type { AccessLogFilter, AccessLogRow } from '../../store/queries/access-log.ts';
import { listAccessLog } from '../../store/queries/access-log.ts';
import { principalsOf } from '../../store/queries/principals.ts';
import { ApiError } from '../api-error.ts';
import type { Principals } from '../call-view.ts';
import { orNull, userView } from '../call-view.ts';
import type { AccessLogEntry } from '../contract.ts';
import { accessLogRoute } from '../contract.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import type { ApiEnv, RouteDeps } from '../deps.ts';
import { accessActor } from '../deps.ts';
import { nowNs } from '../clock.ts';
import { formatInstant, parseRange } from '../time-range.ts';
import { resolveUsers } from '../user-filter.ts';
import type { Visibility } from '../visibility.ts';

const NS_PER_MS = 1e6;

export function registerAccessLog(api: OpenAPIHono<ApiEnv>, deps: RouteDeps): void {
  api.openapi(accessLogRoute, async (c) => {
    const visibility = c.get('visibility');
    if (visibility.accessLog === 'none') {
      await deps.refusals.refused({ ...accessActor(c), action: 'access_log.read', reason: 'no_identity' });
      const message = 'You see nothing of the access log: you stand for no person under whose key it could be found.';
      throw new ApiError('forbidden', message, { reason: 'no_identity' });
    }
    const query = c.req.valid('query');
    const after = query.cursor === undefined ? {} : { after: decodeCursor(query.cursor) };
    const { signal } = c.req.raw;
    const [actorKeys, targetUserKeys] = await Promise.all([
      resolveUsers(deps, visibility, query.actor, { signal }),
      resolveUsers(deps, visibility, query.user, { signal }),
    ]);
    const filter: AccessLogFilter = {
      ...parseRange(query, nowNs(deps.clock)),
      ...(query.action === undefined ? {} : { actions: query.action }),
      ...(query.decision === undefined ? {} : { decisions: query.decision }),
      ...(actorKeys === undefined ? {} : { actors: { keys: actorKeys, names: query.actor ?? [] } }),
      ...(targetUserKeys === undefined ? {} : { targetUserKeys }),
      ...(query.server === undefined ? {} : { targetServers: query.server }),
      ...(query.callId === undefined ? {} : { targetCallIds: query.callId }),
      demo: query.demo === 'true',
    };
    const page = await listAccessLog(deps.store, visibility, filter, { limit: query.limit, ...after }, { signal });
    const people = page.rows.flatMap((row) => [row.actor_key, row.target_user_key]);
    const principals = await principalsOf(deps.store, visibility, people, { signal });
    return c.json(
      {
        scope: visibility.accessLog === 'all' ? ('all' as const) : ('own' as const),
        items: page.rows.map((row) => entryView(row, visibility, principals)),
        nextCursor: page.next === undefined ? null : encodeCursor(page.next),
      },
      200
    );
  });
}

/** The closed sets are our own (record/access.ts), so what the store holds is in them. */
function entryView(row: AccessLogRow, visibility: Visibility, principals: Principals): AccessLogEntry {
  return {
    id: row.access_id,
    at: formatInstant(BigInt(row.started_ns)),
    durationMs: Number(row.duration) / NS_PER_MS,
    action: row.action as AccessAction,
    decision: row.decision as AccessDecision,
    reason: orNull(row.reason) as Exclude<AccessReason, ''> | null,
    actor: {
      kind: row.actor_kind as AccessLogEntry['actor']['kind'],
      tokenName: orNull(row.actor_name),
      user: userView(row.actor_key, visibility, principals),
    },
    roles: [...row.roles],
    clientAddress: orNull(row.client_address),
    target: {
      callId: orNull(row.target_call_id),
      user: userView(row.target_user_key, visibility, principals),
      server: orNull(row.target_server),
    },
    rows: Number(row.rows),
    bytes: Number(row.bytes),
    detail: detailOf(row.detail),
    gatewayId: row.chain_id,
    seq: row.seq_text,
    recordHash: row.record_hash,
  };
}

const Detail = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]));

/** What is no flat JSON was not written by this program. */
function detailOf(text: string): AccessLogEntry['detail'] {
  if (text === '') return {};
  try {
    return Detail.parse(JSON.parse(text));
  } catch {
    return { unreadable: true };
  }
}
