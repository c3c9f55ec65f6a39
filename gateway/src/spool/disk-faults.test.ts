import { copyFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  completion,
  type DiskFault,
  fakeStore,
  faultyDisk,
  intent,
  metadata,
  payload,
  reopen,
  systemError,
  temporaryDirectory,
} from '../../test/spool/fixture.ts';
import { GENESIS } from './chain.ts';
import type { Disk } from './disk.ts';
import type { ShippingSpool } from './file-spool.ts';
import { recordHash } from '../record/canonical.ts';

/** A disk whose faults can be switched on and off while the spool runs. */
function switchableDisk() {
  const state: { fault: DiskFault } = { fault: () => undefined };
  const disk = faultyDisk((operation, calls) => state.fault(operation, calls));
  return { state, disk };
}

const outcome = (append: Promise<void>): Promise<string> =>
  append.then(
    () => 'kept',
    (error: unknown) => (error as { code: string }).code
  );

async function delivered(dir: string) {
  const { spool, unsettled } = await reopen(dir);
  const store = fakeStore();
  spool.startShipping({ ...store, lingerMs: 0 });
  await spool.flush(5000);
  const head = spool.chain.head();
  const { damagedRanges } = spool.stats();
  await spool.close();
  return { texts: store.delivered.metadata, head, damagedRanges, unsettled: unsettled.map((one) => one.callId) };
}

const FAULTS: [string, (spool: ShippingSpool) => DiskFault][] = [
  ['no space', () => (operation) => (operation === 'write' ? systemError('ENOSPC') : undefined)],
  ['a short write', () => (operation) => (operation === 'write' ? 'short' : undefined)],
  ['an I/O error of the sync', () => (operation) => (operation === 'fdatasync' ? systemError('EIO') : undefined)],
  [
    'a write that cannot be taken back',
    () => (operation) => (operation === 'write' ? 'short' : operation === 'truncate' ? systemError('EIO') : undefined),
  ],
  [
    'a sync after which nothing can be taken back',
    () => (operation) => (operation === 'fdatasync' || operation === 'truncate' ? systemError('EIO') : undefined),
  ],
  ['everything', () => () => systemError('EIO')],
];

