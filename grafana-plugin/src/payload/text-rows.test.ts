import { describe, expect, it } from 'vitest';
import { hexRows } from './hex-rows.ts';
import { MAX_ROWS, textRows, type RowSource } from './text-rows.ts';

const shown = ({ count, row }: RowSource) =>
  Array.from({ length: count }, (_unused, index) => row(index)).map(({ label, text }) => [label, text]);

describe('text in rows', () => {
  it('keeps empty lines and breaks long ones by count, numbered once', () => {
    expect(shown(textRows(`a\n\n${'x'.repeat(25)}\n`, 20))).toEqual([
      ['1', 'a'],
      ['2', ''],
      ['3', 'x'.repeat(20)],
      [undefined, 'xxxxx'],
      ['4', ''],
    ]);
  });

  it.each(['x'.repeat(20), `${'x'.repeat(20)}\n`, `${'x'.repeat(40)}\ny`])(
    'takes a line that just fits: %j',
    (text) => {
      const rows = textRows(text, 20);
      expect(
        shown(rows)
          .map(([label, row]) => `${label === undefined || label === '1' ? '' : '\n'}${row ?? ''}`)
          .join('')
      ).toBe(text);
    }
  );

  it('breaks no surrogate pair', () => {
    const text = `${'x'.repeat(19)}😀y`;
    expect(shown(textRows(text, 20)).map(([, row]) => row)).toEqual([`${'x'.repeat(19)}😀`, 'y']);
  });

  it('takes five megabytes without a newline as many short rows', () => {
    expect(textRows('x'.repeat(5_000_000), 100).count).toBe(50_000);
  });

  it('takes as many rows as a browser can scroll through, and says that there are more', () => {
    const rows = textRows('\n'.repeat(5_000_000), 100);
    expect(rows).toMatchObject({ count: MAX_ROWS, isCut: true });
    expect(rows.row(MAX_ROWS - 1)).toEqual({ label: String(MAX_ROWS), text: '' });
    expect(rows.indexAt(4_999_999)).toBe(MAX_ROWS - 1);
    const long = textRows('x'.repeat(MAX_ROWS * 20 + 100), 20);
    expect(long.row(long.count - 1).text).toHaveLength(20);
  });

  it('knows the row of each character', () => {
    const text = `ab\n${'x'.repeat(50)}\nc`;
    const rows = textRows(text, 20);
    expect([0, 1, 3, 22, 23, 52, 54].map((at) => rows.indexAt(at))).toEqual([0, 0, 1, 1, 2, 3, 4]);
  });
});

describe('bytes in rows', () => {
  it('are a dump with offset, bytes and printable characters', () => {
    expect(shown(hexRows('\xff\x41\x0a'))).toEqual([['0', `ff 41 0a${' '.repeat(40)} .A.`]]);
    const rows = hexRows('\0'.repeat(5_000_000));
    expect(rows.count).toBe(312_500);
    expect(rows.row(rows.indexAt(4_999_999)).label).toBe((312_499 * 16).toString(16));
  });
});
