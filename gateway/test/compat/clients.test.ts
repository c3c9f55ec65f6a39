/**
 * Which client works with which server: real clients against reference servers, each a process of its own, through one
 * running Gatelens; and what the audit log says of each pair. Every client calls with a key of its own.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client as NewestClient, StreamableHTTPClientTransport as NewestTransport } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Call, CallDetail } from '../../src/audit-api/contract.ts';
import { AuditLog } from '../e2e/audit-log.ts';
import { GatelensProcess } from '../e2e/gatelens-process.ts';
import { bearer } from '../e2e/mcp-clients.ts';
import { People } from '../e2e/people.ts';
import { until } from '../e2e/until.ts';
import { startEverythingSse } from '../legacy/sse-server.ts';

interface Answer {
  readonly isError?: boolean | undefined;
  readonly text: string;
}

/** What every client here can do, whatever it is. */
interface AnyClient {
  tools(): Promise<readonly string[]>;
  call(name: string, args: Record<string, unknown>): Promise<Answer>;
  close(): Promise<void>;
}

type Connect = (server: string, key: string) => Promise<AnyClient>;

const program = (path: string): string => createRequire(import.meta.url).resolve(path);
const server = (name: string): string => program(`@modelcontextprotocol/server-${name}/dist/index.js`);
const people = new People();
const reader = people.addToken('reader', 'admin');
let gatelens: GatelensProcess;
let legacy: Awaited<ReturnType<typeof startEverythingSse>>;
let note: string;

/** A call that works, what it says, and one that the server answers with an error. */
const SERVERS = {
  everything: { tool: 'echo', good: () => ({ message: 'hi' }), says: 'Echo: hi', bad: { message: 7 } },
  older: { tool: 'echo', good: () => ({ message: 'hi' }), says: 'Echo: hi', bad: { message: 7 } },
  files: { tool: 'read_text_file', good: () => ({ path: note }), says: 'line one', bad: { path: '/etc/passwd' } },
  memory: { tool: 'search_nodes', good: () => ({ query: 'x' }), says: 'entities', bad: {} },
  thinking: {
    tool: 'sequentialthinking',
    good: () => ({ thought: 'hm', nextThoughtNeeded: false, thoughtNumber: 1, totalThoughts: 1 }),
    says: 'thoughtNumber',
    bad: { thought: 1 },
  },
} as const;
type ServerName = keyof typeof SERVERS;
const ALL = Object.keys(SERVERS) as ServerName[];

function textOf(content: unknown): string {
  return JSON.stringify(content);
}

async function older(transport: Transport): Promise<AnyClient> {
  const client = new Client({ name: 'matrix', version: '1' });
  await client.connect(transport);
  return {
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: async (name, args) => {
      const { content, isError } = await client.callTool({ name, arguments: args });
      return { text: textOf(content), isError: isError === true };
    },
    close: () => client.close(),
  };
}

function newest(negotiate: boolean): Connect {
  return async (name, key) => {
    const client = new NewestClient(
      { name: 'matrix', version: '2' },
      { capabilities: { elicitation: {} }, ...(negotiate ? { versionNegotiation: { mode: 'auto' } } : {}) }
    );
    client.setRequestHandler('elicitation/create', ({ params }) => ({
      action: 'accept',
      content: JSON.stringify(params).includes('color') ? { color: 'blue' } : { name: 'Ana' },
    }));
    await client.connect(new NewestTransport(gatelens.mcp(name), { requestInit: { headers: bearer(key) } }));
    return {
      tools: async () => (await client.listTools()).tools.map((tool) => tool.name),
      call: async (tool, args) => {
        const { content, isError } = await client.callTool({ name: tool, arguments: args });
        return { text: textOf(content), isError: isError === true };
      },
      close: () => client.close(),
    };
  };
}

