/**
 * What an exported row can hold: every column of record v1 as docs/record.md names it, so that a hash can be computed
 * again from a file, and who the person behind `user_key` is where that is known. Names and text only; the SQL is in
 * store/queries/export-rows.ts.
 */
import { CALL_FIELDS } from '../record/fields.ts';

/** From the erasable principals; empty where nobody is known by the key any more. */
const PERSON_COLUMNS = [
  { name: 'user_email', about: 'e-mail of who called, where known' },
  { name: 'user_login', about: 'login of who called, where known' },
  { name: 'user_name', about: 'name of who called, where known' },
] as const;

export interface ExportColumn {
  readonly name: string;
  readonly about: string;
}

const RECORD_COLUMNS: readonly ExportColumn[] = CALL_FIELDS.map(({ column, about, unit }) => ({
  name: column,
  about: unit === 'ns' && column !== 'started_at' ? `${about}; nanoseconds` : about,
}));

/** In the order of a file. */
export const EXPORT_COLUMNS: readonly ExportColumn[] = [
  ...RECORD_COLUMNS.flatMap((column) => (column.name === 'user_key' ? [column, ...PERSON_COLUMNS] : [column])),
];

const NAMES: ReadonlySet<string> = new Set(EXPORT_COLUMNS.map(({ name }) => name));

export function isExportColumn(name: string): boolean {
  return NAMES.has(name);
}

/** @param chosen undefined: all. @returns in the order of a file, whatever order they were named in */
export function chosenColumns(chosen: readonly string[] | undefined): readonly string[] {
  const wanted = chosen === undefined ? NAMES : new Set(chosen);
  return EXPORT_COLUMNS.map(({ name }) => name).filter((name) => wanted.has(name));
}
