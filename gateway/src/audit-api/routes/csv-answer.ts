/** A table as a file. Taking one away is recorded before it is given out. */
import type { Context } from 'hono';
import type { CsvColumn } from '../../exports/csv.ts';
import { toCsv } from '../../exports/csv.ts';
import type { ApiEnv, RouteDeps } from '../deps.ts';
import { accessActor } from '../deps.ts';
import { recordAccess } from '../record-access.ts';

/** `format` comes before `Accept`; of that only `text/csv` by name counts, which no browser sends by itself. */
export function wantsCsv(c: Context<ApiEnv>, format: 'json' | 'csv' | undefined): boolean {
  if (format !== undefined) return format === 'csv';
  return /^\s*text\/csv\s*(;|,|$)/i.test(c.req.header('Accept') ?? '');
}

interface CsvTable<Row> {
  /** for the name of the file */
  readonly table: string;
  readonly columns: readonly CsvColumn<Row>[];
  readonly lines: readonly Row[];
}

/** Throws ApiError `not_recorded`. */
export async function csvAnswer<Row>(c: Context<ApiEnv>, deps: RouteDeps, { table, columns, lines }: CsvTable<Row>) {
  const csv = toCsv(columns, lines);
  await recordAccess(deps, {
    ...accessActor(c),
    action: 'usage.read',
    decision: 'allowed',
    rows: lines.length,
    detail: { format: 'csv', table },
  });
  return c.body(csv, 200, {
    'Content-Type': 'text/csv; charset=utf-8',
    'Content-Disposition': `attachment; filename="gatelens-usage-${table}.csv"`,
  });
}