/** A client that knows programs only, with mcp-remote as the program. */
function remote(path: (name: string) => URL, transport: string): Connect {
  return (name, key) =>
    older(
      new StdioClientTransport({
        command: process.execPath,
        args: [
          program('mcp-remote/dist/proxy.js'),
          path(name).href,
          '--transport',
          transport,
          '--header',
          'Authorization:${AUTH}',
        ],
        env: { AUTH: `Bearer ${key}`, HOME: gatelens.dir, MCP_REMOTE_CONFIG_DIR: join(gatelens.dir, 'mcp-remote') },
        stderr: 'ignore',
      })
    );
}

/** The Inspector on a command line: a process, a connection and a session for every call. */
const inspector: Connect = (name, key) => {
  const launcher = program('@modelcontextprotocol/inspector/clients/launcher/build/index.js');
  const run = async (...method: string[]): Promise<Record<string, unknown>> => {
    const target = [gatelens.mcp(name).href, '--transport', 'http', '--header', `Authorization: Bearer ${key}`];
    // its own limit is 15 s, which a busy machine does not keep
    target.push('--connect-timeout', '120000');
    const env = { PATH: process.env.PATH, HOME: gatelens.dir };
    const { stdout } = await promisify(execFile)(process.execPath, [launcher, '--cli', ...target, ...method], { env });
    return JSON.parse(stdout) as Record<string, unknown>;
  };
  return Promise.resolve({
    tools: async () => {
      const { tools } = await run('--method', 'tools/list');
      return (tools as { name: string }[]).map((tool) => tool.name);
    },
    call: async (tool, args) => {
      const pairs = Object.entries(args).map(([key, value]) => `${key}=${String(value)}`);
      const named = pairs.length === 0 ? [] : ['--tool-arg', ...pairs];
      const { content, isError } = await run('--method', 'tools/call', '--tool-name', tool, ...named);
      return { text: textOf(content), isError: isError === true };
    },
    close: () => Promise.resolve(),
  });
};

const sse = (name: string): URL => new URL(`${gatelens.mcp(name).href}/sse`);
const requestInit = (key: string) => ({ requestInit: { headers: bearer(key) } });

const CLIENTS: readonly (readonly [key: string, connect: Connect, servers: readonly ServerName[], version: string])[] =
  [
    [
      'sdk-1',
      (name, key) => older(new StreamableHTTPClientTransport(gatelens.mcp(name), requestInit(key))),
      ALL,
      '2025-11-25',
    ],
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- the transport that is tested
    ['sdk-1-sse', (name, key) => older(new SSEClientTransport(sse(name), requestInit(key))), ALL, '2025-11-25'],
    ['sdk-2', newest(false), ['everything', 'older'], '2025-11-25'],
    ['sdk-2-negotiating', newest(true), ALL, '2025-11-25'],
    ['inspector', inspector, ['everything', 'files', 'memory', 'thinking'], '2025-11-25'],
    [
      'mcp-remote',
      remote((name) => gatelens.mcp(name), 'http-only'),
      ['everything', 'files', 'memory', 'thinking'],
      '2025-11-25',
    ],
    ['mcp-remote-sse', remote(sse, 'sse-only'), ['older'], '2025-11-25'],
  ];

beforeAll(async () => {
  for (const [key] of CLIENTS) people.addKey(key, { user: `${key}@example.com` });
  people.addKey('rounds', { user: 'rounds@example.com' });
  legacy = await startEverythingSse();
  const node = process.execPath;
  gatelens = new GatelensProcess({
    config: {
      mcpServers: {},
      auth: { apiKeys: people.apiKeys },
      policy: [{ allow: true }],
      auditApi: { tokens: people.tokens },
    },
  });
  const folder = join(gatelens.dir, 'files');
  mkdirSync(folder);
  note = join(folder, 'note.txt');
  writeFileSync(note, 'line one\n');
  gatelens.configure({
    mcpServers: {
      everything: { command: node, args: [server('everything')] },
      // what it speaks is for the gateway to find out
      older: { url: legacy.url },
      files: { command: node, args: [server('filesystem'), folder] },
      memory: { command: node, args: [server('memory')], env: { MEMORY_FILE_PATH: join(gatelens.dir, 'memory.json') } },
      thinking: { command: node, args: [server('sequential-thinking')] },
      eras: {
        command: node,
        args: [fileURLToPath(new URL('../conformance/everything-server-stdio.ts', import.meta.url))],
      },
    },
    auth: { apiKeys: people.apiKeys },
    policy: [{ allow: true }],
    auditApi: { tokens: people.tokens },
  });
  await gatelens.start();
}, 120_000);

