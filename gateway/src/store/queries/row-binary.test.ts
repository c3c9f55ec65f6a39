import { expect, test } from 'vitest';
import { textRows } from './row-binary.ts';

const LONG = 'x'.repeat(300);
/** 300 = 0b10_0101100 */
const BYTES = Buffer.concat([
  Buffer.from([1, 0x61, 0]),
  Buffer.from([0xac, 0x02]),
  Buffer.from(LONG),
  Buffer.from([0]),
]);

async function rowsOf(pieces: readonly Buffer[]): Promise<string[][]> {
  const rows: string[][] = [];
  for await (const row of textRows(chunks(pieces), 2)) rows.push(row.map((text) => text.toString()));
  return rows;
}

async function* chunks(pieces: readonly Buffer[]): AsyncGenerator<Buffer> {
  for (const piece of pieces) yield await Promise.resolve(piece);
}

test('rows are whole wherever the bytes are cut', async () => {
  const expected = [
    ['a', ''],
    [LONG, ''],
  ];
  for (let cut = 0; cut <= BYTES.length; cut++) {
    expect(await rowsOf([BYTES.subarray(0, cut), BYTES.subarray(cut)])).toEqual(expected);
  }
  expect(await rowsOf([])).toEqual([]);
});

test('a result that ends within a row is an error', async () => {
  await expect(rowsOf([BYTES.subarray(0, BYTES.length - 1)])).rejects.toThrow('within a row');
});
