import { describe, expect, it } from 'vitest';
import { estimateTokens } from './tokens.ts';

const body = (text: string, split: number[] = [], bytes?: number) => {
  const buffer = Buffer.from(text);
  const chunks: Uint8Array[] = [];
  let from = 0;
  for (const at of [...split, buffer.length]) {
    chunks.push(buffer.subarray(from, at));
    from = at;
  }
  return { chunks, bytes: bytes ?? buffer.length, format: 'json' as const };
};

const base64 = Buffer.alloc(6000, 0xab).toString('base64');

describe('estimateTokens', () => {
  it('is a quarter of the bytes of text', () => {
    expect(estimateTokens(body('x'.repeat(2001)))).toBe(501);
    expect(estimateTokens(body(''))).toBe(0);
  });

  it('counts what is beyond the cap as text', () => {
    expect(estimateTokens(body('x'.repeat(100), [], 4000))).toBe(1000);
  });

  it.each([
    ['an image', `{"type":"image","data":"${base64}"}`],
    ['a blob with a space after the colon', `{"uri":"x","blob": "${base64}"}`],
  ])('does not count the base64 of %s, however it is cut into chunks', (_what, text) => {
    const expected = Math.ceil((text.length - base64.length) / 4);
    for (const split of [[], [1000], [700, 1400, 7000], [text.length - 1]]) {
      expect(estimateTokens(body(text, split))).toBe(expected);
    }
  });

  it('counts text in a member called data', () => {
    const text = `{"data":"${'some words, and more. '.repeat(100)}"}`;
    expect(estimateTokens(body(text))).toBe(Math.ceil(text.length / 4));
  });

  it('takes many short members in time', () => {
    const text = '"data":"",'.repeat(26_000);
    const started = performance.now();
    expect(estimateTokens(body(text))).toBe(text.length / 4);
    expect(performance.now() - started).toBeLessThan(500);
  });
});
