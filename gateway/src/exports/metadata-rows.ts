/**
 * The bytes of a file without payloads: written by the engine, passed on as they are, slice by slice. Nothing is parsed
 * here, so it costs the same whatever a row holds.
 */
import { exportRowsQuery, slicesOf, type Slice } from '../store/queries/export-rows.ts';
import { fitsStream } from '../store/queries/row-stream.ts';
import { ExportRefused } from './export-refused.ts';
import type { ExportPlan, ExportProgress, ExportSource } from './export-plan.ts';
import { PARQUET_ROWS } from './formats.ts';
import { inOrder } from './read-ahead.ts';

/** Big enough that planning its query costs little, small enough to be read ahead whole: no query waits for a slow reader. */
const ROWS_A_SLICE = 32_000;
const LINE_FEED = 0x0a;

export async function* metadataRows(
  plan: ExportPlan,
  source: ExportSource,
  progress: ExportProgress,
  signal: AbortSignal
): AsyncGenerator<Buffer> {
  const { visibility, format, columns } = plan;
  const found = await slicesOf(
    source.reader,
    visibility,
    plan,
    { rowsASlice: ROWS_A_SLICE, nowNs: source.nowNs() },
    { signal }
  );
  const slices = format === 'parquet' ? oneFile(plan, found) : found;
  if (format === 'csv') yield Buffer.from(`${columns.join(',')}\r\n`);
  const open = (slice: Slice): AsyncIterable<Buffer> => {
    const query = exportRowsQuery(visibility, { ...plan, window: slice }, columns, { final: slice.final, format });
    if (!fitsStream(query.params)) {
      throw new ExportRefused('The filters have too many or too long values for an export. Use fewer.');
    }
    return source.streams.stream(query.sql, query.params, query.format, { signal });
  };
  if (format !== 'jsonl') {
    yield* inOrder(slices, open, (slice) => (progress.rows += slice.rows));
    return;
  }
  for await (const chunk of inOrder(slices, open)) {
    progress.rows += lines(chunk);
    yield chunk;
  }
}

/** A file of Parquet has one foot, so it is one query. */
function oneFile(plan: ExportPlan, slices: readonly Slice[]): Slice[] {
  const rows = slices.reduce((sum, slice) => sum + slice.rows, 0);
  if (rows > PARQUET_ROWS) {
    throw new ExportRefused(
      `A Parquet file has ${PARQUET_ROWS} rows at most, and these are ${rows}. Narrow the range, or use gatelens export, which makes several.`
    );
  }
  return [{ ...plan.window, rows, final: slices.some((slice) => slice.final) }];
}

function lines(chunk: Buffer): number {
  let count = 0;
  for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, at + 1)) count += 1;
  return count;
}
