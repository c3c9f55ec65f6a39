/**
 * Everything of the protocol that server-everything has, by one client in three ways: directly, through a running
 * Gatelens to its URL, and through it to the same server as a program. The client must not see a difference, and the
 * audit log must have each part, whichever way it came.
 */
import { createRequire } from 'node:module';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CallToolResultSchema,
  CreateMessageRequestSchema,
  CreateTaskResultSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AuditLog } from '../e2e/audit-log.ts';
import { GatelensProcess } from '../e2e/gatelens-process.ts';
import { bearer } from '../e2e/mcp-clients.ts';
import { People } from '../e2e/people.ts';
import { until } from '../e2e/until.ts';
import { freePort } from '../legacy/sse-server.ts';

const EVERYTHING = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-everything/dist/index.js');
const people = new People();
people.addKey('ana', { user: 'ana@example.com' });
const reader = people.addToken('reader', 'admin');
let gatelens: GatelensProcess;
let everything: ChildProcess;
let direct: URL;

beforeAll(async () => {
  const port = await freePort();
  everything = spawn(process.execPath, [EVERYTHING, 'streamableHttp'], {
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  everything.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await until(
    () => said.includes('listening'),
    () => said
  );
  direct = new URL(`http://127.0.0.1:${port}/mcp`);
  gatelens = await new GatelensProcess({
    config: {
      mcpServers: { http: { url: direct.href }, stdio: { command: process.execPath, args: [EVERYTHING] } },
      auth: { apiKeys: people.apiKeys },
      policy: [{ allow: true }],
      auditApi: { tokens: people.tokens },
    },
  }).start();
});

afterAll(async () => {
  await gatelens.dispose();
  const ended = once(everything, 'exit');
  everything.kill('SIGKILL');
  await ended;
});

/** What differs from one session to the next. */
function withoutIds(value: unknown): unknown {
  const text = JSON.stringify(value)
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}/g, '(id)')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '(time)')
    // a server behind stdio knows no session
    .replaceAll(/ for session (\(id\)|undefined)/g, '');
  return JSON.parse(text);
}

/** All that the client saw, part by part. */
async function useEverything(url: URL): Promise<Record<string, unknown>> {
  const asked: unknown[] = [];
  const heard = new Set<string>();
  const client = new Client(
    { name: 'features', version: '1' },
    {
      capabilities: { sampling: {}, elicitation: { form: {}, url: {} }, roots: { listChanged: true } },
    }
  );
  client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [{ uri: 'file:///work', name: 'work' }] }));
  client.setRequestHandler(CreateMessageRequestSchema, ({ params }) => {
    asked.push(['sampling', params.messages]);
    return { model: 'm', role: 'assistant', content: { type: 'text', text: 'sampled' } };
  });
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
    asked.push([params.mode, params.message, 'url' in params ? [params.url, params.elicitationId] : undefined]);
    return { action: 'accept', ...('url' in params ? {} : { content: { name: 'Ana', interpretation: 'snake' } }) };
  });
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void heard.add(params.uri));
  client.setNotificationHandler(LoggingMessageNotificationSchema, () => void heard.add('log'));
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers: bearer(people.of('ana')) } }));
  const tool = (name: string, args: Record<string, unknown> = {}) => client.callTool({ name, arguments: args });
  const seen: Record<string, unknown> = {};
  try {
    seen.server = [client.getServerVersion(), client.getServerCapabilities(), client.getInstructions()];
    seen.tools = (await client.listTools()).tools;
    seen.prompts = (await client.listPrompts()).prompts;
    seen.prompt = await client.getPrompt({ name: 'args-prompt', arguments: { city: 'Oslo' } });
    const ref = { type: 'ref/prompt', name: 'completable-prompt' } as const;
    seen.completion = await client.complete({ ref, argument: { name: 'department', value: 'E' } });
    const [resource] = (await client.listResources()).resources;
    const { uri = '' } = resource ?? {};
    seen.resource = await client.readResource({ uri });
    seen.templates = (await client.listResourceTemplates()).resourceTemplates;

    await client.sendRootsListChanged();
    seen.roots = await tool('get-roots-list');
    seen.sampling = await tool('trigger-sampling-request', { prompt: 'p', maxTokens: 5 });
    seen.form = await tool('trigger-elicitation-request');
    const link = { url: 'https://example.com/consent', elicitationId: 'e1' };
    seen.url = await tool('trigger-url-elicitation', link);
    seen.urlRequired = await tool('trigger-url-elicitation', { ...link, errorPath: true }).catch((error: unknown) => [
      (error as { code?: number }).code,
      (error as { elicitations?: unknown }).elicitations,
    ]);

    await client.setLoggingLevel('debug');
    await tool('toggle-simulated-logging');
    await client.subscribeResource({ uri });
    await tool('toggle-subscriber-updates');
    await until(() => heard.has('log') && heard.has(uri), 'a log message and an update');
    await tool('toggle-subscriber-updates');
    await tool('toggle-simulated-logging');
    await client.unsubscribeResource({ uri });

    const steps: unknown[] = [];
    const long = { name: 'trigger-long-running-operation', arguments: { duration: 0.2, steps: 2 } };
    seen.long = await client.callTool(long, CallToolResultSchema, {
      onprogress: ({ progress, total }) => steps.push([progress, total]),
    });
    seen.progress = steps;
    Object.assign(seen, await useTasks(client));
    seen.asked = asked;
    return withoutIds(seen) as Record<string, unknown>;
  } finally {
    await client.close();
  }
}

