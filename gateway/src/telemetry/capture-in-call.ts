/**
 * How much of a message may be kept: what the capture policy says of it, and no more than of the tool call under which it
 * runs. Progress, questions and late answers of a tool that is not to be kept hold the same things as its result.
 * Remembers only calls of tools with a mode of their own; bounded.
 */
import type { CallStart } from '../mcp/observer.ts';
import type { CaptureDecision, CapturePolicy } from '../protection/seams.ts';
import { CAPTURE_MODES } from '../record/vocabulary.ts';

/** calls remembered; the oldest are forgotten first */
const MAX_CALLS = 20_000;

export class CaptureInCall {
  readonly #policy: CapturePolicy;
  readonly #byCall = new Map<string, CaptureDecision>();

  constructor(policy: CapturePolicy) {
    this.#policy = policy;
  }

  decide(callId: string, { server, target, parentCallId }: CallStart): CaptureDecision {
    const tool = target?.type === 'tool' ? target.name : '';
    const own = this.#policy.decide(server, tool);
    if (tool !== '' && own.mode !== this.#policy.decide(server, '').mode) this.#remember(callId, own);
    const above = parentCallId === undefined ? undefined : this.#byCall.get(parentCallId);
    return above === undefined || isStricter(own, above) ? own : above;
  }

  #remember(callId: string, decision: CaptureDecision): void {
    this.#byCall.set(callId, decision);
    if (this.#byCall.size <= MAX_CALLS) return;
    const oldest = this.#byCall.keys().next();
    if (oldest.done !== true) this.#byCall.delete(oldest.value);
  }
}

/** The modes stand in the order of what they keep. */
function isStricter(one: CaptureDecision, other: CaptureDecision): boolean {
  return CAPTURE_MODES.indexOf(one.mode) > CAPTURE_MODES.indexOf(other.mode);
}
