import { describe, expect, it } from 'vitest';
import { OpenIntents } from './open-intents.ts';
import { SegmentLog } from './segment-log.ts';

const BYTES = Uint8Array.of(1, 2, 3);

describe('open intents', () => {
  it('hold the segment of their newest copy only', () => {
    const log = new SegmentLog();
    const [old, young] = [log.add(0, 'old'), log.add(100, 'young')];
    const intents = new OpenIntents();
    intents.opened('a', BYTES, old, false);
    intents.opened('b', BYTES, old, false);
    intents.settled('b');
    expect([old.openIntents, old.openIntentBytes]).toEqual([1, 3]);
    intents.opened('a', BYTES, young, true);
    expect([old.openIntents, old.openIntentBytes, young.openIntents]).toEqual([0, 0, 1]);
    expect(intents.inSegment(young).map((one) => one.callId)).toEqual(['a']);
    intents.settled('a');
    expect([young.openIntents, intents.size]).toEqual([0, 0]);
  });

  it('are not carried once their completion is queued, and do not come back by a copy written before', () => {
    const log = new SegmentLog();
    const [old, young] = [log.add(0, 'old'), log.add(100, 'young')];
    const intents = new OpenIntents();
    intents.opened('a', BYTES, old, false);
    intents.settling('a');
    expect(intents.inSegment(old)).toEqual([]);
    intents.settlingFailed('a');
    expect(intents.inSegment(old)).toHaveLength(1);
    intents.settled('a');
    intents.opened('a', BYTES, young, true);
    expect(intents.all()).toEqual([]);
  });
});
