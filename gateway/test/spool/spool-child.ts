/**
 * A process that uses a spool until it is killed. `node spool-child.ts <directory> <mode> [address]`; each line on
 * stdout is written after what it tells of.
 *   append       16 calls in flight, without end: `i <call>` its intent is durable, `c <call>` its completion
 *   ship         appends three records, then ships to the address
 *   hold         opens, prints `open <pid>` and waits; a refusal prints its code
 *   disk-full    on a small file system of its own: fills it, is refused, frees it, goes on, reads back; prints JSON
 */
import { rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { isGatelensError } from '../../src/errors.ts';
import { silentLogger } from '../../src/logger.ts';
import { openSpool } from '../../src/spool/open-spool.ts';
import { completion, fakeStore, intent, metadata, payload } from './fixture.ts';

const [, , dir = '', mode = '', address = ''] = process.argv;
const say = (line: string): void => void writeSync(1, `${line}\n`);

async function append(): Promise<void> {
  const { spool } = await openSpool({ dir, logger: silentLogger, segmentBytes: 256 * 1024 });
  const run = String(process.pid);
  let next = 0;
  const callInALoop = async (): Promise<void> => {
    for (;;) {
      const call = `${run}-${String((next += 1))}`;
      await spool.append([intent(call)]);
      say(`i ${call}`);
      await spool.append([payload('key'), payload('request', 1500), ...completion(spool, call)]);
      say(`c ${call}`);
    }
  };
  await Promise.all(Array.from({ length: 16 }, callInALoop));
}

async function ship(): Promise<void> {
  const { spool } = await openSpool({ dir, logger: silentLogger });
  for (let record = 0; record < 3; record += 1) {
    await spool.append([metadata(`m ${String(process.pid)} ${String(record)}`), payload(`p ${String(record)}`)]);
  }
  const target = { url: address, token: 'ship-token' };
  spool.startShipping({ metadata: target, payload: target, lingerMs: 0 });
  setInterval(() => undefined, 60_000);
}

async function hold(): Promise<void> {
  try {
    await openSpool({ dir, logger: silentLogger });
    say(`open ${String(process.pid)}`);
    setInterval(() => undefined, 60_000);
  } catch (error) {
    say(isGatelensError(error) ? `${error.code} ${error.message}` : 'unexpected');
  }
}

async function diskFull(): Promise<void> {
  const ballast = join(dir, 'ballast');
  writeFileSync(ballast, Buffer.alloc(1_500_000));
  const spoolDir = join(dir, 'spool');
  const { spool } = await openSpool({ dir: spoolDir, logger: silentLogger });
  const kept: string[] = [];
  const codes: string[] = [];
  const tryUntil = async (isEnough: () => boolean): Promise<void> => {
    for (let call = 0; !isEnough() && call < 5000; call += 16) {
      const names = Array.from({ length: 16 }, (_, index) => `${String(kept.length)}-${String(call + index)}`);
      const outcomes = await Promise.allSettled(
        names.map((name) => spool.append([payload('x', 1500), ...completion(spool, name)]))
      );
      for (const [index, outcome] of outcomes.entries()) {
        if (outcome.status === 'fulfilled') kept.push(names[index] ?? '');
        else codes.push(isGatelensError(outcome.reason) ? outcome.reason.code : 'unexpected');
      }
    }
  };
  await tryUntil(() => codes.length > 100);
  const keptWhenFull = kept.length;
  rmSync(ballast);
  await tryUntil(() => kept.length > keptWhenFull + 50);
  const head = spool.chain.head();
  await spool.close();

  const { spool: again } = await openSpool({ dir: spoolDir, logger: silentLogger });
  const store = fakeStore();
  again.startShipping({ ...store, lingerMs: 0 });
  await again.flush(20_000);
  say(
    JSON.stringify({
      keptWhenFull,
      keptLater: kept.length - keptWhenFull,
      refusals: [...new Set(codes)],
      isSame: JSON.stringify(store.delivered.metadata) === JSON.stringify(kept.map((name) => `m ${name}`)),
      isContinuous: head.seq === BigInt(kept.length) && again.chain.head().hash === head.hash,
      damagedRanges: again.stats().damagedRanges,
    })
  );
  await again.close();
}

const modes: Record<string, () => Promise<void>> = { append, ship, hold, 'disk-full': diskFull };
await modes[mode]?.();
