import { describe, expect, it } from 'vitest';
import { BodyBudget } from './body-budget.ts';

describe('the budget for request bodies', () => {
  it('is shared by all, and what is given back can be taken again', () => {
    const budget = new BodyBudget(100, 10);
    const [ana, bob, eve] = ['ana', 'bob', 'eve'].map((name) => budget.lease(name));
    expect([ana?.take(50), bob?.take(50), eve?.take(1)]).toEqual([true, true, false]);
    ana?.release();
    ana?.release();
    expect(budget.takenBytes).toBe(50);
    expect(eve?.take(50)).toBe(true);
    bob?.release();
    eve?.release();
    expect(budget.takenBytes).toBe(0);
  });

  it('is not for one caller alone, however many requests they send', () => {
    const budget = new BodyBudget(100, 10);
    const leases = Array.from({ length: 10 }, () => budget.lease('ana'));
    expect(leases.filter((lease) => lease.take(10))).toHaveLength(5);
    expect(budget.lease('bob').take(50)).toBe(true);
  });

  it('lets everybody send one body of the largest size', () => {
    expect(new BodyBudget(100, 80).lease('ana').take(80)).toBe(true);
  });

  it('gives nothing for a lease that is over', () => {
    const budget = new BodyBudget(100, 10);
    const lease = budget.lease('');
    lease.release();
    expect(lease.take(1)).toBe(false);
  });
});
