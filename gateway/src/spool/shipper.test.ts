import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  answer,
  collectingLogger,
  completion,
  fakeStore,
  type FakeStore,
  intent,
  jumpingClock,
  metadata,
  payload,
  reopen,
  systemError,
  temporaryDirectory,
  unsyncedDisk,
} from '../../test/spool/fixture.ts';
import type { ShippingSpool } from './file-spool.ts';
import type { ShipResponse } from './ship-transport.ts';

const NAMES = Array.from({ length: 10 }, (_, index) => `r${index}`);
const REJECTED_ONE: Partial<ShipResponse> = {
  contentType: 'application/x-protobuf',
  body: Uint8Array.of(0x0a, 2, 0x08, 1),
};

async function appendAll(spool: ShippingSpool, names: readonly string[] = NAMES): Promise<void> {
  for (const name of names) await spool.append([payload(`p ${name}`), metadata(`m ${name}`)]);
}

/** Ships everything in `dir` to the store, waiting by hand-worked clock. */
async function ship(dir: string, store: FakeStore, options: { lingerMs?: number; maxBatchFrames?: number } = {}) {
  const logger = collectingLogger();
  const clock = jumpingClock();
  const { spool } = await reopen(dir, { logger });
  spool.startShipping({ ...store, clock, random: () => 0.5, lingerMs: 0, ...options });
  const isAll = await spool.flush(5000);
  const stats = spool.stats();
  await spool.close();
  return { isAll, stats, clock, logger };
}

function setAsideTexts(dir: string): string[] {
  const setAside = join(dir, 'set-aside');
  return readdirSync(setAside)
    .sort()
    .map((name) => readFileSync(join(setAside, name), 'utf8'));
}

const metadataBodies = (store: FakeStore): string[] =>
  store.requests.filter((one) => one.stream === 'metadata').map((one) => Buffer.from(one.body).toString());

describe('batches', () => {
  it('are concatenated frames of one stream, in order, bounded by frames and bytes', async () => {
    using dir = temporaryDirectory();
    const { spool } = await reopen(dir.path);
    await appendAll(spool);
    await spool.append([payload('large', 5000)]);
    await spool.append([payload('small')]);
    await spool.close();
    const store = fakeStore();
    const { spool: again } = await reopen(dir.path);
    again.startShipping({ ...store, lingerMs: 0, maxBatchFrames: 4, maxBatchBytes: 1000 });
    expect(await again.flush(5000)).toBe(true);
    expect(again.stats()).toMatchObject({ backlogBytes: 0, oldestUnshippedNs: 0n });
    await again.close();
    expect(metadataBodies(store)).toEqual(['<m r0><m r1><m r2><m r3>', '<m r4><m r5><m r6><m r7>', '<m r8><m r9>']);
    expect(store.delivered.payload).toEqual([...NAMES.map((name) => `p ${name}`), 'large', 'small']);
    const sizes = store.requests.filter((one) => one.stream === 'payload').map((one) => one.body.length);
    expect(sizes).toEqual([24, 24, 12, 5002, 7]);
  });

  it('wait for more only as long as they are not full', async () => {
    using dir = temporaryDirectory();
    const { spool } = await reopen(dir.path);
    const store = fakeStore();
    spool.startShipping({ ...store, lingerMs: 3_600_000, maxBatchFrames: 10 });
    await appendAll(spool, NAMES.slice(0, 9));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(store.requests).toEqual([]);
    await appendAll(spool, NAMES.slice(9));
    await expect.poll(() => store.delivered.metadata.length).toBe(10);
    await spool.append([metadata('straggler')]);
    expect(await spool.flush(5000)).toBe(true);
    expect(store.delivered.metadata.at(-1)).toBe('straggler');
    await spool.close();
  });

  it.each([0, 8 * 1024 * 1024])('are the same from disk and from memory (tail of %i bytes)', async (tailBytes) => {
    using dir = temporaryDirectory();
    const { spool } = await reopen(dir.path, { tailBytes, segmentBytes: 64 * 1024, layOutBytes: 4096 });
    const texts: string[] = [];
    for (let append = 0; append < 60; append += 1) {
      const text = `p ${append}`;
      texts.push(text);
      // Now and then a frame larger than the window the disk is read by.
      await spool.append([metadata(`m ${append}`), payload(text, append % 25 === 0 ? 1_500_000 : 3000)]);
    }
    const store = fakeStore();
    spool.startShipping({ ...store, lingerMs: 0 });
    expect(await spool.flush(20_000)).toBe(true);
    await spool.close();
    expect(store.delivered.payload).toEqual(texts);
    expect(store.delivered.metadata).toHaveLength(60);
    expect(readdirSync(dir.path).filter((name) => name.endsWith('.spool'))).toHaveLength(1);
  });

  it.each([0, 1024 * 1024])(
    'keep their bytes while their memory is used again (tail of %i bytes)',
    async (tailBytes) => {
      using dir = temporaryDirectory();
      const { spool } = await reopen(dir.path, { tailBytes, segmentBytes: 1024 * 1024, disk: unsyncedDisk });
      const store = fakeStore();
      spool.startShipping({ ...store, lingerMs: 0, maxBatchBytes: 200_000 });
      const appended: string[] = [];
      const appendInALoop = async (loop: number): Promise<void> => {
        for (let append = 0; append < 60; append += 1) {
          const text = `p ${loop} ${append} ${`${loop * 60 + append}/`.repeat(10 + ((loop * append) % 1500))}`;
          appended.push(text);
          await spool.append([payload(text), metadata(text.slice(0, 200))]);
        }
      };
      await Promise.all(Array.from({ length: 32 }, (_, loop) => appendInALoop(loop)));
      expect(await spool.flush(20_000)).toBe(true);
      expect(store.delivered.payload).toEqual(appended);
      expect(store.delivered.metadata).toEqual(appended.map((text) => text.slice(0, 200)));
      expect(spool.stats().damagedRanges).toBe(0);
      await spool.close();
    }
  );

  it('are sent again with the same bytes after a restart, though more has come since', async () => {
    using dir = temporaryDirectory();
    const { spool } = await reopen(dir.path);
    await appendAll(spool, NAMES.slice(0, 3));
    const dying = fakeStore(() => {
      throw systemError('ECONNRESET');
    });
    spool.startShipping({ ...dying, lingerMs: 0 });
    await expect.poll(() => dying.requests.length).toBeGreaterThanOrEqual(2);
    await spool.close();
    const { spool: second } = await reopen(dir.path);
    await appendAll(second, NAMES.slice(3));
    await second.close();
    const store = fakeStore();
    await ship(dir.path, store);
    expect(metadataBodies(store)[0]).toBe(metadataBodies(dying)[0]);
    expect(metadataBodies(store)[0]).toBe('<m r0><m r1><m r2>');
    expect(store.delivered.metadata).toEqual(NAMES.map((name) => `m ${name}`));
    expect(store.delivered.payload).toEqual(NAMES.map((name) => `p ${name}`));
  });
});

