/**
 * One append of a call: makes the frames of everything that belongs together and hands them to the spool in the same
 * tick, since a record takes its place in the chain while it ends. Order: wrapped keys, the principal, payload events,
 * records, the intent. What the spool refuses is given back, so that the next append carries it.
 */
import { ROOT_CONTEXT, type Context, type HrTime } from '@opentelemetry/api';
import type { GatelensError } from '../errors.ts';
import type { IntentFrame, SpoolFrame } from '../spool/spool.ts';
import type { ObserverContext } from './observer-context.ts';
import type { CapturedPayload } from './payload-capture.ts';
import { principalEvent } from './principals.ts';

export interface AppendParts {
  /** start of the call */
  readonly startedAtNs: bigint;
  readonly userKey: string;
  /** the call's span, for the payload events */
  readonly spanContext: Context;
  /** time of the events */
  readonly at: HrTime;
  readonly payloads: readonly CapturedPayload[];
  /** ends spans */
  readonly makeRecords?: () => void;
  readonly intent?: () => IntentFrame;
  /** records that this completes */
  readonly records: number;
  /** a reply waits for it */
  readonly waits: boolean;
  /** the records settle an intent that was written */
  readonly settles?: boolean;
  /** The spool did not take it. */
  readonly onUntaken?: () => void;
  /** @param error what the reply has to say, by the audit policy */
  readonly onSettled: (error: GatelensError | undefined) => void;
}

/** @returns what resolves when it is settled */
export function appendRecord(observer: ObserverContext, parts: AppendParts): Promise<void> {
  const { telemetry, keeper, payloads, principals } = observer;
  const { events } = telemetry;
  const { userKey, at } = parts;
  const keys = payloads.takeNewKeys();
  const principal = userKey === '' ? undefined : principals.take(userKey);
  const { records, waits, onSettled } = parts;
  const onUntaken = (): void => {
    payloads.giveBack(keys);
    if (principal !== undefined) principals.unsent(userKey);
    parts.onUntaken?.();
  };
  let frames: SpoolFrame[];
  try {
    const { startedAtNs, settles = false } = parts;
    frames = telemetry.collect({ startedAtNs, settles }, () => {
      const stamp = { timestamp: at, observedTimestamp: at, context: ROOT_CONTEXT };
      for (const key of keys) events.emit({ ...payloads.keyEvent(key), ...stamp });
      if (principal !== undefined) events.emit({ ...principalEvent(userKey, principal, at), ...stamp });
      for (const { event } of parts.payloads) {
        if (event !== undefined) telemetry.emit(event.event, event.attributes, at, parts.spanContext);
      }
      parts.makeRecords?.();
    });
    if (parts.intent !== undefined) frames.push(parts.intent());
  } catch (error) {
    return keeper.fail({ records, waits, onUntaken, onSettled }, error);
  }
  const settled = keeper.keep(frames, { records, waits, onUntaken, onSettled });
  telemetry.appended();
  return settled;
}