/** Tasks of 2025-11-25: one that asks and is waited for, one that is cancelled. */
async function useTasks(client: Client): Promise<Record<string, unknown>> {
  const { tasks } = client.experimental;
  const research = (ambiguous: boolean) => ({
    name: 'simulate-research-query',
    arguments: { topic: 'python', ambiguous },
  });
  const parts: string[] = [];
  let result: unknown;
  const options = { task: { ttl: 60_000 } };
  for await (const message of tasks.callToolStream(research(true), CallToolResultSchema, options)) {
    parts.push(message.type);
    if (message.type === 'result') ({ result } = message);
    if (message.type === 'error') throw message.error;
  }
  const created = await client.request(
    { method: 'tools/call', params: { ...research(false), task: { ttl: 60_000 } } },
    CreateTaskResultSchema
  );
  const { taskId } = created.task;
  const cancelled = await tasks.cancelTask(taskId);
  const listed = await tasks.listTasks();
  return {
    taskParts: [...new Set(parts)],
    taskResult: result,
    cancelled: [cancelled.status, (await tasks.getTask(taskId)).status],
    listed: listed.tasks.some((task) => task.taskId === taskId),
  };
}

it('is the same through the gateway, and in the audit log', async () => {
  const [plain, http, stdio] = await Promise.all([
    useEverything(direct),
    useEverything(gatelens.mcp('http')),
    useEverything(gatelens.mcp('stdio')),
  ]);
  expect(plain).toMatchObject({
    urlRequired: [-32042, [{ mode: 'url', url: expect.stringContaining('https://') as string }]],
    taskParts: ['taskCreated', 'taskStatus', 'result'],
    cancelled: ['cancelled', 'cancelled'],
    listed: true,
  });
  expect(http).toEqual(plain);
  expect(stdio).toEqual(plain);

  await gatelens.settled();
  const log = new AuditLog(gatelens.urls.auditApi, reader);
  for (const server of ['http', 'stdio']) {
    const calls = await log.calls({ server });
    const of = (kind: string) => {
      const lines = calls
        .filter((call) => call.kind === kind)
        .map(({ operation, tool, outcome }) => [operation, ...(tool === null ? [] : [tool]), outcome].join(' '));
      return [...new Set(lines)].toSorted();
    };
    expect(of('request'), server).toEqual(
      [
        ...['initialize', 'tools/list', 'prompts/list', 'prompts/get', 'completion/complete', 'logging/setLevel'],
        ...['resources/list', 'resources/read', 'resources/templates/list'],
        ...['resources/subscribe', 'resources/unsubscribe'],
        ...['tasks/get', 'tasks/result', 'tasks/list', 'tasks/cancel'],
        ...['get-roots-list', 'trigger-sampling-request', 'trigger-elicitation-request', 'trigger-url-elicitation'].map(
          (name) => `tools/call ${name}`
        ),
        ...['toggle-simulated-logging', 'toggle-subscriber-updates', 'trigger-long-running-operation'].map(
          (name) => `tools/call ${name}`
        ),
        'tools/call simulate-research-query',
      ]
        .map((line) => `${line} success`)
        .concat('tools/call trigger-url-elicitation rpc_error')
        .toSorted()
    );
    expect(of('server_request'), server).toEqual([
      'elicitation/create success',
      'roots/list success',
      'sampling/createMessage success',
    ]);
    expect(of('notification'), server).toEqual(
      expect.arrayContaining([
        'notifications/initialized success',
        'notifications/message success',
        'notifications/progress success',
        'notifications/resources/updated success',
        'notifications/roots/list_changed success',
      ])
    );
    // what the server asked belongs to the call that made it ask
    const byId = new Map(calls.map((call) => [call.id, call]));
    const parents = calls
      .filter(({ operation }) => operation === 'sampling/createMessage')
      .map(({ parentId }) => byId.get(parentId ?? '')?.tool);
    expect(parents, server).toEqual(['trigger-sampling-request']);
    const sessions = new Set(calls.filter(({ kind }) => kind === 'request').map(({ session }) => session.key));
    expect(sessions.size, server).toBe(1);
  }
}, 120_000);
