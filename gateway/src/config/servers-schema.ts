/**
 * `mcpServers`: the object MCP clients use, with limits of our own beside it. An entry is a program to start (stdio) or
 * a URL (Streamable HTTP, or the older HTTP+SSE); `type` may be left out and follows from `command` or `url`. `http` is a
 * guess that the first client corrects where the server is of the older transport (mcp/bridge/url-upstream.ts).
 */
import * as z from 'zod';
import { NAME_PATTERN } from '../access/names.ts';
import { duration, httpUrl, text } from './values.ts';

const limits = {
  requestTimeout: duration({
    description: 'How long this server may stay silent during a request; in place of `limits.requestTimeout`.',
  }).exactOptional(),
};

const stdioServer = z.strictObject({
  type: z
    .literal('stdio')
    .default('stdio')
    .meta({ description: 'A program that speaks MCP on its standard input and output.' }),
  command: text({ description: 'Program to start.', example: 'npx' }),
  args: z.array(z.string()).default([]).meta({
    description: 'Its arguments. Never printed, since they often carry keys.',
    example: "[-y, '@modelcontextprotocol/server-everything']",
    secret: true,
  }),
  env: z.record(z.string(), z.string()).default({}).meta({
    description: 'Environment variables it gets besides the usual few (PATH, HOME, LANG, …). It sees no others.',
    example: "{ API_KEY: '${DOCS_KEY}' }",
    secret: true,
  }),
  cwd: text({ description: 'Directory it runs in, relative to the configuration file.' }).exactOptional(),
  ...limits,
  startTimeout: duration({
    description: 'How long it may take to start and to answer `initialize`; in place of `limits.startTimeout`.',
  }).exactOptional(),
  maxSessions: z.int().min(1).exactOptional().meta({
    description: 'Children of this server that may run at once; in place of `limits.maxSessions`.',
  }),
});

const headers = z.record(z.string(), z.string()).default({}).meta({
  description: 'Headers sent with each request, e.g. its credentials. Never printed.',
  example: "{ Authorization: 'Bearer ${DOCS_TOKEN}' }",
  secret: true,
});
const connectTimeout = duration({
  description: 'How long connecting may take; in place of `limits.connectTimeout`.',
}).exactOptional();

const httpServer = z.strictObject({
  type: z.literal('http').default('http').meta({
    description:
      'A server that speaks MCP over Streamable HTTP. If it turns out to speak the older HTTP+SSE transport, it is served as one of `type: sse`.',
  }),
  url: httpUrl({ description: 'Its MCP endpoint.', example: 'https://mcp.example.com/mcp' }),
  headers,
  ...limits,
  connectTimeout,
});

const sseServer = z.strictObject({
  type: z
    .literal('sse')
    .meta({ description: 'A server that speaks MCP over the older HTTP+SSE transport (revision 2024-11-05).' }),
  url: httpUrl({ description: 'Where its event stream is.', example: 'https://mcp.example.com/sse' }),
  headers,
  ...limits,
  connectTimeout,
  startTimeout: duration({
    description:
      'How long it may take to open the event stream and to answer `initialize`; in place of `limits.startTimeout`.',
  }).exactOptional(),
  maxSessions: z.int().min(1).exactOptional().meta({
    description: 'Connections to this server that may be open at once; in place of `limits.maxSessions`.',
  }),
});

export const mcpServersSchema = z
  .record(
    z.string().regex(NAME_PATTERN, 'is no name for a server; letters, digits, `.`, `_` and `-`, at most 64'),
    z.discriminatedUnion('type', [stdioServer, httpServer, sseServer])
  )
  .meta({
    description:
      'The upstream servers by name, exactly as MCP clients write them: `{ command, args, env, cwd }` or `{ url, headers, type }`. ' +
      'Each is served at `/mcp/<name>`; those of the older transport and programs also at `/mcp/<name>/sse`, for clients that know only the older transport. The name `gatelens` is taken.',
  });

export type StdioServerConfig = z.output<typeof stdioServer>;
export type HttpServerConfig = z.output<typeof httpServer>;
export type SseServerConfig = z.output<typeof sseServer>;
export type McpServerConfig = StdioServerConfig | HttpServerConfig | SseServerConfig;