describe('an endpoint in trouble', () => {
  it.each<[string, (request: number) => ShipResponse | undefined, number[]]>([
    ['503', (request) => (request <= 4 ? answer(503) : undefined), [150, 300, 600, 1200]],
    ['429 with Retry-After', (request) => (request <= 2 ? answer(429, { retryAfter: '7' }) : undefined), [7000, 7000]],
    ['500', (request) => (request <= 1 ? answer(500) : undefined), [150]],
    ['401', (request) => (request <= 2 ? answer(401) : undefined), [30_000, 30_000]],
    ['403', (request) => (request <= 1 ? answer(403) : undefined), [30_000]],
    ['a redirect', (request) => (request <= 1 ? answer(307) : undefined), [30_000]],
    [
      'a login page',
      (request) => (request <= 1 ? answer(200, { contentType: 'text/html', body: Buffer.from('<html>') }) : undefined),
      [30_000],
    ],
    // Refused, and the empty request as well: two requests an attempt.
    ['a wrong path', (request) => (request <= 4 ? answer(404) : undefined), [30_000, 30_000]],
    [
      'a connection that breaks',
      (request) => {
        if (request <= 3) throw systemError('ECONNREFUSED');
        return undefined;
      },
      [150, 300, 600],
    ],
  ])('is waited for, and nothing is set aside: %s', async (_, behave, delays) => {
    using dir = temporaryDirectory();
    const { spool } = await reopen(dir.path);
    await spool.append([metadata('one'), metadata('two')]);
    await spool.close();
    const store = fakeStore((_texts, _stream, request) => behave(request));
    const logger = collectingLogger();
    const clock = jumpingClock();
    const { spool: again } = await reopen(dir.path, { logger });
    again.startShipping({ ...store, clock, random: () => 0.5, lingerMs: 1 });
    await expect.poll(() => store.delivered.metadata).toEqual(['one', 'two']);
    await again.close();
    expect(clock.sleeps.filter((sleepMs) => sleepMs > 1)).toEqual(delays);
    expect(setAsideTexts(dir.path)).toEqual([]);
    const events = logger.lines.map((line) => line.event);
    expect(events).toContain('spool.ship_failed');
    expect(events).toContain('spool.ship_recovered');
  });

  it('keeps each record for the time it is away', async () => {
    using dir = temporaryDirectory();
    const { spool } = await reopen(dir.path);
    let isUp = false;
    const store = fakeStore(() => (isUp ? undefined : answer(503)));
    spool.startShipping({ ...store, lingerMs: 0 });
    await appendAll(spool, NAMES.slice(0, 5));
    expect(await spool.flush(50)).toBe(false);
    expect(spool.stats()).toMatchObject({ shipped: 0, oldestUnshippedNs: 1_700_000_000_000_000_000n });
    expect(spool.stats().backlogBytes).toBeGreaterThan(10 * 65);
    isUp = true;
    await appendAll(spool, NAMES.slice(5));
    expect(await spool.flush(5000)).toBe(true);
    await spool.close();
    expect(store.delivered.metadata).toEqual(NAMES.map((name) => `m ${name}`));
    expect(store.delivered.payload).toEqual(NAMES.map((name) => `p ${name}`));
  });

  it('shows the age of what is due next, not of what has long arrived', async () => {
    using dir = temporaryDirectory();
    const { spool } = await reopen(dir.path);
    await spool.append([10n, 30n, 20n].map((startedAtNs) => ({ ...metadata(`${startedAtNs}`), startedAtNs })));
    expect(spool.stats().oldestUnshippedNs).toBe(10n);
    const store = fakeStore((texts) => (texts.includes('10') ? undefined : answer(503)));
    spool.startShipping({ ...store, lingerMs: 0, maxBatchFrames: 1 });
    await expect.poll(() => spool.stats().oldestUnshippedNs).toBe(30n);
    await spool.close();
    const again = await reopen(dir.path);
    expect(again.spool.stats().oldestUnshippedNs).toBe(20n);
    await again.spool.close();
  });

  it('goes on when a segment is removed by hand, and reports it', async () => {
    using dir = temporaryDirectory();
    const logger = collectingLogger();
    const { spool } = await reopen(dir.path, { logger, tailBytes: 0, segmentBytes: 500, layOutBytes: 0 });
    await appendAll(spool);
    const [first = ''] = readdirSync(dir.path)
      .filter((name) => name.endsWith('.spool'))
      .sort();
    rmSync(join(dir.path, first));
    const store = fakeStore();
    spool.startShipping({ ...store, lingerMs: 0 });
    expect(await spool.flush(5000)).toBe(true);
    expect(store.delivered.metadata.length).toBeGreaterThan(4);
    expect(store.delivered.metadata.at(-1)).toBe('m r9');
    expect(logger.lines.map((line) => line.event)).toContain('spool.frames_unreadable');
    expect(logger.lines.map((line) => line.event)).not.toContain('spool.delete_failed');
    await spool.close();
  });

  it('does not hold up the other stream', async () => {
    using dir = temporaryDirectory();
    const { spool } = await reopen(dir.path);
    const store = fakeStore((_, stream) => (stream === 'payload' ? answer(503) : undefined));
    spool.startShipping({ ...store, lingerMs: 0 });
    await appendAll(spool);
    await expect.poll(() => store.delivered.metadata.length).toBe(10);
    expect(store.delivered.payload).toEqual([]);
    await spool.close();
  });
});

