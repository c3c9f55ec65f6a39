import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { recordHash } from '../../src/record/canonical.ts';
import { GENESIS } from '../../src/spool/chain.ts';
import { fakeStore, reopen, temporaryDirectory } from './fixture.ts';

const CHILD = join(import.meta.dirname, 'spool-child.ts');
const ROUNDS = 6;

/** Lets a process append with 16 calls in flight and kills it; returns the lines it printed. */
async function appendAndKill(dir: string, aliveMs: number): Promise<string[]> {
  const child = spawn(process.execPath, [CHILD, dir, 'append'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const lines: string[] = [];
  const reader = createInterface(child.stdout).on('line', (line) => lines.push(line));
  await once(reader, 'line');
  await new Promise((resolve) => setTimeout(resolve, aliveMs));
  child.kill('SIGKILL');
  await once(reader, 'close');
  // until then it has its process id, and so the lock of the directory
  await ended;
  return lines;
}

describe('kill -9 with 16 calls in flight', () => {
  it('loses no acknowledged append, keeps none twice, and knows every call that was left open', async () => {
    using dir = temporaryDirectory();
    const acknowledged = { intents: new Set<string>(), completions: new Set<string>() };
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const line of await appendAndKill(dir.path, 60 + 70 * round)) {
        (line.startsWith('i ') ? acknowledged.intents : acknowledged.completions).add(line.slice(2));
      }
    }
    const { spool, unsettled } = await reopen(dir.path);
    const store = fakeStore();
    spool.startShipping({ ...store, lingerMs: 0 });
    expect(await spool.flush(30_000)).toBe(true);
    const recovered = store.delivered.metadata.map((text) => text.slice('m '.length));
    const head = spool.chain.head();
    const { damagedRanges } = spool.stats();
    await spool.close();

    const present = new Set(recovered);
    const open = new Set(unsettled.map((one) => one.callId));
    const lost = [...acknowledged.completions].filter((call) => !present.has(call));
    const forgotten = [...acknowledged.intents].filter((call) => !present.has(call) && !open.has(call));
    console.log(
      `kill -9 × ${ROUNDS}: acknowledged ${acknowledged.completions.size}, recovered ${recovered.length}, ` +
        `lost ${lost.length}, twice ${recovered.length - present.size}, left open ${open.size}`
    );
    expect(acknowledged.completions.size).toBeGreaterThan(100);
    expect(lost).toEqual([]);
    expect(forgotten).toEqual([]);
    expect(recovered).toHaveLength(present.size);
    expect([...open].filter((call) => present.has(call))).toEqual([]);
    expect(damagedRanges).toBe(0);
    // Payload and record of a call are one append: there is one of each.
    expect(store.delivered.payload.filter((text) => text.startsWith('p '))).toEqual(
      recovered.map((call) => `p ${call}`)
    );
    expect(store.delivered.payload).toHaveLength(3 * recovered.length);
    // One chain over all lives: recomputed from the records as delivered.
    expect(head.seq).toBe(BigInt(recovered.length));
    expect(head.hash).toBe(recovered.reduce(recordHash, GENESIS.hash));
  });
});
