import { describe, expect, it } from 'vitest';
import type { Caller } from '../mcp/observer.ts';
import { AttemptLimits } from './attempt-limit.ts';
import type { LeftOut } from './attempt-sources.ts';

const MINUTE_MS = 60_000;
const SETTINGS = { perAddress: 3, perCaller: 2, inAll: 5, every: MINUTE_MS };
const ana: Caller = { userKey: 'ana', keyName: 'k', teams: [], authMethod: 'api_key' };

function start(settings = SETTINGS) {
  const clock = { ms: 0 };
  return { clock, limits: new AttemptLimits(settings, () => clock.ms) };
}

/** Attempts of a stranger: how many got records, and how often they were told to wait. */
function flood(limits: AttemptLimits, address: string, times: number, sort = 'unauthenticated') {
  const decisions = Array.from({ length: times }, () => limits.ofStranger(address, sort));
  return {
    recorded: decisions.filter((one) => one.record).length,
    told: decisions.filter((one) => !one.record && one.retryAfterMs !== undefined).length,
  };
}

const attemptsOf = (sums: readonly LeftOut[]): number => sums.reduce((sum, one) => sum + one.attempts, 0);

describe('refused attempts of strangers', () => {
  it('are recorded up to the limit of their address, then told to wait and counted by sort', () => {
    const { limits, clock } = start();
    expect(flood(limits, '10.0.0.1', 10)).toEqual({ recorded: 3, told: 7 });
    clock.ms = 5_000;
    flood(limits, '10.0.0.1', 2, 'server_unknown');
    expect(limits.take()).toEqual([
      { address: '10.0.0.1', sources: 1, attempts: 9, bySort: { unauthenticated: 7, server_unknown: 2 }, sinceMs: 0 },
    ]);
    expect(limits.take()).toEqual([]);
    expect(limits.leftOutTotal).toBe(9);
  });

  it('are recorded again when time has passed, and the wait that is told is enough', () => {
    const { limits, clock } = start();
    flood(limits, '10.0.0.1', 3);
    const decision = limits.ofStranger('10.0.0.1', 'unauthenticated');
    const waitMs = decision.record ? undefined : decision.retryAfterMs;
    expect(waitMs).toBe(MINUTE_MS / 3);
    clock.ms += waitMs ?? 0;
    expect(limits.ofStranger('10.0.0.1', 'unauthenticated')).toEqual({ record: true });
  });

  it('of one IPv6 network are one source', () => {
    const { limits } = start();
    const recorded = Array.from({ length: 9 }, (_, index) => limits.ofStranger(`2001:db8::${index}`, 'x').record);
    expect(recorded.filter(Boolean)).toHaveLength(3);
    expect(limits.take()).toMatchObject([{ address: '2001:db8::', attempts: 6 }]);
  });

  it('from many addresses share a limit, but nobody is told to wait for what others did', () => {
    const { limits } = start();
    for (const address of ['10.0.0.1', '10.0.0.2']) flood(limits, address, 3);
    expect(flood(limits, '10.0.0.3', 1)).toEqual({ recorded: 0, told: 0 });
    expect(limits.take()).toMatchObject([
      { address: '10.0.0.2', attempts: 1 },
      { address: '10.0.0.3', attempts: 1 },
    ]);
  });

  it('from more addresses than there is room for are all counted, in few sums, in bounded memory', () => {
    const { limits } = start({ ...SETTINGS, inAll: 1 });
    const addresses = 30_000;
    for (let n = 0; n < addresses; n++) limits.ofStranger(`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`, 'x');
    const sums = limits.take();
    expect(sums).toHaveLength(50);
    expect(attemptsOf(sums)).toBe(addresses - 1);
    // the one that holds the rest names no address
    expect(sums.at(-1)?.address).toBe('');
    expect(sums.at(-1)?.sources).toBeGreaterThan(9_000);
  });

  it('from new addresses find room once others were quiet', () => {
    const { limits, clock } = start({ ...SETTINGS, inAll: 100_000 });
    for (let n = 0; n < 10_000; n++) limits.ofStranger(`10.0.${n >> 8}.${n & 255}`, 'x');
    clock.ms += MINUTE_MS;
    flood(limits, '10.9.9.9', 4);
    expect(limits.take()).toMatchObject([{ address: '10.9.9.9', attempts: 1 }]);
  });

  it('that never have a record of their own are counted with the others', () => {
    const { limits } = start();
    limits.count('::ffff:10.0.0.1', 'not_found');
    flood(limits, '10.0.0.1', 4);
    expect(limits.take()).toMatchObject([{ bySort: { not_found: 1, unauthenticated: 1 } }]);
  });

  it('are not forgotten when their sum could not be recorded', () => {
    const { limits, clock } = start();
    flood(limits, '10.0.0.1', 5);
    clock.ms = MINUTE_MS;
    for (const sum of limits.take()) limits.giveBack(sum);
    limits.count('10.0.0.1', 'not_found');
    expect(limits.take()).toMatchObject([
      { address: '10.0.0.1', attempts: 3, bySort: { unauthenticated: 2, not_found: 1 }, sinceMs: 0 },
    ]);
  });
});

describe('refused attempts of known callers', () => {
  it('have a limit of their own, whatever strangers do', () => {
    const { limits } = start();
    flood(limits, '10.0.0.1', 100);
    expect(limits.ofCaller(ana, '10.0.0.1', 'policy_denied', 1).record).toBe(true);
    expect(limits.ofCaller(ana, '10.0.0.1', 'policy_denied', 1).record).toBe(true);
    expect(limits.ofCaller(ana, '10.0.0.2', 'policy_denied', 1).record).toBe(false);
    const ofAna = limits.take().find((one) => one.caller?.userKey === 'ana');
    expect(ofAna).toMatchObject({ attempts: 1, address: '', bySort: { policy_denied: 1 } });
  });

  it('count by the records that they would make', () => {
    const { limits } = start();
    expect(limits.ofCaller(ana, 'a', 'policy_denied', 100).record).toBe(true);
    expect(limits.ofCaller(ana, 'a', 'policy_denied', 100).record).toBe(false);
    expect(attemptsOf(limits.take())).toBe(100);
  });
});
