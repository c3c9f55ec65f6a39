import { describe, expect, it } from 'vitest';
import { recordHash } from '../record/canonical.ts';
import { GENESIS, RecordChain } from './chain.ts';
import type { ChainLink, SpoolFrame } from './spool.ts';

const frame = (link: ChainLink): SpoolFrame => ({
  type: 'record',
  stream: 'metadata',
  bytes: new Uint8Array(),
  startedAtNs: 0n,
  link,
});

describe('the chain', () => {
  it('gives consecutive links, each hashed with the one before', () => {
    const chain = new RecordChain('gw-00000000', GENESIS);
    const first = chain.next('a');
    const second = chain.next('b');
    expect(first).toEqual({ seq: 1n, hash: recordHash(GENESIS.hash, 'a') });
    expect(second).toEqual({ seq: 2n, hash: recordHash(first.hash, 'b') });
    expect(chain.accept([frame(first), frame(second)])).toBe(true);
    expect(chain.head()).toEqual(second);
    expect(chain.durableHead()).toEqual(GENESIS);
  });

  it('gives a link again that was not appended in its tick, and refuses the late one', async () => {
    const chain = new RecordChain('gw-00000000', GENESIS);
    const late = chain.next('late');
    await Promise.resolve();
    const punctual = chain.next('punctual');
    expect(punctual.seq).toBe(1n);
    expect(chain.accept([frame(punctual)])).toBe(true);
    expect(chain.accept([frame(late)])).toBe(false);
    expect(chain.head()).toEqual(punctual);
  });

  it('returns to the durable head when what was queued fails', () => {
    const chain = new RecordChain('gw-00000000', GENESIS);
    const durable = chain.next('durable');
    chain.accept([frame(durable)]);
    chain.reached(durable);
    const failed = chain.next('failed');
    chain.accept([frame(failed)]);
    const given = chain.next('given in the same tick');
    chain.rollBack();
    expect(chain.head()).toEqual(durable);
    expect(chain.accept([frame(given)])).toBe(false);
    expect(chain.next('again').seq).toBe(2n);
  });
});
