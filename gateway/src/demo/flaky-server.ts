/**
 * A stdio MCP server that misbehaves on demand, so that trouble can be looked at in the audit log: it waits longer than
 * the gateway does, answers with tool errors, and dies in the middle of a call. A program of its own; part of the sample
 * set-up only.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { FLAKY_SERVER_NAME } from './sample-programs.ts';

const text = (value: string, isError = false): CallToolResult => ({
  content: [{ type: 'text', text: value }],
  isError,
});

const server = new McpServer({ name: FLAKY_SERVER_NAME, version: '1.0.0' });

server.registerTool(
  'wait',
  {
    description: 'Answers after some seconds. The sample set-up gives this server two seconds, so more is a timeout.',
    inputSchema: { seconds: z.number().min(0).max(600) },
  },
  async ({ seconds }, { signal }) => {
    await pause(seconds * 1000, undefined, { signal });
    return text(`Waited ${seconds} s.`);
  }
);

server.registerTool(
  'fail',
  { description: 'Answers with an error of the tool.', inputSchema: { reason: z.string().optional() } },
  ({ reason }) => text(reason ?? 'It did not work.', true)
);

server.registerTool('crash', { description: 'Ends the server in the middle of the call.' }, () => process.exit(1));

await server.connect(new StdioServerTransport());
