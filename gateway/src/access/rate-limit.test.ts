import { describe, expect, it } from 'vitest';
import type { AuthenticatedCaller } from './principal.ts';
import { createRateLimiter } from './rate-limit.ts';

const caller = (userKey: string): AuthenticatedCaller => ({ userKey, keyName: '', teams: [], authMethod: 'jwt' });

describe('rate limit', () => {
  it('lets a burst through, then as many as time gives back, each caller for himself', () => {
    let nowMs = 0;
    const limiter = createRateLimiter({ requests: 60, per: 60_000, burst: 2, by: 'caller' }, () => nowMs);
    expect([1, 2, 3].map(() => limiter.take(caller('a'), 's').ok)).toEqual([true, true, false]);
    expect(limiter.take(caller('a'), 's')).toEqual({ ok: false, retryAfterMs: 1000 });
    expect(limiter.take(caller('b'), 's').ok).toBe(true);
    nowMs = 999;
    expect(limiter.take(caller('a'), 'other').ok).toBe(false);
    nowMs = 1000;
    expect(limiter.take(caller('a'), 'other').ok).toBe(true);
  });

  it('can count each server on its own', () => {
    const limiter = createRateLimiter({ requests: 1, per: 60_000, by: 'caller-and-server' }, () => 0);
    expect(['s', 't', 's'].map((server) => limiter.take(caller('a'), server).ok)).toEqual([true, true, false]);
  });

  it('gives nothing for a clock that goes back', () => {
    let nowMs = 10_000;
    const limiter = createRateLimiter({ requests: 1, per: 1000, by: 'caller' }, () => nowMs);
    limiter.take(caller('a'), 's');
    nowMs = 0;
    expect(limiter.take(caller('a'), 's').ok).toBe(false);
  });

  it('limits nothing where none is configured', () => {
    const limiter = createRateLimiter(undefined);
    expect(Array.from({ length: 1000 }, () => limiter.take(caller('a'), 's').ok)).not.toContain(false);
  });
});
