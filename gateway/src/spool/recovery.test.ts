import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  collectingLogger,
  completion,
  fakeStore,
  intent,
  metadata,
  payload,
  reopen,
  temporaryDirectory,
  unsyncedDisk,
} from '../../test/spool/fixture.ts';
import { FRAME_HEADER_BYTES } from './frame-codec.ts';
import { SEGMENT_HEADER_BYTES } from './segment.ts';
import type { Spool } from './spool.ts';

const SMALL = { layOutBytes: 512, disk: unsyncedDisk };

function segmentPath(dir: string): string {
  const names = readdirSync(dir)
    .filter((name) => name.endsWith('.spool'))
    .sort();
  return join(dir, names.at(-1) ?? 'none');
}

/**
 * Two calls that are complete, one that is open: returns the offset behind each append.
 * @param beforeClose runs while the spool is open: what is there then is what a crash leaves
 */
async function threeCalls(dir: string, beforeClose: () => void = () => undefined): Promise<number[]> {
  const { spool } = await reopen(dir, { layOutBytes: 0 });
  const ends: number[] = [];
  const append = async (frames: Parameters<Spool['append']>[0]): Promise<void> => {
    await spool.append(frames);
    ends.push(readFileSync(segmentPath(dir)).length);
  };
  await append([intent('one')]);
  await append(completion(spool, 'one'));
  await append([intent('two'), intent('open')]);
  await append(completion(spool, 'two'));
  beforeClose();
  await spool.close();
  return ends;
}

/** What a reader finds: the frames shipped, the chain's head, the open calls, and what was logged. */
async function readBack(dir: string) {
  const logger = collectingLogger();
  const { spool, unsettled } = await reopen(dir, { logger, ...SMALL });
  const store = fakeStore();
  spool.startShipping({ ...store, lingerMs: 0 });
  await spool.flush(5000);
  const stats = spool.stats();
  const head = spool.chain.head();
  const link = spool.chain.next('after');
  await spool.append([{ ...metadata('after'), link }]);
  await spool.flush(5000);
  await spool.close();
  expect(store.delivered.metadata.at(-1), 'what is recorded after recovery arrives').toBe('after');
  return {
    metadata: store.delivered.metadata.slice(0, -1),
    payload: store.delivered.payload,
    seq: head.seq,
    unsettled: unsettled.map((one) => one.callId),
    damaged: stats.damagedRanges,
    corruptFiles: readdirSync(dir).filter((name) => name.endsWith('.corrupt')),
    events: logger.lines.filter((line) => line.level === 'error').map((line) => line.event),
  };
}

const QUIET = { damaged: 0, corruptFiles: [], events: [] };

