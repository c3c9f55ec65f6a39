/**
 * `/tool-changes` and `/tool-changes/{id}/diff`: what upstream servers offer, whenever it changed. The list is metadata for
 * callers who see everybody's calls; the texts are in the sealed answers of two calls, opened for auditors of the server
 * alone, each opening recorded like any reading of a payload.
 */
import type { OpenAPIHono } from '@hono/zod-openapi';
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { TOOL_PARTS, type ToolChangeKind } from '../../record/tool-changes.ts';
import { findCall } from '../../store/queries/call.ts';
import { findToolChange, listToolChanges, type ToolChangeRow } from '../../store/queries/tool-changes.ts';
import { toolListIn, type ListedTool } from '../../tool-drift/tool-list.ts';
import { ApiError } from '../api-error.ts';
import { orNull } from '../call-view.ts';
import type { ListState, PayloadPart, ToolChangeItem } from '../contract.ts';
import { toolChangeDiffRoute, toolChangesRoute } from '../contract.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import type { ApiEnv, RouteDeps } from '../deps.ts';
import { accessActor } from '../deps.ts';
import { nowNs } from '../clock.ts';
import { readPayload, requireAuditor, requireAuditorOf } from '../read-payload.ts';
import { requireSight } from '../require-sight.ts';
import { formatInstant, parseRange } from '../time-range.ts';
import { namedDiff, toolDiff } from '../tool-diff.ts';
import type { Visibility } from '../visibility.ts';

export function registerToolChanges(api: OpenAPIHono<ApiEnv>, deps: RouteDeps): void {
  api.openapi(toolChangesRoute, async (c) => {
    const visibility = await requireAll(c, deps);
    const query = c.req.valid('query');
    const filter = {
      ...parseRange(query, nowNs(deps.clock)),
      ...(query.server === undefined ? {} : { servers: query.server }),
      ...(query.change === undefined ? {} : { changes: query.change }),
      demo: query.demo === 'true',
    };
    const after = query.cursor === undefined ? {} : { after: decodeCursor(query.cursor) };
    const { signal } = c.req.raw;
    const page = await listToolChanges(deps.store, visibility, filter, { limit: query.limit, ...after }, { signal });
    const nextCursor = page.next === undefined ? null : encodeCursor(page.next);
    return c.json({ items: page.rows.map(changeView), nextCursor }, 200);
  });

  api.openapi(toolChangeDiffRoute, async (c) => {
    await requireSight(c, deps.refusals, 'payload.read');
    // before any look-up: whether the change exists makes no difference to who is no auditor
    await requireAuditor(c, deps, {});
    const visibility = c.get('visibility');
    const { signal } = c.req.raw;
    const row = await findToolChange(deps.store, visibility, c.req.valid('param').id, { signal });
    if (row === undefined) throw new ApiError('not_found', 'There is no such change of tools.');
    const { server } = row;
    await requireAuditorOf(c, deps, server, { targetServer: server });
    const before = await readList(c, deps, row.previous_calls);
    const after = await readList(c, deps, row.seen_in_calls);
    const { added, removed, changed } = changeView(row);
    const tools =
      after.tools !== undefined && (before.tools !== undefined || before.state === 'none')
        ? toolDiff(before.tools ?? [], after.tools)
        : namedDiff(added, removed, changed);
    return c.json({ id: row.change_id, server, before: before.state, after: after.state, tools }, 200);
  });
}

/** Throws ApiError `forbidden` for callers who see their own calls only; the refusal is recorded. */
async function requireAll(c: Context<ApiEnv>, deps: RouteDeps): Promise<Visibility> {
  const visibility = await requireSight(c, deps.refusals, 'calls.read');
  if (visibility.calls === 'all') return visibility;
  await deps.refusals.refused({ ...accessActor(c), action: 'calls.read', reason: 'not_admin' });
  throw new ApiError('forbidden', 'Only admins and auditors see what servers offer and how it changed.', {
    reason: 'not_admin',
  });
}

interface ReadList {
  readonly state: ListState;
  readonly tools?: readonly ListedTool[];
}

/** The pages of one list, from the answers in which they were seen. */
async function readList(c: Context<ApiEnv>, deps: RouteDeps, callIds: readonly string[]): Promise<ReadList> {
  if (callIds.length === 0) return { state: 'none' };
  const tools: ListedTool[] = [];
  for (const callId of callIds) {
    const call = await findCall(deps.store, c.get('visibility'), callId, { signal: c.req.raw.signal });
    if (call === undefined) return { state: 'missing' };
    const { response } = await readPayload(c, deps, call);
    const page = pageIn(response);
    if (page === undefined) return { state: stateOf(response) };
    tools.push(...page);
  }
  return { state: 'opened', tools };
}

function pageIn({ state, bodyText, format, truncated }: PayloadPart): readonly ListedTool[] | undefined {
  if (state !== 'opened' || bodyText === undefined || format === undefined || truncated === true) return undefined;
  return toolListIn(bodyText, format)?.tools;
}

function stateOf({ state, truncated }: PayloadPart): ListState {
  if (state === 'opened') return truncated === true ? 'truncated' : 'unreadable';
  return state === 'none' || state === 'missing' || state === 'expired' ? 'missing' : 'unreadable';
}

const Parts = z.record(z.string(), z.array(z.enum(TOOL_PARTS)));

function changeView(row: ToolChangeRow): ToolChangeItem {
  const parts = partsOf(row.parts);
  return {
    id: row.change_id,
    at: formatInstant(BigInt(row.started_ns)),
    server: row.server,
    // the closed set is our own, so what the store holds is in it
    change: row.change as ToolChangeKind,
    fingerprint: row.fingerprint,
    previousFingerprint: orNull(row.previous_fingerprint),
    tools: row.tools,
    added: [...row.added],
    removed: [...row.removed],
    changed: row.changed.map((tool) => ({ tool, parts: [...(parts.get(tool) ?? [])] })),
    client: { name: orNull(row.client_name), version: orNull(row.client_version) },
    protocolVersion: orNull(row.protocol_version),
    seenInCalls: [...row.seen_in_calls],
    previousCalls: [...row.previous_calls],
    gatewayId: row.chain_id,
    seq: row.seq_text,
    recordHash: row.record_hash,
  };
}

function partsOf(text: string): ReadonlyMap<string, ToolChangeItem['changed'][number]['parts']> {
  if (text === '') return new Map();
  try {
    return new Map(Object.entries(Parts.parse(JSON.parse(text))));
  } catch {
    // not written by this program
    return new Map();
  }
}
