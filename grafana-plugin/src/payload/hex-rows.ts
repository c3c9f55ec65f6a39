/** Bytes that are no text, as rows of a hexadecimal dump: offset, bytes, printable characters. Made when they are drawn. */
import { MAX_ROWS, type RowSource } from './text-rows.ts';

const BYTES_PER_ROW = 16;

/** @param binary a character for each byte */
export function hexRows(binary: string): RowSource {
  const whole = Math.ceil(binary.length / BYTES_PER_ROW);
  const count = Math.min(whole, MAX_ROWS);
  return {
    count,
    isCut: whole > count,
    row: (index) => {
      const at = index * BYTES_PER_ROW;
      const row = binary.slice(at, at + BYTES_PER_ROW);
      const hex = Array.from(row, (byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join(' ');
      const shown = Array.from(row, (byte) => (byte >= ' ' && byte < '\u007f' ? byte : '.')).join('');
      return { label: at.toString(16), text: `${hex.padEnd(BYTES_PER_ROW * 3)} ${shown}` };
    },
    indexAt: (offset) => Math.min(Math.floor(offset / BYTES_PER_ROW), count - 1),
  };
}
