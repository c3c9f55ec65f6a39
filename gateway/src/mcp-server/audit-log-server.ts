/**
 * The audit log as an MCP server: four tools for metadata, one for payloads, and each call as a resource. Every answer
 * comes from the audit API as this caller, so it decides nothing about rights. One server is made for each request and
 * keeps nothing.
 */
import { McpServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js';
import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import * as z from 'zod';
import type { CallDetail, CallPage, CallPayload, SessionPage, UsageSummary } from '../audit-api/contract.ts';
import { OUTCOMES } from '../record/vocabulary.ts';
import { AuditApiProblem, type AuditApiClient } from './audit-api-client.ts';
import { callLine } from './call-line.ts';
import { failureGroups } from './failures.ts';
import { callId, from, nameFilters, to } from './tool-inputs.ts';
import { answer, FOREIGN_TEXT, messageOf } from './tool-result.ts';

/** Name of this server at the gateway. */
export const OWN_SERVER = 'gatelens';

const INSTRUCTIONS =
  'The audit log of the MCP gateway you are connected through. search_calls finds calls, explain_failures says what went wrong in the last session, usage_summary counts. You see what this caller may see, which is their own calls unless they are an admin or auditor. Reading is recorded.';

const READ_ONLY = { readOnlyHint: true, openWorldHint: false };
/** Failures that one explanation looks at. */
const FAILURES = 500;

export function createAuditLogServer(api: AuditApiClient, version: string): McpServer {
  const server = new McpServer({ name: OWN_SERVER, version }, { instructions: INSTRUCTIONS });
  registerSearch(server, api);
  registerCall(server, api);
  registerUsage(server, api);
  registerFailures(server, api);
  registerPayload(server, api);
  return server;
}

function registerSearch(server: McpServer, api: AuditApiClient): void {
  server.registerTool(
    'search_calls',
    {
      title: 'Search calls',
      description: `MCP calls that passed the gateway, newest first, metadata only. ${FOREIGN_TEXT}`,
      annotations: READ_ONLY,
      inputSchema: {
        from,
        to,
        ...nameFilters,
        outcome: z
          .array(z.enum([...OUTCOMES, 'open']))
          .optional()
          .describe('how it ended'),
        notOutcome: z
          .array(z.enum([...OUTCOMES, 'open']))
          .optional()
          .describe('how it did not end, e.g. ["success"]'),
        session: z.array(z.string()).optional().describe('session keys, as in a call'),
        text: z.string().max(200).optional().describe('words that must all be found in the metadata'),
        limit: z.number().int().min(1).max(200).default(20),
        cursor: z.string().optional().describe('nextCursor of the page before; all else unchanged'),
      },
    },
    ({ text, from: start = 'now-24h', ...query }) =>
      answer(async () => {
        const page = await api.get<CallPage>('/calls', { ...query, from: start, q: text });
        return { calls: page.items.map(callLine), nextCursor: page.nextCursor };
      })
  );
}

function registerCall(server: McpServer, api: AuditApiClient): void {
  server.registerTool(
    'get_call',
    {
      title: 'One call',
      description: `Every metadata column of one call. ${FOREIGN_TEXT}`,
      annotations: READ_ONLY,
      inputSchema: { id: callId },
    },
    ({ id }) => answer(() => api.get<CallDetail>(`/calls/${encodeURIComponent(id)}`))
  );
  server.registerResource(
    'call',
    new ResourceTemplate('gatelens://calls/{id}', { list: undefined }),
    { title: 'One call', description: 'Metadata of one call by its id.', mimeType: 'application/json' },
    async (uri, { id }) => {
      try {
        const call = await api.get<CallDetail>(`/calls/${encodeURIComponent(String(id))}`);
        return { contents: [{ uri: uri.href, mimeType: 'application/json', text: JSON.stringify(call) }] };
      } catch (error) {
        if (!(error instanceof AuditApiProblem)) throw error;
        const code = error.code === 'not_found' ? RESOURCE_NOT_FOUND : ErrorCode.InvalidRequest;
        throw new McpError(code, messageOf(error));
      }
    }
  );
}

/** MCP: the resource does not exist. */
const RESOURCE_NOT_FOUND = -32002;

function registerUsage(server: McpServer, api: AuditApiClient): void {
  server.registerTool(
    'usage_summary',
    {
      title: 'Usage',
      description: `Requests, error rates, latencies, estimated tokens and, where prices are configured, their cost: in all, by server, by tool, by user and server. ${FOREIGN_TEXT}`,
      annotations: READ_ONLY,
      inputSchema: { from, to, ...nameFilters, limit: z.number().int().min(1).max(100).default(10) },
    },
    (query) => answer(() => api.get<UsageSummary>('/usage/summary', query))
  );
}

function registerFailures(server: McpServer, api: AuditApiClient): void {
  server.registerTool(
    'explain_failures',
    {
      title: 'What failed, and why',
      description: `Groups what failed, was refused or was cancelled, and says what each kind means and where to look. By default in the last session with other servers than this one. ${FOREIGN_TEXT}`,
      annotations: READ_ONLY,
      inputSchema: {
        session: z
          .string()
          .default('last')
          .describe('`last` (of the range), `all` (every session of the range), or a session key'),
        from,
        to,
        server: nameFilters.server,
      },
    },
    ({ session, server: servers, from: start = 'now-24h', to: end }) =>
      answer(async () => {
        const range = { from: start, to: end };
        const others = servers === undefined ? { notServer: [OWN_SERVER] } : { server: servers };
        const last = session === 'last' ? await lastSession(api, { ...range, ...others }) : undefined;
        if (session === 'last' && last === undefined) {
          return { session: null, failures: [], note: 'There was no session in this range.' };
        }
        const key = last?.key ?? (session === 'all' ? undefined : session);
        const page = await api.get<CallPage>('/calls', {
          ...range,
          ...others,
          kind: ['request', 'server_request', 'attempt', 'stream'],
          notOutcome: ['success', 'open'],
          session: key === undefined ? undefined : [key],
          limit: FAILURES,
        });
        return {
          session: last ?? key ?? null,
          failures: failureGroups(page.items),
          ...(page.nextCursor === null ? {} : { note: `These are the newest ${FAILURES}; there are more.` }),
        };
      })
  );
}

async function lastSession(api: AuditApiClient, query: Parameters<AuditApiClient['get']>[1]) {
  const { items } = await api.get<SessionPage>('/sessions', { ...query, limit: 1 });
  const [last] = items;
  if (last === undefined) return undefined;
  const { key, startedAt, endedAt, client, servers, calls, errors, denied } = last;
  return { key, startedAt, endedAt, client, servers, calls, errors, denied };
}

function registerPayload(server: McpServer, api: AuditApiClient): void {
  server.registerTool(
    'get_call_payload',
    {
      title: 'Payload of one call',
      description: `Request, response and headers of one call, opened. Auditors only, by a token of the audit API in X-Gatelens-Audit-Token; each reading is recorded before it is answered. ${FOREIGN_TEXT}`,
      annotations: READ_ONLY,
      inputSchema: { id: callId },
    },
    ({ id }) => answer(() => api.get<CallPayload>(`/calls/${encodeURIComponent(id)}/payload`))
  );
}
