/**
 * One session of one person at one MCP server: the reference client of the MCP SDK over TCP, through the gateway, with
 * the person's API key. It answers what servers ask: sampling, elicitation, roots.
 */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { Person } from './people.ts';

export interface Visit {
  readonly client: Client;
  /** Ends the session at the server, then the connection. */
  close(): Promise<void>;
  /** Drops the connection in the middle of whatever runs. */
  hangUp(): Promise<void>;
}

export interface VisitOptions {
  readonly person: Person;
  readonly apiKey: string;
  /** of the gateway, `…/mcp/<server>` */
  readonly url: URL;
  /** called once for each JSON-RPC request that is sent */
  readonly onRequest: () => void;
}

/** @throws when the gateway or the server refuses */
export async function startVisit(options: VisitOptions): Promise<Visit> {
  const { person, apiKey, url, onRequest } = options;
  const client = new Client(person.client, {
    capabilities: { sampling: {}, elicitation: {}, roots: { listChanged: true } },
  });
  client.setRequestHandler(CreateMessageRequestSchema, () => ({
    role: 'assistant' as const,
    model: 'demo-model',
    stopReason: 'endTurn',
    content: { type: 'text' as const, text: 'The capital of France is Paris.' },
  }));
  client.setRequestHandler(ElicitRequestSchema, () => ({
    action: 'accept' as const,
    content: { name: 'Demo Person', check: true, integer: 42 },
  }));
  client.setRequestHandler(ListRootsRequestSchema, () => ({
    roots: [{ uri: 'file:///home/demo/project', name: 'project' }],
  }));
  const transport = new StreamableHTTPClientTransport(url, {
    requestInit: { headers: { Authorization: `Bearer ${apiKey}` } },
    fetch: (target, init) => {
      if (isRequest(init?.body)) onRequest();
      return fetch(target, init);
    },
  });
  // With exactOptionalPropertyTypes the SDK's own transport does not fit its interface.
  await client.connect(transport);
  return {
    client,
    close: async () => {
      // The server may be gone, and the session with it.
      await transport.terminateSession().catch(() => undefined);
      await client.close();
    },
    hangUp: () => client.close(),
  };
}

function isRequest(body: unknown): boolean {
  if (typeof body !== 'string') return false;
  const message: unknown = JSON.parse(body);
  return typeof message === 'object' && message !== null && 'method' in message && 'id' in message;
}
