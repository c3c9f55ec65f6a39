/**
 * A server with everything that the official conformance suite asks a server for, in both protocol eras: the same factory
 * stands behind the HTTP form (everything-server-http.ts) and the stdio form (everything-server-stdio.ts), so that what
 * differs between two runs of the suite is the transport, or the gateway between. Written for the suite's own behaviour.
 */
import { randomBytes } from 'node:crypto';
import { createRequestStateCodec, McpServer, ProtocolError } from '@modelcontextprotocol/server';
import type {
  CallToolResult,
  InputRequiredResult,
  McpRequestContext,
  RequestStateCodec,
  ServerContext,
  StandardSchemaWithJSON,
} from '@modelcontextprotocol/server';
import { registerPrompts, registerResources } from './everything-server-content.ts';
import { inputRequiredTools } from './everything-server-input-required.ts';
import { askingTools } from './everything-server-questions.ts';
import { registerTaskMethods, taskTools, TASKS_EXTENSION, TaskStore } from './everything-server-tasks.ts';
import { plainTools } from './everything-server-tools.ts';

export type ToolAnswer = CallToolResult | InputRequiredResult;

export interface EverythingTool {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: StandardSchemaWithJSON;
  /** An Error becomes an `isError` result, a ProtocolError a JSON-RPC error. */
  run(args: Record<string, unknown>, ctx: ServerContext): ToolAnswer | Promise<ToolAnswer>;
}

/** What outlives one instance: over HTTP in the 2026 era there is one for each request. */
export interface EverythingState {
  readonly tasks: TaskStore;
  readonly states: RequestStateCodec<{ readonly step: number }>;
  /** how list changes reach clients; omitted: the instance's own notifications */
  readonly changes?: ListChanges;
}

export interface ListChanges {
  toolsChanged(): void;
  promptsChanged(): void;
}

export function createEverythingState(changes?: ListChanges): EverythingState {
  return {
    tasks: new TaskStore(),
    states: createRequestStateCodec({ key: randomBytes(32) }),
    ...(changes === undefined ? {} : { changes }),
  };
}

export function createEverythingServer(state: EverythingState, era: McpRequestContext['era']): McpServer {
  const mcp = new McpServer(
    { name: 'everything-for-conformance', version: '1.0.0' },
    {
      capabilities: {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { listChanged: true, subscribe: true },
        logging: {},
        completions: {},
        ...(era === 'modern' ? { extensions: { [TASKS_EXTENSION]: {} } } : {}),
      },
      requestState: { verify: (sealed, ctx) => state.states.verify(sealed, ctx) },
    }
  );
  const changes = state.changes ?? {
    toolsChanged: () => mcp.sendToolListChanged(),
    promptsChanged: () => mcp.sendPromptListChanged(),
  };
  registerPrompts(mcp);
  registerResources(mcp);
  registerTools(mcp, [
    ...plainTools(changes),
    ...askingTools(),
    ...inputRequiredTools(state.states),
    ...(era === 'modern' ? taskTools(state.tasks) : []),
  ]);
  if (era === 'legacy') {
    for (const method of ['resources/subscribe', 'resources/unsubscribe'] as const) {
      mcp.server.setRequestHandler(method, () => ({}));
    }
  } else {
    registerTaskMethods(mcp, state.tasks);
  }
  return mcp;
}

/** Calls go past the SDK's own dispatch, which would turn protocol errors of a tool into results. */
function registerTools(mcp: McpServer, tools: readonly EverythingTool[]): void {
  for (const { name, description, inputSchema } of tools) {
    mcp.registerTool(name, { description, inputSchema }, () => ({ content: [] }));
  }
  mcp.server.setRequestHandler('tools/call', async ({ params }, ctx): Promise<ToolAnswer> => {
    const tool = tools.find((one) => one.name === params.name);
    if (tool === undefined) throw new ProtocolError(-32602, `Unknown tool: ${params.name}`);
    const checked = await tool.inputSchema['~standard'].validate(params.arguments ?? {});
    if (checked.issues !== undefined) throw new ProtocolError(-32602, `Invalid arguments for ${params.name}`);
    try {
      return await tool.run(params.arguments ?? {}, ctx);
    } catch (error) {
      if (error instanceof ProtocolError || !(error instanceof Error)) throw error;
      return { isError: true, content: [{ type: 'text', text: error.message }] };
    }
  });
}
