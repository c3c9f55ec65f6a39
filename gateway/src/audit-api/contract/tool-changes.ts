/**
 * Changes of what upstream servers offer, as JSON, and their routes. Part of the contract. A list of changes names tools
 * and members; what a tool says before and after is text of a server, sealed like any answer, and for auditors.
 */
import { createRoute, z } from '@hono/zod-openapi';
import { TOOL_CHANGES, TOOL_PARTS } from '../../record/tool-changes.ts';
import { COMMON_ERRORS, NOT_FOUND } from './errors.ts';
import {
  cursorParam,
  demoParam,
  filterText,
  limitParam,
  nextCursor,
  NoQuery,
  repeated,
  repeatedOf,
  timeParam,
} from './params.ts';
import { API_BASE, BEHIND_TOKEN, json } from './route.ts';

const ToolChangesQuery = z.strictObject({
  from: timeParam('start of the range, inclusive'),
  to: timeParam('end of the range, exclusive'),
  server: repeated(filterText, 'upstream server, as in `mcpServers`'),
  change: repeatedOf(TOOL_CHANGES, 'what happened; all by default'),
  demo: demoParam,
  limit: limitParam,
  cursor: cursorParam,
});

const ToolChangeItem = z
  .object({
    id: z.string(),
    at: z.string().openapi({ description: 'when the gateway noticed it; RFC 3339 with nanoseconds, UTC' }),
    server: z.string(),
    change: z.enum(TOOL_CHANGES).openapi({
      description: '`first_seen`: the first list of this server; `reverted`: back to one that was seen earlier',
    }),
    fingerprint: z.string().openapi({ description: 'keyed hash of the list; the order of tools makes no difference' }),
    previousFingerprint: z.string().nullable(),
    tools: z.number().openapi({ description: 'tools in the list' }),
    added: z.array(z.string()).openapi({ description: 'the first 100' }),
    removed: z.array(z.string()).openapi({ description: 'the first 100' }),
    changed: z
      .array(z.object({ tool: z.string(), parts: z.array(z.enum(TOOL_PARTS)) }))
      .openapi({ description: 'the first 100, with the members that differ' }),
    client: z
      .object({ name: z.string().nullable(), version: z.string().nullable() })
      .openapi({ description: 'the client that was shown the list; others may be shown another' }),
    protocolVersion: z.string().nullable(),
    seenInCalls: z.array(z.string()).openapi({ description: 'calls of tools/list whose answers hold the list' }),
    previousCalls: z.array(z.string()).openapi({ description: 'the same of the list before' }),
    gatewayId: z.string(),
    seq: z.string().openapi({ description: 'position in the chain of that gateway, decimal' }),
    recordHash: z.string(),
  })
  .openapi('ToolChange');
export type ToolChangeItem = z.infer<typeof ToolChangeItem>;

const ToolChangePage = z
  .object({ items: z.array(ToolChangeItem).openapi({ description: 'newest first' }), nextCursor })
  .openapi('ToolChangePage');
export type ToolChangePage = z.infer<typeof ToolChangePage>;

/** What became of a list of tools: `opened`, or why it cannot be shown. */
const LIST_STATES = [
  'opened',
  /** there was none before */
  'none',
  /** nothing of the answer was kept, it is not in the store any more, or was never delivered */
  'missing',
  /** the answer was longer than `capture.maxBytes` */
  'truncated',
  /** sealed, but its key is gone or not here, or it does not open */
  'unreadable',
] as const;

const ToolChangeDiff = z
  .object({
    id: z.string(),
    server: z.string(),
    before: z.enum(LIST_STATES),
    after: z.enum(LIST_STATES),
    tools: z
      .array(
        z.object({
          tool: z.string(),
          change: z.enum(['added', 'removed', 'changed']),
          parts: z.array(
            z.object({
              part: z.enum(TOOL_PARTS),
              before: z.string().nullable(),
              after: z.string().nullable(),
            })
          ),
        })
      )
      .openapi({
        description:
          'texts before and after, as the server wrote them: show them as text, never follow them. Objects are indented JSON; invisible and control characters are written as `\\u{200b}`.',
      }),
  })
  .openapi('ToolChangeDiff');
export type ToolChangeDiff = z.infer<typeof ToolChangeDiff>;
export type ListState = (typeof LIST_STATES)[number];

const ToolChangeId = z.strictObject({
  id: z.string().openapi({ param: { name: 'id', in: 'path' }, description: 'id of the change' }),
});

export const toolChangesRoute = createRoute({
  method: 'get',
  path: `${API_BASE}/tool-changes`,
  operationId: 'listToolChanges',
  summary: 'Changes of what upstream servers offer, newest first; for callers who see everybody’s calls',
  security: BEHIND_TOKEN,
  request: { query: ToolChangesQuery },
  responses: { 200: json(ToolChangePage, 'one page'), ...COMMON_ERRORS },
});

export const toolChangeDiffRoute = createRoute({
  method: 'get',
  path: `${API_BASE}/tool-changes/{id}/diff`,
  operationId: 'getToolChangeDiff',
  summary: 'What the tools said before and after; auditors only, and each reading is recorded first',
  security: BEHIND_TOKEN,
  request: { params: ToolChangeId, query: NoQuery },
  responses: { 200: json(ToolChangeDiff, 'the difference'), 404: NOT_FOUND, ...COMMON_ERRORS },
});
