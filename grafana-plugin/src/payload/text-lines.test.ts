import { describe, expect, it } from 'vitest';
import { findInText, textLines } from './text-lines.ts';

const shown = (text: string, width: number) =>
  textLines(text, width).map(({ start, end, number }) => [number, text.slice(start, end)]);

describe('text in lines', () => {
  it('keeps empty lines and breaks long ones by count, numbered once', () => {
    expect(shown(`a\n\n${'x'.repeat(25)}\n`, 20)).toEqual([
      [1, 'a'],
      [2, ''],
      [3, 'x'.repeat(20)],
      [undefined, 'xxxxx'],
      [4, ''],
    ]);
  });

  it('breaks no surrogate pair', () => {
    const text = `${'x'.repeat(19)}😀y`;
    expect(shown(text, 20).map(([, line]) => line)).toEqual([`${'x'.repeat(19)}😀`, 'y']);
  });

  it('takes five megabytes without a newline as many short lines', () => {
    expect(textLines('x'.repeat(5_000_000), 100)).toHaveLength(50_000);
  });

  it('finds text in any case, up to a limit', () => {
    expect(findInText('abcABC', 'bC', 10)).toEqual([1, 4]);
    expect(findInText('aaaa', 'a', 2)).toEqual([0, 1]);
    expect(findInText('aaaa', '', 2)).toEqual([]);
  });
});
