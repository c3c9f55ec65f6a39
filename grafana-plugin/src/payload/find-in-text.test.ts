import { describe, expect, it } from 'vitest';
import { findInText, wantedBytes } from './find-in-text.ts';
import { Slices } from './slices.ts';
import { MAX_FINDS } from './usePayloadSearch.ts';

/** A clock on which each look takes long, so that each is followed by a pause. */
function slowSlices(signal = new AbortController().signal) {
  let [nowMs, pauses] = [0, 0];
  const slices = new Slices({
    signal,
    nowMs: () => (nowMs += 100),
    pause: () => {
      pauses += 1;
      return Promise.resolve();
    },
  });
  return { slices, pauses: () => pauses };
}

const find = async (text: string, wanted: string) =>
  (await findInText(text, wanted, slowSlices().slices))?.found.map(({ at, length }) => text.slice(at, at + length));

describe('search in a text', () => {
  it.each([
    ['abcABC', 'bC', ['bc', 'BC']],
    ['aaaa', 'aa', ['aa', 'aa']],
    ['a.b axb', 'a.b', ['a.b']],
    ['(x) [y] {2} $ ^ | \\', '\\', ['\\']],
    // in small letters this is longer than it is
    ['İİİ needle', 'NEEDLE', ['needle']],
    ['x😀y', '😀', ['😀']],
    ['none', 'z', []],
  ] as const)('%j for %j finds %j', async (text, wanted, expected) => {
    expect(await find(text, wanted)).toEqual(expected);
  });

  it('finds what lies across two pieces, once, wherever they meet', async () => {
    for (let before = 131_072 - 8; before <= 131_072 + 1; before++) {
      const text = `${'x'.repeat(before)}needle${'x'.repeat(200_000)}`;
      expect(await findInText(text, 'NEEDLE', slowSlices().slices)).toMatchObject({
        found: [{ at: before, length: 6 }],
      });
    }
  });

  it('lets others work while it goes through five megabytes, and stops when it is not wanted any more', async () => {
    const text = 'x'.repeat(5_000_000);
    const { slices, pauses } = slowSlices();
    expect(await findInText(text, 'needle', slices)).toEqual({ found: [], isCut: false });
    expect(pauses()).toBeGreaterThan(30);
    const abort = new AbortController();
    abort.abort();
    const given = slowSlices(abort.signal);
    expect(await findInText(text, 'needle', given.slices)).toBeUndefined();
    expect(given.pauses()).toBe(1);
  });

  it('says when there is more than anybody steps through', async () => {
    const { slices } = slowSlices();
    const some = await findInText('a'.repeat(MAX_FINDS), 'a', slices);
    expect([some?.found.length, some?.isCut]).toEqual([MAX_FINDS, false]);
    const more = await findInText('a'.repeat(MAX_FINDS + 1), 'a', slices);
    expect([more?.found.length, more?.isCut]).toEqual([MAX_FINDS, true]);
  });

  it('finds bytes by digits or by text, and no other case of them', async () => {
    const { slices } = slowSlices();
    const bytes = '\xffgr\xc3\xbc\xc3\x9fe\xe9\xc9';
    const at = async (wanted: string) =>
      (await findInText(bytes, wantedBytes(wanted), slices, { isBytes: true }))?.found.map((find) => find.at);
    expect(await at('grüße')).toEqual([1]);
    expect(await at('C9')).toEqual([9]);
    expect(await at('ff 67')).toEqual([0]);
  });
});
