/**
 * The bytes of a file with payloads: rows of the store are read in batches of bounded size, what is sealed is opened in
 * memory and written out at once. Plaintext is nowhere but in the batch at hand. What this caller may not open is named
 * with the reason in place of the payload.
 */
import type { CallRow } from '../store/queries/call-row.ts';
import { EXPORT_SETTINGS, exportRowsQuery, slicesOf } from '../store/queries/export-rows.ts';
import { dataKeys, sealedPayloads, type DataKeyRow, type SealedRowOfCall } from '../store/queries/payload.ts';
import { fitsStream } from '../store/queries/row-stream.ts';
import { cellText } from './csv.ts';
import type { ExportPlan, ExportProgress, ExportSource, OpenedCall, OpenedPart } from './export-plan.ts';
import { ExportRefused } from './export-refused.ts';

const ROWS_A_SLICE = 20_000;
/** A batch is asked for at once, so its ciphertext and its plaintext are in memory. */
const ROWS_A_BATCH = 400;
const BYTES_A_BATCH = 8 * 1024 * 1024;
/** What opening needs, whatever columns were chosen. */
const NEEDED = [
  'call_id',
  'started_at',
  'server',
  'user_key',
  'payload_state',
  'request_sha256',
  'response_sha256',
  'request_bytes',
  'response_bytes',
];
const PAYLOAD_CSV_COLUMNS = [
  'request_state',
  'request_headers',
  'request_body',
  'response_state',
  'response_headers',
  'response_body',
] as const;

type Row = Readonly<Record<string, unknown>> & Pick<CallRow, 'call_id' | 'server' | 'payload_state'>;

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
  // the next batch is on its way while this one is opened
  let ahead: Promise<Batch> | undefined;
  for await (const rows of batchesOf(plan, source, signal)) {
    const next = sealedOf(plan, source, rows, signal);
    next.catch(() => undefined);
    if (ahead !== undefined) yield* opened(await ahead);
    ahead = next;
  }
  if (ahead !== undefined) yield* opened(await ahead);

  async function* opened(batch: Batch): AsyncGenerator<Buffer> {
    for (const row of batch.rows) {
      signal.throwIfAborted();
      const hidden = source.hidden(plan.visibility, row.server, row.payload_state);
      const payload = hidden === undefined ? await open(row, batch) : hiddenCall(hidden);
      const line = Buffer.from(write(plan.columns, row, payload));
      progress.rows += 1;
      progress.payloadBytes += bodyBytes(payload.request) + bodyBytes(payload.response);
      yield line;
    }
  }

  function open(row: Row, batch: Batch): Promise<OpenedCall> {
    const call = { ...row, started_ns: `${nsOf(row)}` } as unknown as CallRow;
    return source.open(call, { rows: batch.sealed.get(row.call_id) ?? [], keys: batch.keys });
  }
}

async function sealedOf(
  plan: ExportPlan,
  source: ExportSource,
  rows: readonly Row[],
  signal: AbortSignal
): Promise<Batch> {
  const wanted = rows
    .filter((row) => source.hidden(plan.visibility, row.server, row.payload_state) === undefined)
    .map((row) => ({ callId: row.call_id, server: row.server, startedNs: `${nsOf(row)}` }));
  const found = await sealedPayloads(source.reader, plan.visibility, wanted, { signal }, EXPORT_SETTINGS);
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
  const columns = [...new Set([...plan.columns, ...NEEDED])];
  let batch: Row[] = [];
  let bytes = 0;
  for (const slice of await slicesOf(source.reader, visibility, plan, cut, { signal })) {
    const query = exportRowsQuery(visibility, { ...plan, window: slice }, columns, {
      final: slice.final,
      format: 'jsonl',
    });
    if (!fitsStream(query.params)) {
      throw new ExportRefused('The filters have too many or too long values for an export. Use fewer.');
    }
    for await (const line of linesOf(source.streams.stream(query.sql, query.params, query.format, { signal }))) {
      const row = JSON.parse(line) as Row;
      batch.push(row);
      bytes += Number(row.request_bytes) + Number(row.response_bytes);
      if (batch.length < ROWS_A_BATCH && bytes < BYTES_A_BATCH) continue;
      yield batch;
      batch = [];
      bytes = 0;
    }
  }
  if (batch.length > 0) yield batch;
}

async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const joined = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = joined.indexOf(0x0a); end >= 0; end = joined.indexOf(0x0a, start)) {
      yield joined.toString('utf8', start, end);
      start = end + 1;
    }
    rest = joined.subarray(start);
  }
  if (rest.length > 0) yield rest.toString('utf8');
}

function hiddenCall(reason: string): OpenedCall {
  return { request: { state: reason }, response: { state: reason } };
}

function bodyBytes({ bodyText, bodyBase64 }: OpenedPart): number {
  if (bodyText !== undefined) return Buffer.byteLength(bodyText);
  return bodyBase64 === undefined ? 0 : Buffer.byteLength(bodyBase64, 'base64');
}

function jsonLine(columns: readonly string[], row: Row, { request, response }: OpenedCall): string {
  const shown: Record<string, unknown> = {};
  for (const column of columns) shown[column] = row[column];
  return `${JSON.stringify({ ...shown, request, response })}\n`;
}

function csvLine(columns: readonly string[], row: Row, { request, response }: OpenedCall): string {
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

/** From RFC 3339 as the engine writes it. */
function nsOf(row: Row): bigint {
  const [seconds = '', fraction = ''] = String(row.started_at).replace(/Z$/, '').split('.');
  return BigInt(Date.parse(`${seconds}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0').slice(0, 9));
}
