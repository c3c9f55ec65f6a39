import { describe, expect, it } from 'vitest';
import { Limiter } from './limiter.ts';

const never = new AbortController().signal;

describe('a limiter', () => {
  it('lets so many in, the rest in order, and turns away when the queue is full', async () => {
    const limiter = new Limiter(1, 2);
    const first = await limiter.acquire(never);
    const order: string[] = [];
    const second = limiter.acquire(never).then((release) => (order.push('second'), release));
    const third = limiter.acquire(never).then((release) => (order.push('third'), release));
    expect(await limiter.acquire(never)).toBeUndefined();
    first?.();
    (await second)?.();
    (await third)?.();
    expect(order).toEqual(['second', 'third']);
  });

  it('gives a freed place to the one who waits, not to one who comes later', async () => {
    const limiter = new Limiter(1, 1);
    const first = await limiter.acquire(never);
    const waiting = limiter.acquire(never);
    first?.();
    const late = new AbortController();
    const later = limiter.acquire(late.signal);
    expect(await waiting).toBeTypeOf('function');
    late.abort();
    expect(await later).toBeUndefined();
  });

  it('forgets who gave up waiting, and counts a double release once', async () => {
    const limiter = new Limiter(1, 5);
    const first = await limiter.acquire(never);
    const impatient = new AbortController();
    const gaveUp = limiter.acquire(impatient.signal);
    impatient.abort();
    expect(await gaveUp).toBeUndefined();
    first?.();
    first?.();
    const one = await limiter.acquire(never);
    expect(one).toBeTypeOf('function');
    const two = limiter.acquire(never);
    expect(await Promise.race([two, Promise.resolve('waits')])).toBe('waits');
  });
});
