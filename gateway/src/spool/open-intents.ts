/**
 * The calls that have an intent on disk and no completion yet, and which segment holds the newest copy. A segment with
 * such a copy stays, unless the copy is carried forward. It decides nothing about records: what is left after a crash
 * goes to telemetry, which makes `interrupted` of it.
 */
import type { IntentFrame } from './spool.ts';
import type { SegmentInfo } from './segment-log.ts';

interface OpenIntent {
  readonly bytes: Uint8Array;
  segment: SegmentInfo;
}

export class OpenIntents {
  readonly #open = new Map<string, OpenIntent>();
  /** completion queued, not durable yet: a copy carried now would come back to life after the completion is gone */
  readonly #settling = new Set<string>();

  get size(): number {
    return this.#open.size;
  }

  /** A durable intent. A carried copy of a call that was settled meanwhile does not open it again. */
  opened(callId: string, bytes: Uint8Array, segment: SegmentInfo, carried: boolean): void {
    const known = this.#open.get(callId);
    if (known) this.#detach(known);
    else if (carried) return;
    this.#open.set(callId, { bytes, segment });
    segment.openIntents += 1;
    segment.openIntentBytes += bytes.length;
  }

  settling(callId: string): void {
    this.#settling.add(callId);
  }

  settlingFailed(callId: string): void {
    this.#settling.delete(callId);
  }

  settled(callId: string): void {
    this.#settling.delete(callId);
    const known = this.#open.get(callId);
    if (!known) return;
    this.#detach(known);
    this.#open.delete(callId);
  }

  /** What must move for the segment to go. */
  inSegment(segment: SegmentInfo): IntentFrame[] {
    const frames: IntentFrame[] = [];
    for (const [callId, intent] of this.#open) {
      if (intent.segment === segment && !this.#settling.has(callId)) {
        frames.push({ type: 'intent', callId, bytes: intent.bytes });
      }
    }
    return frames;
  }

  all(): IntentFrame[] {
    return Array.from(this.#open, ([callId, { bytes }]) => ({ type: 'intent' as const, callId, bytes }));
  }

  #detach(intent: OpenIntent): void {
    intent.segment.openIntents -= 1;
    intent.segment.openIntentBytes -= intent.bytes.length;
  }
}
