/** The tasks extension (io.modelcontextprotocol/tasks, SEP-2663) of the everything-server: its tools and its methods. */
import { randomUUID } from 'node:crypto';
import {
  acceptedContent,
  fromJsonSchema,
  inputRequired,
  MissingRequiredClientCapabilityError,
  ProtocolError,
} from '@modelcontextprotocol/server';
import type { CallToolResult, InputRequest, McpServer, ServerContext } from '@modelcontextprotocol/server';
import { envelopeOf } from './everything-server-envelope.ts';
import { askName } from './everything-server-input-required.ts';
import { answering, NO_ARGUMENTS, text } from './everything-server-tools.ts';
import type { EverythingTool } from './everything-server.ts';

export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks';
const TTL_MS = 60_000;
const POLL_MS = 100;
const JOB_MS = 200;

type TaskStatus = 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled';

interface Task {
  readonly taskId: string;
  status: TaskStatus;
  readonly createdAt: string;
  lastUpdatedAt: string;
  readonly ttlMs: number;
  readonly pollIntervalMs: number;
  result?: CallToolResult;
  error?: { readonly code: number; readonly message: string };
  inputRequests?: Record<string, InputRequest>;
}

export class TaskStore {
  readonly #tasks = new Map<string, Task>();

  create(inputRequests?: Record<string, InputRequest>): Task {
    const now = new Date().toISOString();
    const task: Task = {
      taskId: randomUUID(),
      status: inputRequests === undefined ? 'working' : 'input_required',
      createdAt: now,
      lastUpdatedAt: now,
      ttlMs: TTL_MS,
      pollIntervalMs: POLL_MS,
      ...(inputRequests === undefined ? {} : { inputRequests }),
    };
    this.#tasks.set(task.taskId, task);
    setTimeout(() => this.#tasks.delete(task.taskId), TTL_MS).unref();
    return task;
  }

  get(taskId: string): Task {
    const task = this.#tasks.get(taskId);
    if (task === undefined) throw new ProtocolError(-32602, 'Unknown task');
    return task;
  }

  /** Ends the task, unless it was cancelled or has ended. */
  end(task: Task, end: Pick<Task, 'status' | 'result' | 'error'>): void {
    if (task.status !== 'working' && task.status !== 'input_required') return;
    Object.assign(task, end, { lastUpdatedAt: new Date().toISOString() });
    delete task.inputRequests;
  }

  endAfter(task: Task, delayMs: number, end: Pick<Task, 'status' | 'result' | 'error'>): void {
    setTimeout(() => this.end(task, end), delayMs).unref();
  }
}

export function taskTools(tasks: TaskStore): readonly EverythingTool[] {
  const working = (delayMs: number, end: Pick<Task, 'status' | 'result' | 'error'>): CallToolResult => {
    const task = tasks.create();
    tasks.endAfter(task, delayMs, end);
    return created(task);
  };
  return [
    {
      name: 'greet',
      description: 'Answers at once',
      inputSchema: NO_ARGUMENTS,
      run: ({ name }) => text(`Hello, ${String(name)}!`),
    },
    {
      name: 'slow_compute',
      description: 'Works for some seconds, as a task where the client knows tasks',
      inputSchema: fromJsonSchema({ type: 'object', properties: { seconds: { type: 'number' } } }),
      run: ({ seconds }, ctx) => {
        const result = text(`Computed for ${String(seconds)} s.`);
        return knowsTasks(ctx) ? working(Number(seconds) * 1000, { status: 'completed', result }) : result;
      },
    },
    answering('failing_job', 'A task that ends with a tool error', (ctx) => {
      needTasks(ctx);
      return working(JOB_MS, { status: 'completed', result: { ...text('The job failed.'), isError: true } });
    }),
    answering('protocol_error_job', 'A task that fails', (ctx) => {
      needTasks(ctx);
      return working(JOB_MS, { status: 'failed', error: { code: -32603, message: 'The job broke.' } });
    }),
    answering('confirm_delete', 'A task that asks one thing', (ctx) => {
      needTasks(ctx);
      return created(tasks.create({ confirm: askName('Really delete it? Say who you are.') }));
    }),
    answering('multi_input', 'A task that asks two things', (ctx) => {
      needTasks(ctx);
      return created(tasks.create({ first: askName('First name?'), last: askName('Last name?') }));
    }),
    answering('test_tool_with_task', 'Asks first, then works as a task', (ctx) => {
      needTasks(ctx);
      const answer = acceptedContent<{ name: unknown }>(ctx.mcpReq.inputResponses, 'user_name');
      if (answer === undefined) return inputRequired({ inputRequests: { user_name: askName('What is your name?') } });
      return working(JOB_MS, { status: 'completed', result: text(`Worked for ${String(answer.name)}.`) });
    }),
  ];
}

export function registerTaskMethods(mcp: McpServer, tasks: TaskStore): void {
  const params = fromJsonSchema<{ taskId: string }>({
    type: 'object',
    properties: { taskId: { type: 'string' } },
    required: ['taskId'],
  });
  mcp.server.setRequestHandler('tasks/get', { params }, ({ taskId }, ctx) => {
    needTasks(ctx);
    return { ...tasks.get(taskId) };
  });
  mcp.server.setRequestHandler('tasks/cancel', { params }, ({ taskId }, ctx) => {
    needTasks(ctx);
    tasks.end(tasks.get(taskId), { status: 'cancelled' });
    return {};
  });
  mcp.server.setRequestHandler('tasks/update', { params }, ({ taskId }, ctx) => {
    needTasks(ctx);
    const task = tasks.get(taskId);
    for (const key of Object.keys(ctx.mcpReq.inputResponses ?? {})) delete task.inputRequests?.[key];
    if (task.inputRequests !== undefined && Object.keys(task.inputRequests).length === 0) {
      tasks.end(task, { status: 'completed', result: text('Thank you.') });
    }
    return {};
  });
}

/** A task says where it is, not what came out of it. */
function created({ taskId, status, createdAt, lastUpdatedAt, ttlMs, pollIntervalMs }: Task): CallToolResult {
  return { content: [], resultType: 'task', taskId, status, createdAt, lastUpdatedAt, ttlMs, pollIntervalMs };
}

function knowsTasks(ctx: ServerContext): boolean {
  return envelopeOf(ctx)?.extensions[TASKS_EXTENSION] !== undefined;
}

function needTasks(ctx: ServerContext): void {
  if (knowsTasks(ctx)) return;
  throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { extensions: { [TASKS_EXTENSION]: {} } } });
}
