import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { idKey } from '../scan/message-builder.ts';
import type { CallEnd, CallObservation } from '../observer.ts';
import { OpenCall, OpenCalls } from './open-calls.ts';
import { ServerRequests } from './server-requests.ts';
import { SessionDirectory } from '../sessions.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function observation(): CallObservation & { readonly ends: CallEnd[] } {
  const ends: CallEnd[] = [];
  return {
    ends,
    callId: 'c',
    upstreamTrace: {},
    captureBytes: 0,
    intent: () => Promise.resolve(),
    hurry: () => undefined,
    upstreamStarted: () => undefined,
    end: (end) => {
      ends.push(end);
      return Promise.resolve();
    },
  };
}

describe('ids', () => {
  it.each([
    ['7', '7', true],
    ['1.0', '1', true],
    ['1e0', '1', true],
    ['"a\\u0031"', '"a1"', true],
    ['"\\/"', '"/"', true],
    ['1', '"1"', false],
    ['-1', '1', false],
    ['9007199254740993', '9007199254740992', true],
  ])('%s and %s are the same: %s', (one, other, same) => {
    expect(idKey(one) === idKey(other)).toBe(same);
  });
});

describe('open calls', () => {
  it('end once, and are forgotten then', async () => {
    const calls = new OpenCalls();
    const seen = observation();
    const call = new OpenCall(seen, '1');
    calls.add('s', call);
    expect(calls.find('s', '1')).toBe(call);
    await Promise.all([call.end({ outcome: 'success' }), call.end({ outcome: 'cancelled' })]);
    expect(seen.ends).toEqual([{ outcome: 'success' }]);
    expect(calls.find('s', '1')).toBeUndefined();
  });

  it('do not forget a newer call of the same id when the older ends', async () => {
    const calls = new OpenCalls();
    const [older, newer] = [new OpenCall(observation(), '1'), new OpenCall(observation(), '1')];
    calls.add('s', older);
    calls.add('s', newer);
    await older.end({ outcome: 'success' });
    expect(calls.find('s', '1')).toBe(newer);
  });

  it('are cancelled only in their own session, after the grace', () => {
    const calls = new OpenCalls({ cancelGraceMs: 1000 });
    const seen = observation();
    calls.add('s', new OpenCall(seen, '1'));
    calls.cancel('other', '1');
    vi.advanceTimersByTime(5000);
    expect(seen.ends).toEqual([]);
    calls.cancel('s', '1');
    vi.advanceTimersByTime(999);
    expect(seen.ends).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(seen.ends).toMatchObject([{ outcome: 'cancelled' }]);
  });

  it('all end at shutdown', async () => {
    const calls = new OpenCalls();
    const [one, two] = [observation(), observation()];
    calls.add('a', new OpenCall(one, '1'));
    calls.add('b', new OpenCall(two, '1'));
    await calls.endAll({ outcome: 'cancelled', errorType: 'shutting_down' });
    expect([...one.ends, ...two.ends]).toHaveLength(2);
  });
});

describe('requests of a server', () => {
  it('expire as a timeout, and are no more than the capacity', () => {
    const requests = new ServerRequests({ capacity: 2, expiryMs: 1000 });
    const seen = [observation(), observation(), observation()];
    seen.forEach((one, index) => requests.add('s', String(index), one));
    expect(seen.map((one) => one.ends.length)).toEqual([1, 0, 0]);
    expect(requests.take('s', '1')).toBe(seen[1]);
    vi.advanceTimersByTime(1000);
    expect(seen[1]?.ends).toEqual([]);
    expect(seen[2]?.ends).toMatchObject([{ outcome: 'timeout' }]);
    expect(requests.has('s', '2')).toBe(false);
  });

  it('end with their session, but not with another whose name begins alike', () => {
    const requests = new ServerRequests();
    const [mine, other] = [observation(), observation()];
    requests.add('up\0s1', '0', mine);
    requests.add('up\0s10', '0', other);
    requests.endSession('up\0s1');
    expect([mine.ends.length, other.ends.length]).toEqual([1, 0]);
  });
});

describe('the session directory', () => {
  it('forgets the least recently used', () => {
    const sessions = new SessionDirectory(2);
    for (const id of ['a', 'b']) sessions.learn('up', id, { userKey: id });
    sessions.find('up', 'a');
    sessions.learn('up', 'c', { userKey: 'c' });
    expect(['a', 'b', 'c'].map((id) => sessions.find('up', id)?.userKey)).toEqual(['a', undefined, 'c']);
    expect(sessions.find('other', 'a')).toBeUndefined();
  });
});
