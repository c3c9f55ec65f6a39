import { expect, it } from 'vitest';
import { StartBackoff } from './stdio-backoff.ts';

it('lets the first failures pass, then waits twice as long each time, up to a minute', () => {
  let now = 5_000;
  const backoff = new StartBackoff(() => now);
  const waits: number[] = [];
  for (let failure = 0; failure < 10; failure += 1) {
    backoff.failed();
    waits.push(backoff.waitMs());
    now += backoff.waitMs();
    expect(backoff.waitMs()).toBe(0);
  }
  expect(waits).toEqual([0, 0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
});
