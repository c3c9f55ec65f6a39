import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SharedFlow } from './stdio-shared-flow.ts';

const events: string[] = [];

function createFlow() {
  return new SharedFlow({
    maxBytes: 100,
    patienceMs: 1_000,
    onFull: () => void events.push('full'),
    onFree: () => void events.push('free'),
  });
}

describe('SharedFlow', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    events.length = 0;
  });
  afterEach(() => vi.useRealTimers());

  it('makes the child wait beyond the bound of all together, until half of it is free', () => {
    const flow = createFlow();
    const [ana, ben] = [flow.open(() => undefined), flow.open(() => undefined)];
    ana.add(60);
    ben.add(40);
    expect(events).toEqual([]);
    ben.add(1);
    expect(events).toEqual(['full']);
    ana.remove(50);
    expect(events).toEqual(['full']);
    ana.remove(1);
    expect(events).toEqual(['full', 'free']);
    vi.advanceTimersByTime(10_000);
    expect(events).toEqual(['full', 'free']);
  });

  it('cuts off whoever has most waiting, one after the other, until there is room', () => {
    const flow = createFlow();
    const sizes: Record<string, number> = { ana: 30, ben: 80, eva: 60 };
    for (const [name, bytes] of Object.entries(sizes)) {
      const account = flow.open(() => {
        events.push(name);
        account.remove(bytes);
      });
      account.add(bytes);
    }
    vi.advanceTimersByTime(999);
    expect(events).toEqual(['full']);
    vi.advanceTimersByTime(1);
    expect(events).toEqual(['full', 'ben']);
    vi.advanceTimersByTime(10_000);
    expect(events).toEqual(['full', 'ben', 'eva', 'free']);
  });
});
