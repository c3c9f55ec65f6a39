/**
 * A file as it is made: rows, then compression, counted at the end. The same for a download, for `gatelens export` and
 * for a schedule. A file that cannot be made whole throws; it never ends early as if it were whole.
 */
import { compressed } from './compression.ts';
import type { ExportPlan, ExportProgress, ExportSource } from './export-plan.ts';
import { metadataRows } from './metadata-rows.ts';
import { payloadRows } from './payload-rows.ts';

/** Small pieces cost more than they hold. */
const PIECE_BYTES = 32 * 1024;

export async function* exportFile(
  plan: ExportPlan,
  source: ExportSource,
  progress: ExportProgress,
  signal: AbortSignal
): AsyncGenerator<Buffer> {
  const rows = plan.payloads
    ? payloadRows(plan, source, progress, signal)
    : metadataRows(plan, source, progress, signal);
  for await (const piece of compressed(inPieces(rows), plan.compression)) {
    progress.bytes += piece.length;
    yield piece;
  }
}

async function* inPieces(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of source) {
    held.push(chunk);
    bytes += chunk.length;
    if (bytes < PIECE_BYTES) continue;
    // what is large goes on as it is: a copy of every byte would cost more than it saves
    if (held.length === 1) yield chunk;
    else yield Buffer.concat(held, bytes);
    held = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(held, bytes);
}