describe('recovery', () => {
  it('cuts a torn tail at any byte, whether the file ends there or zeros follow', async () => {
    using original = temporaryDirectory();
    let identity = '';
    const ends = await threeCalls(original.path, () => {
      identity = readFileSync(join(original.path, 'chain.json'), 'utf8');
    });
    const [, firstDone = 0, opened = 0, secondDone = 0] = ends;
    const whole = readFileSync(segmentPath(original.path));
    for (let cut = firstDone; cut <= secondDone; cut += 1) {
      const zeros = cut % 2 === 0 ? 300 : 0;
      using copy = temporaryDirectory();
      writeFileSync(join(copy.path, 'chain.json'), identity);
      writeFileSync(
        join(copy.path, '0000000000000000.spool'),
        Buffer.concat([whole.subarray(0, cut), Buffer.alloc(zeros)])
      );
      const found = await readBack(copy.path);
      const isSecondDone = cut === secondDone;
      expect(found, `cut at ${cut}, ${zeros} zeros behind`).toEqual({
        ...QUIET,
        metadata: isSecondDone ? ['m one', 'm two'] : ['m one'],
        payload: isSecondDone ? ['p one', 'p two'] : ['p one'],
        seq: isSecondDone ? 2n : 1n,
        unsettled: isSecondDone ? ['open'] : cut >= opened ? ['two', 'open'] : [],
      });
    }
  }, 60_000);

  it('keeps every other frame when a bit of one flips, copies the file aside and says so', async () => {
    using original = temporaryDirectory();
    const ends = await threeCalls(original.path);
    const whole = readFileSync(segmentPath(original.path));
    const name = segmentPath(original.path).slice(original.path.length + 1);
    const [firstIntent = 0, firstDone = 0, opened = 0] = ends;
    const firstPayloadEnd = firstIntent + FRAME_HEADER_BYTES + '<p one>'.length + 1;
    const cases: [string, number, { metadata?: string[]; payload?: string[]; unsettled?: string[] }][] = [
      ['magic of an intent', SEGMENT_HEADER_BYTES, {}],
      ['length of a payload', firstIntent + 8, { payload: ['p two'] }],
      ['bytes of a payload', firstPayloadEnd - 3, { payload: ['p two'] }],
      ['hash of a record', firstPayloadEnd + 40, { metadata: ['m two'], unsettled: ['one', 'open'] }],
      ['call id of an open intent', opened - 14, { unsettled: [] }],
      [
        'last frame, its length',
        whole.length - '<m two>'.length - 3 - 1 - 64 + 9,
        { metadata: ['m one'], unsettled: ['two', 'open'] },
      ],
      ['last frame, last byte', whole.length - 1, { metadata: ['m one'], unsettled: ['two', 'open'] }],
    ];
    expect(firstDone).toBeGreaterThan(firstPayloadEnd);
    for (const [what, offset, expected] of cases) {
      using copy = temporaryDirectory();
      copyFileSync(join(original.path, 'chain.json'), join(copy.path, 'chain.json'));
      const flipped = Buffer.from(whole);
      flipped[offset] = (flipped[offset] ?? 0) ^ 0x10;
      writeFileSync(join(copy.path, name), flipped);
      const found = await readBack(copy.path);
      expect(found, what).toMatchObject({
        metadata: ['m one', 'm two'],
        payload: ['p one', 'p two'],
        unsettled: ['open'],
        seq: 2n,
        ...expected,
        damaged: 1,
        corruptFiles: [`${name}.1.corrupt`],
      });
      expect(found.events, what).toContain('spool.segment_damaged');
      expect(readFileSync(join(copy.path, `${name}.1.corrupt`)).equals(flipped), what).toBe(true);
      const again = await readBack(copy.path);
      expect(again, `${what}, opened once more`).toMatchObject(QUIET_BUT_COPY(name));
    }
  });

  it('survives a damaged header, in the only segment and in an older one', async () => {
    using dir = temporaryDirectory();
    await threeCalls(dir.path);
    const { spool } = await reopen(dir.path, SMALL);
    await spool.append(completion(spool, 'three'));
    await spool.close();
    const names = readdirSync(dir.path)
      .filter((name) => name.endsWith('.spool'))
      .sort();
    expect(names).toHaveLength(2);
    for (const name of names) {
      const bytes = readFileSync(join(dir.path, name));
      bytes.fill(0xff, 20, 60);
      writeFileSync(join(dir.path, name), bytes);
    }
    expect(await readBack(dir.path)).toMatchObject({
      metadata: ['m one', 'm two', 'm three'],
      seq: 3n,
      unsettled: ['open'],
      damaged: 2,
    });
    expect(await readBack(dir.path)).toMatchObject({ damaged: 0, events: [] });
  });

  it('forgets a segment whose making was cut short', async () => {
    using dir = temporaryDirectory();
    await threeCalls(dir.path);
    const { spool } = await reopen(dir.path, SMALL);
    await spool.append([payload('new segment')]);
    await spool.close();
    for (const size of [0, 1, 127, SEGMENT_HEADER_BYTES, SEGMENT_HEADER_BYTES + 5]) {
      truncateSync(segmentPath(dir.path), size);
      const { spool: again, unsettled } = await reopen(dir.path, SMALL);
      expect(again.chain.head().seq).toBe(2n);
      expect(unsettled).toHaveLength(1);
      await again.append([payload('new segment')]);
      await again.close();
    }
  });

  it('reports records that a truncated older segment has lost', async () => {
    using dir = temporaryDirectory();
    const ends = await threeCalls(dir.path);
    const older = segmentPath(dir.path);
    const { spool } = await reopen(dir.path, SMALL);
    await spool.append(completion(spool, 'three'));
    await spool.close();
    truncateSync(older, ends[0]);
    const found = await readBack(dir.path);
    expect(found).toMatchObject({
      metadata: ['m three'],
      payload: ['p three'],
      seq: 3n,
      damaged: 1,
      unsettled: ['one'],
    });
    expect(found.events).toContain('spool.chain_gap');
  });

  it('never takes the chain back or ships too little when segments were removed by hand', async () => {
    using dir = temporaryDirectory();
    await threeCalls(dir.path);
    expect((await readBack(dir.path)).seq).toBe(2n);
    for (const name of readdirSync(dir.path)) if (name.endsWith('.spool')) rmSync(join(dir.path, name));
    const found = await readBack(dir.path);
    expect(found).toMatchObject({ metadata: [], seq: 3n });
  });

  it('keeps the identity of the chain without chain.json, and refuses to guess between two', async () => {
    using dir = temporaryDirectory();
    await threeCalls(dir.path);
    const { id } = JSON.parse(readFileSync(join(dir.path, 'chain.json'), 'utf8')) as { id: string };
    rmSync(join(dir.path, 'chain.json'));
    const { spool } = await reopen(dir.path);
    expect(spool.chain).toMatchObject({ id });
    expect(spool.chain.head().seq).toBe(2n);
    await spool.close();
    writeFileSync(join(dir.path, 'chain.json'), 'garbage');
    const { spool: third } = await reopen(dir.path);
    expect(third.chain.id).toBe(id);
    await third.close();

    using other = temporaryDirectory();
    await threeCalls(other.path);
    copyFileSync(join(other.path, 'chain.json'), join(dir.path, 'chain.json'));
    await expect(reopen(dir.path)).rejects.toMatchObject({ code: 'spool_corrupt' });
    for (const name of readdirSync(dir.path)) if (name.endsWith('.spool')) rmSync(join(dir.path, name));
    writeFileSync(join(dir.path, 'chain.json'), 'garbage');
    await expect(reopen(dir.path)).rejects.toMatchObject({ code: 'spool_corrupt' });
  });

  it('begins anew with the oldest segment when a cursor is damaged', async () => {
    using dir = temporaryDirectory();
    await threeCalls(dir.path);
    const ship = async () => {
      const logger = collectingLogger();
      const { spool } = await reopen(dir.path, { logger });
      const store = fakeStore();
      spool.startShipping({ ...store, lingerMs: 0 });
      await spool.flush(5000);
      await spool.close();
      return { ...store.delivered, events: logger.lines.map((line) => line.event) };
    };
    expect(await ship()).toMatchObject({ metadata: ['m one', 'm two'], payload: ['p one', 'p two'] });
    for (const damage of ['', '{"acked":-1,"ends":[]}', '{"acked":5,"ends":[4]}', '{"acked":1e300,"ends":[]}', '[]']) {
      writeFileSync(join(dir.path, 'cursor-payload.json'), damage);
      const found = await ship();
      expect(found, damage).toMatchObject({ metadata: [], payload: ['p one', 'p two'] });
      expect(found.events).toContain('spool.cursor_damaged');
    }
    expect(await ship()).toMatchObject({ metadata: [], payload: [] });
  });

  it('opens an empty directory and one that is nested and missing', async () => {
    using dir = temporaryDirectory();
    mkdirSync(join(dir.path, 'a'));
    for (const path of [join(dir.path, 'a'), join(dir.path, 'b', 'c')]) {
      const { spool, unsettled } = await reopen(path);
      expect(unsettled).toEqual([]);
      expect(spool.chain.id).toMatch(/^gw-[0-9a-f]{8}$/);
      await spool.close();
    }
  });
});

function QUIET_BUT_COPY(name: string) {
  return { damaged: 0, events: [], corruptFiles: [`${name}.1.corrupt`], metadata: [], payload: [] };
}