describe('counts', () => {
  it('are of records, whatever frames carry them, so that shipped can be held against recorded', async () => {
    using dir = temporaryDirectory();
    const { spool } = await reopen(dir.path);
    await spool.append([payload('key'), intent('a'), payload('early')]);
    for (const call of ['a', 'b', 'c']) await spool.append(completion(spool, call));
    await spool.append([metadata('health')]);
    expect(spool.stats()).toMatchObject({ recorded: 3, shipped: 0 });
    await spool.close();
    const store = fakeStore();
    const { spool: again } = await reopen(dir.path);
    expect(again.stats()).toMatchObject({ recorded: 3, shipped: 0 });
    again.startShipping({ ...store, lingerMs: 0, maxBatchFrames: 2 });
    await again.append(completion(again, 'd'));
    expect(await again.flush(5000)).toBe(true);
    expect(again.stats()).toMatchObject({ recorded: 4, shipped: 4 });
    expect(store.delivered.metadata).toHaveLength(5);
    await again.close();
  });
});

describe('poison', () => {
  const refusals: [string, Partial<ShipResponse> & { status: number }][] = [
    ['400', { status: 400 }],
    ['413', { status: 413 }],
    ['a partial success', { status: 200, ...REJECTED_ONE }],
  ];

  it.each(refusals)('is found among good frames and set aside as it is; the rest arrives: %s', async (_, refusal) => {
    using dir = temporaryDirectory();
    const { spool } = await reopen(dir.path);
    const names = Array.from(
      { length: 23 },
      (_unused, index) => `r${index}${[0, 9, 10, 22].includes(index) ? ' bad' : ''}`
    );
    for (const name of names) await spool.append([{ ...metadata(name), link: spool.chain.next(name) }]);
    await spool.close();
    const store = fakeStore((texts) =>
      texts.some((text) => text.endsWith('bad')) ? answer(refusal.status, refusal) : undefined
    );
    const { isAll, stats, logger } = await ship(dir.path, store);
    expect(isAll).toBe(true);
    expect(stats).toMatchObject({ recorded: 23, shipped: 19, setAsideBatches: 4, backlogBytes: 0 });
    expect(store.delivered.metadata).toEqual(names.filter((name) => !name.endsWith('bad')));
    expect(setAsideTexts(dir.path)).toEqual(['<r0 bad>', '<r9 bad>', '<r10 bad>', '<r22 bad>']);
    expect(logger.lines.filter((line) => line.event === 'spool.frame_set_aside')).toHaveLength(4);
    const again = await reopen(dir.path);
    expect(again.spool.stats().setAsideBatches).toBe(4);
    await again.spool.close();
  });

  it('is slowed down when everything is refused, so that a wrong receiver does not empty the spool into set-aside', async () => {
    using dir = temporaryDirectory();
    const { spool } = await reopen(dir.path);
    for (let index = 0; index < 30; index += 1) await spool.append([metadata(`r${index}`)]);
    await spool.close();
    const store = fakeStore((texts) => (texts.length > 0 ? answer(400) : undefined));
    const { spool: again } = await reopen(dir.path);
    again.startShipping({ ...store, lingerMs: 0 });
    await expect.poll(() => again.stats().setAsideBatches).toBe(20);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(again.stats().setAsideBatches).toBe(20);
    await again.close();
  });

  it('survives a restart while a batch is being divided: nothing lost, nothing set aside twice', async () => {
    using dir = temporaryDirectory();
    const { spool } = await reopen(dir.path);
    const names = NAMES.map((name) => (name === 'r6' ? 'r6 bad' : name));
    for (const name of names) await spool.append([metadata(name)]);
    await spool.close();
    const arrived: string[] = [];
    for (let start = 0; start < 20; start += 1) {
      const store = fakeStore((texts, _, request) => {
        if (request > 2) throw systemError('ECONNRESET');
        return texts.some((text) => text.endsWith('bad')) ? answer(400) : undefined;
      });
      const { spool: again } = await reopen(dir.path);
      again.startShipping({ ...store, lingerMs: 0 });
      await again.flush(40);
      await again.close();
      arrived.push(...store.delivered.metadata);
    }
    expect(new Set(arrived)).toEqual(new Set(names.filter((name) => !name.endsWith('bad'))));
    expect(setAsideTexts(dir.path)).toEqual(['<r6 bad>']);
  });
});

