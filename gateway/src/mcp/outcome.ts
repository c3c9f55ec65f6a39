/**
 * What a JSON-RPC response means for the record: the one place where an answer becomes an outcome of the closed set.
 * Used by relays and bridges alike. It looks at codes and flags only, never at a message text.
 */
import type { Outcome } from '../record/vocabulary.ts';
import type { CallEnd, CallStart } from './observer.ts';
import type { ReceivedMessage, ScannedMessage } from './message.ts';

export interface Verdict {
  readonly outcome: Outcome;
  readonly errorType?: string;
  readonly rpcErrorCode?: number;
  readonly asks?: NonNullable<CallEnd['asks']>;
  readonly startedTaskId?: string;
}

const SUCCESS: Verdict = { outcome: 'success' };
const TOOL_ERROR: Verdict = { outcome: 'tool_error', errorType: 'tool_error' };

/** @param message a message of kind `response` */
export function verdictOf(message: ScannedMessage): Verdict {
  if (message.hasError) {
    const code = message.errorCode;
    // the column is an Int32; anything else an upstream invents is an error without a code
    if (code === undefined || (code | 0) !== code) return { outcome: 'rpc_error', errorType: 'rpc_error' };
    return { outcome: 'rpc_error', errorType: String(code), rpcErrorCode: code };
  }
  if (message.isError) return TOOL_ERROR;
  const { resultType, resultState, resultTaskId } = message;
  if (resultType === 'input_required') {
    return { outcome: 'success', asks: resultState === undefined ? {} : { state: resultState } };
  }
  return resultTaskId === undefined ? SUCCESS : { outcome: 'success', startedTaskId: resultTaskId };
}

/** The names an upstream server admits to in a list answer. */
export function listedIn(message: ScannedMessage): CallEnd['listed'] {
  if (message.tools !== undefined) return { type: 'tool', names: message.tools };
  if (message.prompts !== undefined) return { type: 'prompt', names: message.prompts };
  if (message.resources !== undefined) return { type: 'resource', names: message.resources };
  if (message.resourceTemplates !== undefined) return { type: 'resource', names: message.resourceTemplates };
  return undefined;
}

/** What the call is about: a tool, a prompt or a resource, as sent. */
export function targetOf(message: Pick<ReceivedMessage, 'method' | 'name' | 'uri' | 'ref'>): CallStart['target'] {
  switch (message.method) {
    case 'tools/call':
      return message.name === undefined ? undefined : { type: 'tool', name: message.name };
    case 'prompts/get':
      return message.name === undefined ? undefined : { type: 'prompt', name: message.name };
    case 'resources/read':
    case 'resources/subscribe':
    case 'resources/unsubscribe':
    case 'notifications/resources/updated':
      return message.uri === undefined ? undefined : { type: 'resource', name: message.uri };
    case 'completion/complete':
      if (message.ref?.name !== undefined) return { type: 'prompt', name: message.ref.name };
      return message.ref?.uri === undefined ? undefined : { type: 'resource', name: message.ref.uri };
    default:
      return undefined;
  }
}

/** The task that a message is about, `''` when it is about tasks and names none. */
export function taskOf(message: Pick<ScannedMessage, 'method' | 'taskId' | 'relatedTaskId'>): string | undefined {
  const aboutTasks = message.method?.startsWith('tasks/') === true || message.method === 'notifications/tasks/status';
  return message.relatedTaskId ?? (aboutTasks ? (message.taskId ?? '') : undefined);
}
