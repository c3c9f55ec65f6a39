/** Clients of the gateway: the MCP SDK's, and one that sends any bytes and shows what came back. */
import { request } from 'node:http';
import type { Agent, IncomingHttpHeaders } from 'node:http';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';

export interface ConnectedClient {
  readonly client: Client;
  /** Ends the session at the server, too. */
  readonly close: () => Promise<void>;
}

/** The SDK's client as users have it. @param elicited what its person answers when a server asks */
export async function connectClient(
  url: URL,
  options: {
    readonly headers?: Readonly<Record<string, string>>;
    readonly name?: string;
    readonly elicited?: Record<string, string>;
  }
): Promise<ConnectedClient> {
  const client = new Client({ name: options.name ?? 'e2e', version: '1.0' }, { capabilities: { elicitation: {} } });
  client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept' as const, content: options.elicited ?? {} }));
  const transport = new StreamableHTTPClientTransport(url, { requestInit: { headers: { ...options.headers } } });
  await client.connect(transport);
  return {
    client,
    close: async () => {
      await transport.terminateSession();
      await client.close();
    },
  };
}

export const bearer = (secret: string): Record<string, string> => ({ Authorization: `Bearer ${secret}` });

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const JSON_HEADERS = { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' };

/** One HTTP request, headers exactly as given (`Host`, too). Rejects when the answer does not come to its end. */
export function send(
  url: URL,
  options: {
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string | Buffer;
    readonly agent?: Agent;
    readonly signal?: AbortSignal;
  }
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const req = request(url, {
      method: options.method ?? 'POST',
      headers: { ...JSON_HEADERS, ...options.headers },
      ...(options.agent === undefined ? {} : { agent: options.agent }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    req.on('error', reject);
    req.on('response', (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('error', reject);
      res.on('end', () =>
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks).toString() })
      );
      res.on('close', () => reject(new Error('the answer broke off')));
    });
    req.end(options.body);
  });
}

/** A JSON-RPC request as text. @param id JSON text */
export function rpc(id: string | number, method: string, params: object = {}): string {
  return `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(method)},"params":${JSON.stringify(params)}}`;
}

export function toolCall(id: string | number, name: string, args: object = {}): string {
  return rpc(id, 'tools/call', { name, arguments: args });
}
