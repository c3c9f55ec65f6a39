import { describe, expect, it } from 'vitest';
import { TraceIds, createCallIds, isUuid, millisOfCallId } from './ids.ts';

describe('call ids', () => {
  it('are UUIDs of version 7 with the time inside', () => {
    const id = createCallIds(() => 1_795_521_600_123)();
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(isUuid(id)).toBe(true);
    expect(millisOfCallId(id)).toBe(1_795_521_600_123);
  });

  it('grow within a millisecond and when the clock is set back, without a repeat', () => {
    let now = 1_795_521_600_000;
    const next = createCallIds(() => now);
    const ids: string[] = [];
    for (let i = 0; i < 20_000; i += 1) {
      if (i === 5000) now -= 86_400_000;
      ids.push(next());
    }
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort()).toEqual(ids);
  });

  it('tell no time of anything else', () => {
    expect(millisOfCallId('7')).toBe(0);
    expect(millisOfCallId('01a20d6d-5a00-4044-b7cf-192e4279ee22')).toBe(0);
  });
});

describe('trace ids', () => {
  it('can be decided beforehand, once', () => {
    const ids = new TraceIds();
    ids.preset({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) });
    expect([ids.generateSpanId(), ids.generateTraceId()]).toEqual(['b'.repeat(16), 'a'.repeat(32)]);
    expect(ids.generateSpanId()).toMatch(/^(?!b{16})[0-9a-f]{16}$/);
    expect(ids.generateTraceId()).toMatch(/^(?!a{32})[0-9a-f]{32}$/);
  });
});