describe('a failing disk', () => {
  it.each(FAULTS)('loses nothing acknowledged and forks no chain: %s', async (_, faultOf) => {
    using dir = temporaryDirectory();
    const { state, disk } = switchableDisk();
    const { spool } = await reopen(dir.path, { disk, layOutBytes: 0 });
    await spool.append([intent('before'), intent('open')]);
    await spool.append(completion(spool, 'before'));
    const durable = spool.chain.head();

    state.fault = faultOf(spool);
    // Two in the first group, then two that queue behind it while it fails.
    const first = [outcome(spool.append(completion(spool, 'f1'))), outcome(spool.append(completion(spool, 'f2')))];
    await new Promise((resolve) => setImmediate(resolve));
    const queued = [outcome(spool.append(completion(spool, 'q1'))), outcome(spool.append([intent('q2')]))];
    expect(await Promise.all([...first, ...queued])).toEqual(Array(4).fill('audit_unavailable'));
    expect(spool.chain.head()).toEqual(durable);
    expect(await outcome(spool.append(completion(spool, 'still failing')))).toBe('audit_unavailable');
    expect(spool.stats()).toMatchObject({ refused: 9, openIntents: 1 });

    state.fault = () => undefined;
    await spool.append(completion(spool, 'after'));
    expect(spool.chain.head()).toEqual({ seq: 2n, hash: recordHash(durable.hash, 'after') });
    await spool.close();
    expect(await delivered(dir.path)).toEqual({
      texts: ['m before', 'm after'],
      head: { seq: 2n, hash: recordHash(recordHash(GENESIS.hash, 'before'), 'after') },
      damagedRanges: 0,
      unsettled: ['open'],
    });
  });

  it.each<keyof Disk>(['create', 'write', 'fdatasync', 'syncDirectory'])(
    'comes back when the first segment cannot be made (%s)',
    async (operation) => {
      using dir = temporaryDirectory();
      const { state, disk } = switchableDisk();
      const { spool } = await reopen(dir.path, { disk });
      state.fault = (one) => (one === operation ? systemError('ENOSPC') : undefined);
      for (const name of ['a', 'b']) {
        expect(await outcome(spool.append(completion(spool, name)))).toBe('audit_unavailable');
      }
      state.fault = () => undefined;
      await spool.append(completion(spool, 'c'));
      await spool.close();
      expect(readdirSync(dir.path).filter((name) => name.endsWith('.spool'))).toHaveLength(1);
      expect(await delivered(dir.path)).toMatchObject({ texts: ['m c'], head: { seq: 1n } });
    }
  );

  it('needs no room for the zeros it lays out ahead', async () => {
    using dir = temporaryDirectory();
    const { state, disk } = switchableDisk();
    const { spool } = await reopen(dir.path, { disk, layOutBytes: 64 * 1024 });
    state.fault = (operation) => (operation === 'write' ? 'short' : undefined);
    await spool.append([metadata('half of the zeros fit')]);
    state.fault = () => undefined;
    await spool.append([metadata('next')]);
    await spool.close();
    expect(await delivered(dir.path)).toMatchObject({ texts: ['half of the zeros fit', 'next'], damagedRanges: 0 });
  });

  it('leaves nothing of a refused group behind a smaller one that follows, whenever the crash comes', async () => {
    using dir = temporaryDirectory();
    using crashed = temporaryDirectory();
    const { state, disk } = switchableDisk();
    const { spool } = await reopen(dir.path, { disk, layOutBytes: 0 });
    await spool.append(completion(spool, 'one'));
    state.fault = (operation) => (operation === 'write' ? 'short' : undefined);
    const refused = Array.from({ length: 20 }, (_, call) =>
      outcome(spool.append(completion(spool, `refused ${call}`)))
    );
    expect(new Set(await Promise.all(refused))).toEqual(new Set(['audit_unavailable']));
    state.fault = () => undefined;
    await spool.append([metadata('small')]);
    for (const name of readdirSync(dir.path)) {
      if (name.endsWith('.spool') || name === 'chain.json')
        copyFileSync(join(dir.path, name), join(crashed.path, name));
    }
    await spool.close();
    expect(await delivered(crashed.path)).toMatchObject({
      texts: ['m one', 'small'],
      head: { seq: 1n },
      damagedRanges: 0,
    });
  });

  it('leaves no trace of refused records when a crash follows a write that could not be taken back', async () => {
    using dir = temporaryDirectory();
    const { state, disk } = switchableDisk();
    const { spool } = await reopen(dir.path, { disk });
    await spool.append(completion(spool, 'one'));
    // The group is on disk as a whole, but its sync fails and so does taking it back.
    state.fault = (operation) =>
      operation === 'fdatasync' || operation === 'truncate' ? systemError('EIO') : undefined;
    await expect(spool.append(completion(spool, 'refused'))).rejects.toMatchObject({ code: 'audit_unavailable' });
    state.fault = (operation) => (operation === 'truncate' ? systemError('EIO') : undefined);
    await spool.append(completion(spool, 'two'));
    await spool.close();
    expect(await delivered(dir.path)).toMatchObject({ texts: ['m one', 'm two'], head: { seq: 2n }, damagedRanges: 0 });
  });

  it('goes on shipping when a cursor cannot be saved, since that is what frees the disk', async () => {
    using dir = temporaryDirectory();
    const { state, disk } = switchableDisk();
    const { spool } = await reopen(dir.path, { disk, segmentBytes: 1024, layOutBytes: 0 });
    for (let call = 0; call < 20; call += 1) await spool.append([metadata(`m ${call}`), payload('x', 300)]);
    state.fault = (operation) => (operation === 'create' ? systemError('ENOSPC') : undefined);
    const store = fakeStore();
    spool.startShipping({ ...store, lingerMs: 0, maxBatchFrames: 3 });
    expect(await spool.flush(5000)).toBe(true);
    await spool.close();
    expect(store.delivered.metadata).toEqual(Array.from({ length: 20 }, (_, call) => `m ${call}`));
    expect(readdirSync(dir.path).filter((name) => name.endsWith('.spool'))).toHaveLength(1);
  });

  it('says what to do, and nothing of what was to be written', async () => {
    using dir = temporaryDirectory();
    const disk = faultyDisk((operation, calls) =>
      operation === 'write' && calls > 1 ? systemError('ENOSPC') : undefined
    );
    const { spool } = await reopen(dir.path, { disk });
    const failure = await spool.append([payload('secret marker')]).catch((error: unknown) => error as Error);
    expect(failure).toMatchObject({ message: expect.stringMatching(/ENOSPC.*[Ff]ree space/) as string });
    expect(JSON.stringify(failure) + String(failure)).not.toContain('marker');
    await spool.close();
  });
});

