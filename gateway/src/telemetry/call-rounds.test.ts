import { describe, expect, it } from 'vitest';
import type { CallStart } from '../mcp/observer.ts';
import { CallRounds } from './call-rounds.ts';

const HOUR_MS = 3_600_000;
const start = (userKey: string, state?: string, name = 'ask'): CallStart => ({
  kind: 'request',
  server: 'up',
  serverKnown: true,
  caller: { userKey, keyName: '', teams: [], authMethod: 'none' },
  method: 'tools/call',
  target: { type: 'tool', name },
  upstreamTransport: 'http',
  requestHeaders: [],
  requestBody: Buffer.alloc(0),
  answersRound: state === undefined ? {} : { state },
});

describe('the round before', () => {
  let nowMs = 0;
  const rounds = new CallRounds(() => nowMs);
  rounds.asked('first', start('ana'), 'state-1');
  rounds.asked('stateless', start('ana'), undefined);

  it.each([
    ['is found by the state that the server gave', start('ana', 'state-1'), 'first'],
    ['is found by what was called where the server gave no state', start('ana'), 'stateless'],
    ["is never somebody else's", start('eve', 'state-1'), undefined],
    ['is never that of another tool', start('ana', 'state-1', 'other'), undefined],
    ['is not found by a state that nobody gave', start('ana', 'forged'), undefined],
  ])('%s', (_, call, before) => {
    expect(rounds.before(call)).toBe(before);
    // answers may be sent again
    expect(rounds.before(call)).toBe(before);
  });

  it('is none for a request that answers nothing', () => {
    const plain: CallStart = { ...start('ana') };
    Reflect.deleteProperty(plain, 'answersRound');
    expect(rounds.before(plain)).toBeUndefined();
  });

  it('is forgotten after an hour', () => {
    nowMs = HOUR_MS;
    expect(rounds.before(start('ana', 'state-1'))).toBeUndefined();
  });
});
