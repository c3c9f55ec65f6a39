/**
 * Tables as CSV (RFC 4180). Names in them come from upstream servers and clients, so a text that a spreadsheet would run
 * as a formula gets an apostrophe in front, and every text is quoted, whatever a spreadsheet takes for a separator.
 */

/** What spreadsheets take for the start of a formula, full-width forms and leading blanks included. */
const FORMULA = /^[\s\p{Cc}]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/u;

export type CsvCell = string | number | null;

export interface CsvColumn<Row> {
  readonly name: string;
  readonly cell: (row: Row) => CsvCell | undefined;
}

export function cellText(cell: CsvCell | undefined): string {
  if (cell === null || cell === undefined) return '';
  if (typeof cell === 'number') return String(cell);
  const safe = FORMULA.test(cell) ? `'${cell}` : cell;
  return `"${safe.replaceAll('"', '""')}"`;
}

/** With a header line; lines end with CRLF. */
export function toCsv<Row>(columns: readonly CsvColumn<Row>[], rows: readonly Row[]): string {
  const lines = [columns.map(({ name }) => name), ...rows.map((row) => columns.map(({ cell }) => cellText(cell(row))))];
  return lines.map((cells) => `${cells.join(',')}\r\n`).join('');
}
