/**
 * One append of a call: makes the frames of everything that belongs together and hands them to the spool in the same
 * tick, since a record takes its place in the chain while it ends. Order: wrapped keys, the principal, payload events,
 * records, the intent. What the spool refuses is given back, so that the next append carries it.
 */
import { ROOT_CONTEXT, type Context, type HrTime } from '@opentelemetry/api';
import type { IntentFrame, SpoolFrame } from '../spool/spool.ts';
import type { ObserverContext } from './observer-context.ts';
import { stamped, type CapturedPayload } from './payload-capture.ts';
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
  readonly onRefused?: () => void;
}

/** @returns what the reply has to wait for, by the audit policy */
export function appendRecord(observer: ObserverContext, parts: AppendParts): Promise<void> {
  const { telemetry, keeper, payloads, principals } = observer;
  const { events } = telemetry;
  const { userKey, at } = parts;
  const keys = payloads.takeNewKeys();
  const principal = userKey === '' ? undefined : principals.take(userKey);
  const giveBack = (): void => {
    payloads.giveBack(keys);
    if (principal !== undefined) principals.unsent(userKey);
    parts.onRefused?.();
  };
  let frames: SpoolFrame[];
  try {
    frames = telemetry.collect(parts.startedAtNs, () => {
      for (const key of keys) events.emit(stamped(payloads.keyEvent(key), at, ROOT_CONTEXT));
      if (principal !== undefined) events.emit(stamped(principalEvent(userKey, principal, at), at, ROOT_CONTEXT));
      for (const { event } of parts.payloads) {
        if (event !== undefined) events.emit(stamped(event, at, parts.spanContext));
      }
      parts.makeRecords?.();
    });
    if (parts.intent !== undefined) frames.push(parts.intent());
  } catch (error) {
    giveBack();
    return keeper.fail(parts.records, error);
  }
  return keeper.keep(frames, parts.records, giveBack);
}
