/**
 * The bytes of a file with payloads: rows of the store are read in batches of bounded size, what is sealed is opened in
 * memory and written out at once. Plaintext is nowhere but in the batch at hand. What this caller may not open is named
 * with the reason in place of the payload.
 */
import { CALL_TO_OPEN, EXPORT_SETTINGS, callsToOpenQuery, slicesOf } from '../store/queries/export-rows.ts';
import { dataKeys, streamedPayloads, type DataKeyRow, type SealedRowOfCall } from '../store/queries/payload.ts';
import { textRows } from '../store/queries/row-binary.ts';
import { fitsStream } from '../store/queries/row-stream.ts';
import { cellText } from './csv.ts';
import type { CallToOpen, ExportPlan, ExportProgress, ExportSource, OpenedCall, OpenedPart } from './export-plan.ts';
import { ExportRefused } from './export-refused.ts';

const ROWS_A_SLICE = 20_000;
/** A batch is asked for at once, so its ciphertext and its plaintext are in memory. */
const ROWS_A_BATCH = 1000;
const BYTES_A_BATCH = 8 * 1024 * 1024;
/** Asked for while one is opened: the store is busy with the next ones, and nobody waits for its answers. */
const BATCHES_AHEAD = 3;
const PAYLOAD_CSV_COLUMNS = [
  'request_state',
  'request_headers',
  'request_body',
  'response_state',
  'response_headers',
  'response_body',
] as const;

interface Row {
  /** as JSON, all but its closing brace */
  readonly line: Buffer;
  readonly call: CallToOpen;
  readonly bodyBytes: number;
}

interface Batch {
  readonly rows: readonly Row[];
  readonly sealed: ReadonlyMap<string, readonly SealedRowOfCall[]>;
  readonly keys: ReadonlyMap<string, DataKeyRow>;
}

export async function* payloadRows(
  plan: ExportPlan,
  source: ExportSource,
  progress: ExportProgress,
  signal: AbortSignal
): AsyncGenerator<Buffer> {
  if (plan.format === 'parquet')
    throw new ExportRefused('Parquet is written by the store, which cannot open payloads. Use jsonl or csv.');
  if (plan.format === 'csv') yield Buffer.from(`${[...plan.columns, ...PAYLOAD_CSV_COLUMNS].join(',')}\r\n`);
  const write = plan.format === 'csv' ? csvLine : jsonLine;
  const ahead: Promise<Batch>[] = [];
  for await (const rows of batchesOf(plan, source, signal)) {
    const next = sealedOf(plan, source, rows, signal);
    next.catch(() => undefined);
    ahead.push(next);
    const oldest = ahead.length > BATCHES_AHEAD ? ahead.shift() : undefined;
    if (oldest !== undefined) yield* opened(await oldest);
  }
  for (const batch of ahead) yield* opened(await batch);

  async function* opened(batch: Batch): AsyncGenerator<Buffer> {
    for (const { line, call } of batch.rows) {
      signal.throwIfAborted();
      const hidden = source.hidden(plan.visibility, call.server, call.payload_state);
      const sealed = { rows: batch.sealed.get(call.call_id) ?? [], keys: batch.keys };
      const payload = hidden === undefined ? await source.open(call, sealed) : hiddenCall(hidden);
      const bytes = Buffer.from(write(plan.columns, line, payload));
      progress.rows += 1;
      progress.payloadBytes += bodyBytes(payload.request) + bodyBytes(payload.response);
      yield bytes;
    }
  }
}

async function sealedOf(
  plan: ExportPlan,
  source: ExportSource,
  rows: readonly Row[],
  signal: AbortSignal
): Promise<Batch> {
  const wanted = rows
    .filter(({ call }) => source.hidden(plan.visibility, call.server, call.payload_state) === undefined)
    .map(({ call }) => ({ callId: call.call_id, server: call.server, startedNs: call.started_ns }));
  const found = await streamedPayloads(source.streams, plan.visibility, wanted, { signal }, EXPORT_SETTINGS);
  const keyIds = found.map((one) => one.key_id);
  const keys =
    keyIds.length === 0
      ? new Map<string, DataKeyRow>()
      : await dataKeys(source.reader, plan.visibility, keyIds, { signal });
  const sealed = new Map<string, SealedRowOfCall[]>();
  for (const one of found) {
    const parts = sealed.get(one.call_id);
    if (parts === undefined) sealed.set(one.call_id, [one]);
    else parts.push(one);
  }
  return { rows, sealed, keys };
}

async function* batchesOf(plan: ExportPlan, source: ExportSource, signal: AbortSignal): AsyncGenerator<Row[]> {
  const { visibility } = plan;
  const cut = { rowsASlice: ROWS_A_SLICE, nowNs: source.nowNs() };
  let batch: Row[] = [];
  let bytes = 0;
  for (const slice of await slicesOf(source.reader, visibility, plan, cut, { signal })) {
    const query = callsToOpenQuery(visibility, { ...plan, window: slice }, plan.columns, slice.final);
    if (!fitsStream(query.params)) {
      throw new ExportRefused('The filters have too many or too long values for an export. Use fewer.');
    }
    const bytesOfRows = source.streams.stream(query.sql, query.params, query.format, { signal });
    for await (const texts of textRows(bytesOfRows, 1 + CALL_TO_OPEN.length)) {
      const row = rowOf(texts);
      batch.push(row);
      bytes += row.bodyBytes;
      if (batch.length < ROWS_A_BATCH && bytes < BYTES_A_BATCH) continue;
      yield batch;
      batch = [];
      bytes = 0;
    }
  }
  if (batch.length > 0) yield batch;
}

function rowOf([line = Buffer.alloc(0), ...texts]: readonly Buffer[]): Row {
  const [
    call_id = '',
    started_ns = '',
    server = '',
    payload_state = '',
    request_sha256 = '',
    response_sha256 = '',
    bytes,
  ] = texts.map((text) => text.toString());
  const call = { call_id, started_ns, server, payload_state, request_sha256, response_sha256 };
  return { line, call, bodyBytes: Number(bytes) };
}

function hiddenCall(reason: string): OpenedCall {
  return { request: { state: reason }, response: { state: reason } };
}

function bodyBytes({ bodyText, bodyBase64 }: OpenedPart): number {
  if (bodyText !== undefined) return Buffer.byteLength(bodyText);
  return bodyBase64 === undefined ? 0 : Buffer.byteLength(bodyBase64, 'base64');
}

function jsonLine(_columns: readonly string[], line: Buffer, { request, response }: OpenedCall): string {
  return `${line.toString()},"request":${JSON.stringify(request)},"response":${JSON.stringify(response)}}\n`;
}

function csvLine(columns: readonly string[], line: Buffer, { request, response }: OpenedCall): string {
  const row = JSON.parse(`${line.toString()}}`) as Readonly<Record<string, unknown>>;
  const cells = columns.map((column) => {
    const value = row[column];
    if (typeof value === 'number') return String(value);
    return cellText(typeof value === 'string' ? value : JSON.stringify(value));
  });
  const parts = [request, response].flatMap((part) => [
    cellText(part.state),
    cellText(part.headers === undefined ? '' : JSON.stringify(part.headers)),
    cellText(part.bodyText ?? part.bodyBase64 ?? ''),
  ]);
  return `${[...cells, ...parts].join(',')}\r\n`;
}
