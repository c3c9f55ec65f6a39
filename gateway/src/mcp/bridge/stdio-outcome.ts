/**
 * What the record says about an answer that came whole, as messages over stdio do: its outcome, the names it taught, and
 * the bytes worth keeping.
 */
import type { ScannedMessage } from '../message.ts';
import type { CallEnd, CapturedBody } from '../observer.ts';
import { listedIn, verdictOf } from '../outcome.ts';

export function capture(body: Uint8Array, captureBytes: number): CapturedBody {
  return { chunks: captureBytes > 0 ? [body.subarray(0, captureBytes)] : [], bytes: body.length, format: 'json' };
}

/** @param body the response as the client gets it */
export function endOfResponse(response: ScannedMessage, body: Uint8Array, captureBytes: number): CallEnd {
  const listed = listedIn(response);
  return {
    ...verdictOf(response),
    response: capture(body, captureBytes),
    ...(listed === undefined ? {} : { listed }),
  };
}
