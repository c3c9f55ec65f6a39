/**
 * How much of a message may be kept: what the capture policy says of it, and no more than of the tool call under which it
 * runs. Progress, questions, late answers and tasks of a tool that is not to be kept hold the same things as its result.
 * What belongs to a tool call that is not known is kept as the strictest rule of its server says. Remembers only calls
 * of tools with a mode of their own, and the tasks that calls became; bounded.
 */
import type { CallStart } from '../mcp/observer.ts';
import type { CaptureDecision, CapturePolicy } from '../protection/seams.ts';
import { CAPTURE_MODES } from '../record/vocabulary.ts';

/** calls and tasks remembered; the oldest are forgotten first */
const MAX_CALLS = 20_000;

interface StartedTask {
  readonly callId: string;
  readonly userKey: string;
  readonly decision: CaptureDecision;
}

export class CaptureInCall {
  readonly #policy: CapturePolicy;
  readonly #byCall = new Map<string, CaptureDecision>();
  readonly #byTask = new Map<string, StartedTask>();

  constructor(policy: CapturePolicy) {
    this.#policy = policy;
  }

  decide(callId: string, start: CallStart): CaptureDecision {
    const { server, target, parentCallId, underCallIds = [], taskId } = start;
    const tool = target?.type === 'tool' ? target.name : '';
    let decision = this.#policy.decide(server, tool);
    if (parentCallId !== undefined) decision = stricter(decision, this.#byCall.get(parentCallId));
    for (const one of underCallIds) decision = stricter(decision, this.#byCall.get(one));
    if (taskId !== undefined) {
      const task = this.#byTask.get(taskKey(server, taskId));
      decision = stricter(decision, task?.decision ?? this.#policy.decideUnknownTool(server));
    }
    if (start.kind === 'request' && decision.mode !== this.#policy.decide(server, '').mode) {
      remember(this.#byCall, callId, decision);
    }
    return decision;
  }

  /** The call goes on as a task: what is said of that is kept as the call is. */
  taskStarted(taskId: string, callId: string, { server, caller }: CallStart, decision: CaptureDecision): void {
    const key = taskKey(server, taskId);
    // An id that is answered twice stays with its first call: a later one must not loosen what is kept.
    if (!this.#byTask.has(key)) remember(this.#byTask, key, { callId, userKey: caller.userKey, decision });
  }

  /** The call that became the task, if it is the same person's. */
  callOfTask({ server, caller, taskId }: CallStart): string | undefined {
    const task = taskId === undefined ? undefined : this.#byTask.get(taskKey(server, taskId));
    return task?.userKey === caller.userKey ? task.callId : undefined;
  }
}

function taskKey(server: string, taskId: string): string {
  return `${server}\0${taskId}`;
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.set(key, value);
  if (map.size <= MAX_CALLS) return;
  const oldest = map.keys().next();
  if (oldest.done !== true) map.delete(oldest.value);
}

/** The modes stand in the order of what they keep. */
function stricter(one: CaptureDecision, other: CaptureDecision | undefined): CaptureDecision {
  if (other === undefined) return one;
  return CAPTURE_MODES.indexOf(one.mode) >= CAPTURE_MODES.indexOf(other.mode) ? one : other;
}