afterAll(async () => {
  await gatelens.dispose();
  await legacy.kill();
});

async function recorded(key: string, expected: (calls: readonly Call[]) => boolean): Promise<readonly Call[]> {
  const log = new AuditLog(gatelens.urls.auditApi, reader);
  let calls: Call[] = [];
  await until(
    async () => {
      calls = await log.calls({ key, kind: 'request' });
      return expected(calls);
    },
    () => `the calls of ${key}; there are ${calls.map((call) => `${call.server} ${call.operation}`).join(', ')}`
  );
  return calls;
}

describe.each(CLIENTS)('%s', (key, connect, servers, version) => {
  it.each(servers)(
    'lists, calls and hears of errors: %s',
    async (name) => {
      const { tool, good, says, bad } = SERVERS[name];
      const client = await connect(name, people.of(key));
      try {
        expect(await client.tools()).toContain(tool);
        expect((await client.call(tool, good())).text).toContain(says);
        const failed = await client.call(tool, bad).catch(() => undefined);
        if (failed !== undefined) expect(failed.isError).toBe(true);
      } finally {
        await client.close();
      }
    },
    240_000
  );

  it('is in the audit log with every call, once', async () => {
    const calls = await recorded(key, (found) => {
      return found.filter(({ operation }) => operation === 'tools/call').length === 2 * servers.length;
    });
    for (const name of servers) {
      const own = calls.filter((call) => call.server === name);
      const [bad, good] = own.filter(({ operation }) => operation === 'tools/call');
      expect(good).toMatchObject({ tool: SERVERS[name].tool, outcome: 'success', protocolVersion: version });
      expect(['tool_error', 'rpc_error']).toContain(bad?.outcome);
      expect(own.find(({ operation }) => operation === 'tools/list')?.outcome).toBe('success');
      for (const { upstreamTransport } of own.filter((call) => call.kind === 'request')) {
        expect(upstreamTransport).toBe(name === 'older' ? 'sse' : 'stdio');
      }
      expect(good?.client.name).not.toBeNull();
    }
  });
});

describe('a call in rounds (2026-07-28)', () => {
  it('is one row with the outcome of the last round, and its details list all of them', async () => {
    const client = await newest(true)('eras', people.of('rounds'));
    const tool = 'test_input_required_result_multi_round';
    const answer = await client.call(tool, {});
    await client.close();
    expect(answer.text).toContain('Both rounds are done.');
    const calls = await recorded('rounds', (found) =>
      found.some((call) => call.tool === tool && call.outcome === 'success')
    );
    const rows = calls.filter((call) => call.tool === tool);
    expect(rows).toMatchObject([{ phase: 'closed', outcome: 'success', protocolVersion: '2026-07-28' }]);
    const log = new AuditLog(gatelens.urls.auditApi, reader);
    const { rounds } = await log.json<CallDetail>(`/api/v1/calls/${rows[0]?.id ?? ''}`);
    expect(rounds.map(({ phase, outcome }) => [phase, outcome])).toEqual([
      ['open', null],
      ['open', null],
      ['closed', 'success'],
    ]);
    expect(rounds.at(-1)?.id).toBe(rows[0]?.id);
    const first = await log.json<CallDetail>(`/api/v1/calls/${rounds[0]?.id ?? ''}`);
    expect(first.rounds.map(({ id }) => id)).toEqual(rounds.map(({ id }) => id));
  }, 60_000);
});
