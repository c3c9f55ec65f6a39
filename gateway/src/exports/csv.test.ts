import { expect, test } from 'vitest';
import { toCsv } from './csv.ts';

const one = (value: string | number | null): string =>
  toCsv([{ name: 'v', cell: (row: { v: string | number | null }) => row.v }], [{ v: value }]).split('\r\n')[1] ?? '';

test.each([
  ['plain', '"plain"'],
  ['a,b', '"a,b"'],
  ['say "x"', '"say ""x"""'],
  ['a;=1+1', '"a;=1+1"'],
  ['line\nbreak', '"line\nbreak"'],
  ['', '""'],
  [12.5, '12.5'],
  [-3, '-3'],
  [null, ''],
])('%j becomes %s', (value, expected) => {
  expect(one(value)).toBe(expected);
});

test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '  =cmd|calc', '\u0000=1', '＝1+1', '-32602', '\n=1'])(
  'a text that a spreadsheet would run does not: %j',
  (value) => {
    expect(one(value).startsWith(`"'`)).toBe(true);
  }
);

test('has a header and ends each line as RFC 4180 says', () => {
  const csv = toCsv(
    [
      { name: 'a', cell: () => 1 },
      { name: 'b', cell: () => 'x' },
    ],
    [{}, {}]
  );
  expect(csv).toBe('a,b\r\n1,"x"\r\n1,"x"\r\n');
});