describe('the cap', () => {
  it('refuses with spool_full while the store is away, and takes records again when it is back', async () => {
    using dir = temporaryDirectory();
    const { spool } = await reopen(dir.path, { maxBytes: 64 * 1024, layOutBytes: 0 });
    let kept = 0;
    let refusal = 'kept';
    while (refusal === 'kept') {
      refusal = await outcome(spool.append([{ ...payload(`p ${kept}`, 1000), link: spool.chain.next(`${kept}`) }]));
      if (refusal === 'kept') kept += 1;
    }
    expect(refusal).toBe('spool_full');
    expect(kept).toBeGreaterThan(50);
    expect(spool.chain.head().seq).toBe(BigInt(kept));
    const store = fakeStore();
    spool.startShipping({ ...store, lingerMs: 0 });
    expect(await spool.flush(5000)).toBe(true);
    for (let more = 0; more < 3 * kept; more += 1) {
      await spool.append([{ ...payload(`more ${more}`, 1000), link: spool.chain.next('x') }]);
      if (more % 20 === 0) await spool.flush(5000);
    }
    expect(await spool.flush(5000)).toBe(true);
    expect(store.delivered.payload).toHaveLength(4 * kept);
    expect(spool.stats()).toMatchObject({ refused: 1, backlogBytes: 0, oldestUnshippedNs: 0n });
    await spool.close();
  });

  it('still takes the completion of a call it let in, when there is no room for new calls', async () => {
    using dir = temporaryDirectory();
    const { spool } = await reopen(dir.path, { maxBytes: 64 * 1024, layOutBytes: 0 });
    await spool.append([intent('let in')]);
    for (let filled = 0; filled < 60_000; filled += 600) {
      await spool.append([payload('x', 500)]).catch(() => undefined);
      if ((await outcome(spool.append([intent(`new ${filled}`)]))) === 'spool_full') break;
    }
    expect(await outcome(spool.append([intent('one more')]))).toBe('spool_full');
    expect(await outcome(spool.append(completion(spool, 'let in')))).toBe('kept');
    await spool.close();
  });
});

describe('misuse', () => {
  it('refuses a record whose link was given in an earlier tick, and goes on', async () => {
    using dir = temporaryDirectory();
    const { spool } = await reopen(dir.path);
    const link = spool.chain.next('late');
    await Promise.resolve();
    await expect(spool.append([{ ...metadata('late'), link }])).rejects.toMatchObject({ code: 'internal' });
    await spool.append(completion(spool, 'next'));
    expect(spool.chain.head().seq).toBe(1n);
    await spool.close();
    await spool.close();
    await expect(spool.append([intent('x')])).rejects.toMatchObject({ code: 'shutting_down' });
  });

  it('resolves an append of nothing', async () => {
    using dir = temporaryDirectory();
    const { spool } = await reopen(dir.path);
    await spool.append([]);
    expect(spool.stats()).toMatchObject({ fdatasyncs: 0, recorded: 0 });
    await spool.close();
  });
});
