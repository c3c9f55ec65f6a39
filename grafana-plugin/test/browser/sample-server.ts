/**
 * An MCP server for the tests of the pages, over HTTP in this process: tools whose answers are what a viewer of payloads
 * must bear. Made with the MCP SDK, so that its messages are real ones.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';

export interface SampleServer {
  readonly url: string;
  close(): Promise<void>;
}

interface Called {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: { readonly name?: string };
}

/** A red dot, 1 × 1. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';

export const HOSTILE = {
  script: '<img src=x onerror="window.stolen=1"><script>window.stolen=1</script>',
  link: '[click](javascript:window.stolen=1) <a href="javascript:window.stolen=1">x</a>',
  ansi: '\u001b[31mred\u001b[0m \u001b]0;title\u0007',
  bidi: 'invoice\u202Efdp.exe',
  hidden: 'no\u200Bthing\u{E0041}',
} as const;

export const DEEP_LEVELS = 10_000;

/** Results as bytes, by tool: deeper than a serializer goes, and no UTF-8. */
const RAW_RESULTS: Readonly<Record<string, Buffer>> = {
  deep: Buffer.from(
    `{"content":[],"structuredContent":{"deep":${'['.repeat(DEEP_LEVELS)}"at the bottom"${']'.repeat(DEEP_LEVELS)}}}`
  ),
  'no-utf8': Buffer.from('{"content":[{"type":"text","text":"before \xff\xfe after"}]}', 'latin1'),
};

const text = (...texts: readonly string[]): CallToolResult => ({
  content: texts.map((one) => ({ type: 'text', text: one })),
});

function makeServer(): McpServer {
  const server = new McpServer({ name: 'sample', version: '1.0' });
  server.registerTool('echo', { inputSchema: { text: z.string() } }, ({ text: said }) => text(said));
  server.registerTool('fail', { inputSchema: { text: z.string() } }, ({ text: said }) => ({
    ...text(`failed: ${said}`),
    isError: true,
  }));
  server.registerTool('hostile', {}, () => ({
    content: [
      ...Object.values(HOSTILE).map((one) => ({ type: 'text' as const, text: one })),
      {
        type: 'image',
        mimeType: 'image/svg+xml',
        data: Buffer.from('<svg onload="window.stolen=1"/>').toString('base64'),
      },
      {
        type: 'resource',
        resource: { uri: 'javascript:window.stolen=1', mimeType: 'text/html', text: HOSTILE.script },
      },
      { type: 'resource_link', name: HOSTILE.script, uri: 'javascript:window.stolen=1' },
    ],
  }));
  server.registerTool('picture', {}, () => ({ content: [{ type: 'image', mimeType: 'image/png', data: PNG }] }));
  server.registerTool('big', { inputSchema: { rows: z.number() } }, ({ rows }) => ({
    ...text('see structuredContent'),
    structuredContent: {
      rows: Array.from({ length: rows }, (_unused, id) => ({
        id,
        name: `row number ${id}`,
        tags: ['a', 'b'],
        ok: true,
      })),
    },
  }));
  // answered below, since no SDK sends such bytes
  for (const name of Object.keys(RAW_RESULTS)) server.registerTool(name, {}, () => text(name));
  return server;
}

/** Stateless: a server for each request. */
export async function startSampleServer(): Promise<SampleServer> {
  const http = createServer((req, res) => void serve(req, res).catch(() => res.destroy()));
  const serve = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const message = req.method === 'POST' ? ((await json(req)) as Called) : undefined;
    const raw = message?.method === 'tools/call' ? RAW_RESULTS[message.params?.name ?? ''] : undefined;
    if (raw !== undefined) {
      const parts = [
        Buffer.from(`{"jsonrpc":"2.0","id":${JSON.stringify(message?.id)},"result":`),
        raw,
        Buffer.from('}'),
      ];
      res.writeHead(200, { 'content-type': 'application/json' }).end(Buffer.concat(parts));
      return;
    }
    const server = makeServer();
    const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true });
    res.on('close', () => {
      void transport.close();
      void server.close();
    });
    // the SDK's own types are not written for exactOptionalPropertyTypes
    await server.connect(transport);
    await transport.handleRequest(req, res, message);
  };
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    close: () =>
      new Promise((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
}