describe('a disk that rots while the spool is open', () => {
  it('costs the damaged frame alone, which is reported once and never shipped', async () => {
    using dir = temporaryDirectory();
    const logger = collectingLogger();
    const { spool } = await reopen(dir.path, { logger, tailBytes: 0, layOutBytes: 0 });
    await appendAll(spool);
    const path = join(dir.path, '0000000000000000.spool');
    const bytes = readFileSync(path);
    bytes.write('X', bytes.indexOf('<p r4>') + 1);
    writeFileSync(path, bytes);
    const store = fakeStore();
    spool.startShipping({ ...store, lingerMs: 0 });
    expect(await spool.flush(5000)).toBe(true);
    expect(store.delivered.metadata).toEqual(NAMES.map((name) => `m ${name}`));
    expect(store.delivered.payload).toEqual(NAMES.filter((name) => name !== 'r4').map((name) => `p ${name}`));
    expect(logger.lines.filter((line) => line.event === 'spool.frames_unreadable')).toHaveLength(1);
    expect(spool.stats()).toMatchObject({ damagedRanges: 1, backlogBytes: 0 });
    await spool.close();
  });
});

describe('deletion', () => {
  it('carries the intent of a long-open call forward, and finds it after restarts until it is settled', async () => {
    using dir = temporaryDirectory();
    const options = { segmentBytes: 2048, layOutBytes: 0 };
    const { spool } = await reopen(dir.path, options);
    const store = fakeStore();
    spool.startShipping({ ...store, lingerMs: 0 });
    await spool.append([intent('long')]);
    for (let call = 0; call < 60; call += 1) {
      await spool.append([intent(`c${call}`)]);
      await spool.append(completion(spool, `c${call}`));
      if (call % 10 === 9) await spool.flush(5000);
    }
    const segments = readdirSync(dir.path)
      .filter((name) => name.endsWith('.spool'))
      .sort();
    expect(segments.length).toBeLessThanOrEqual(4);
    expect(segments[0]).not.toBe('0000000000000000.spool');
    expect(spool.stats()).toMatchObject({ openIntents: 1, recorded: 60, refused: 0 });
    await spool.close();

    const { spool: second, unsettled } = await reopen(dir.path, options);
    expect(unsettled.map((one) => [one.callId, Buffer.from(one.bytes).toString()])).toEqual([
      ['long', '<intent long>'],
    ]);
    await second.append(completion(second, 'long'));
    second.startShipping({ ...store, lingerMs: 0 });
    await second.flush(5000);
    await second.close();
    const third = await reopen(dir.path, options);
    expect(third.unsettled).toEqual([]);
    expect(third.spool.chain.head().seq).toBe(61n);
    await third.spool.close();
    expect(store.delivered.metadata).toHaveLength(61);
  });

  it('leaves nothing that the store has on the disk for long, however little is written', async () => {
    using dir = temporaryDirectory();
    let nowMs = Date.UTC(2026, 10, 24);
    const { spool } = await reopen(dir.path, { now: () => nowMs });
    const store = fakeStore();
    spool.startShipping({ ...store, lingerMs: 0 });
    const onDisk = (): string =>
      readdirSync(dir.path)
        .filter((name) => name.endsWith('.spool'))
        .map((name) => readFileSync(join(dir.path, name), 'latin1'))
        .join('');
    await spool.append([intent('open'), payload('ana@example.com')]);
    expect(await spool.flush(5000)).toBe(true);
    expect(onDisk()).toContain('ana@example.com');
    nowMs += 6 * 60_000;
    // what comes every few seconds anyway: health reports
    for (const report of ['first', 'second']) {
      await spool.append([payload(report)]);
      expect(await spool.flush(5000)).toBe(true);
    }
    await expect.poll(onDisk).not.toContain('ana@example.com');
    await spool.append(completion(spool, 'open'));
    await spool.close();
    const { unsettled, spool: again } = await reopen(dir.path);
    expect(unsettled).toEqual([]);
    expect(again.chain.head().seq).toBe(1n);
    await again.close();
  });

  it('does not copy intents round and round when they outweigh everything else', async () => {
    using dir = temporaryDirectory();
    const { spool } = await reopen(dir.path, { segmentBytes: 2048, layOutBytes: 0 });
    spool.startShipping({ ...fakeStore(), lingerMs: 0 });
    for (let call = 0; call < 200; call += 1) await spool.append([intent(`open ${call}`)]);
    await spool.append(completion(spool, 'other'));
    await spool.flush(5000);
    const { fdatasyncs } = spool.stats();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(spool.stats()).toMatchObject({ fdatasyncs, openIntents: 200 });
    for (let call = 0; call < 200; call += 1) await spool.append(completion(spool, `open ${call}`));
    await spool.flush(5000);
    expect(spool.stats().openIntents).toBe(0);
    await spool.append([payload('x')]);
    await spool.flush(5000);
    expect(readdirSync(dir.path).filter((name) => name.endsWith('.spool')).length).toBeLessThanOrEqual(2);
    await spool.close();
  });

  it('keeps the head of the chain after everything was shipped and deleted', async () => {
    using dir = temporaryDirectory();
    const options = { segmentBytes: 1024, layOutBytes: 0 };
    for (let round = 1; round <= 3; round += 1) {
      const { spool } = await reopen(dir.path, options);
      expect(spool.chain.head().seq).toBe(BigInt(20 * (round - 1)));
      spool.startShipping({ ...fakeStore(), lingerMs: 0 });
      for (let call = 0; call < 20; call += 1) await spool.append(completion(spool, `c${call}`));
      expect(await spool.flush(5000)).toBe(true);
      await spool.close();
      expect(readdirSync(dir.path).filter((name) => name.endsWith('.spool'))).toHaveLength(1);
    }
  });
});
