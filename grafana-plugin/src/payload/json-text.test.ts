import { describe, expect, it } from 'vitest';
import type { Json } from './json.ts';
import { jsonBeginning, jsonText } from './json-text.ts';
import { Slices } from './slices.ts';

const text = (value: Json) => jsonText(value, new Slices({ signal: new AbortController().signal }));

const VALUES: readonly Json[] = [
  1,
  'a "quoted" \u2028',
  null,
  [],
  {},
  [1, [2, {}], []],
  { a: { b: [true, null] }, 'x y': '' },
  JSON.parse('{"__proto__":1}') as Json,
];

describe('a JSON value as text', () => {
  it.each(VALUES.map((value) => [JSON.stringify(value, null, 2), value] as const))('is %s', async (expected, value) => {
    expect(await text(value)).toBe(expected);
  });

  it('of ten thousand levels is written, and read again', async () => {
    const written = await text(JSON.parse(`${'['.repeat(10_000)}"needle"${']'.repeat(10_000)}`) as Json);
    expect(written?.length).toBeLessThan(2_000_000);
    expect(written?.replaceAll(/\s/g, '')).toBe(`${'['.repeat(10_000)}"needle"${']'.repeat(10_000)}`);
  });

  it('is written in slices, and not further than it is wanted', async () => {
    const abort = new AbortController();
    let [pauses, nowMs] = [0, 0];
    const slices = new Slices({
      signal: abort.signal,
      nowMs: () => (nowMs += 100),
      pause: () => {
        pauses += 1;
        abort.abort();
        return Promise.resolve();
      },
    });
    const value = Array.from({ length: 100_000 }, (_unused, index) => index);
    expect(await jsonText(value, slices)).toBeUndefined();
    expect(pauses).toBe(1);
  });

  it('begins without being made whole', () => {
    expect(jsonBeginning(['x'.repeat(5_000_000)], 10)).toBe('[\n  "xxxxx…');
    expect(jsonBeginning({ a: 1 }, 100)).toBe('{\n  "a": 1\n}');
  });
});
