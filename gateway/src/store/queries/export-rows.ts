/**
 * The rows of an export, oldest first, and what is counted before: how many there are by time, where they stand in the
 * chains. Rows are columns of record v1 under their own names. Reads FINAL only where a row has versions: reading
 * once whether it has is far cheaper. People come from the erasable principals, for callers who may see them.
 */
import type { Position } from './audit-log.ts';
import { jsonPieces, type JsonMember } from './json-line.ts';
import type { QueryOptions, QueryParam, StoreReader } from './reader.ts';
import type { CallFilter, TimeWindow } from './scope.ts';
import { conditions, IN_RANGE, matchesNothing, rangeParams } from './scope.ts';
import { auditedServers, type Visibility } from './visibility.ts';

/** Below what the embedded store gives any query of the audit API. */
const EXPORT_SECONDS = 280;
const SETTINGS = `SETTINGS max_execution_time = ${EXPORT_SECONDS}, do_not_merge_across_partitions_select_final = 1`;
/** One thread, so that an export leaves a core to whoever looks at pages. */
export const EXPORT_SETTINGS = `${SETTINGS}, max_threads = 1`;
const ROW_SETTINGS = `${EXPORT_SETTINGS}, date_time_output_format = 'iso', output_format_json_quote_64bit_integers = 0, output_format_csv_crlf_end_of_line = 1, output_format_parquet_compression_method = 'zstd', output_format_parquet_string_as_string = 1`;

const PEOPLE: Readonly<Record<string, string>> = { user_email: 'email', user_login: 'login', user_name: 'name' };
/** In CSV as JSON, since CSV has no lists. */
const NESTED: ReadonlySet<string> = new Set(['teams', 'attributes']);
const NUMBERS =
  /^(record_version|seq|duration|upstream_duration|ttfb|upstream_attempts|error_code|http_status|request_bytes|response_bytes|tokens_estimated|demo|started_at|ingested_at)$/;
/** As FORMULA in exports/csv.ts, for RE2. */
const FORMULA = String.raw`^[\\s\\pC]*[=+\\-@\\x{FF1D}\\x{FF0B}\\x{FF0D}\\x{FF20}]|^[\\t\\r\\n]`;

/** Positions in one chain, both included. */
export interface SeqRange {
  readonly chainId: string;
  readonly fromSeq: bigint;
  readonly toSeq: bigint;
}

export interface ExportRows {
  readonly filter: CallFilter;
  readonly window: TimeWindow;
  /** rows after this one only */
  readonly after?: Position;
  /** rows at these positions only */
  readonly positions?: readonly SeqRange[];
}

interface Where {
  readonly sql: string;
  readonly params: Readonly<Record<string, QueryParam>>;
}

function whereOf(visibility: Visibility, rows: ExportRows): Where {
  const { sql, params } = conditions(visibility, rows.filter);
  const parts = [IN_RANGE, sql];
  const bound: Record<string, QueryParam> = { ...params, ...rangeParams(rows.window) };
  if (rows.after !== undefined) {
    parts.push('(started_at, call_id) > (fromUnixTimestamp64Nano({afterNs:Int64}), {afterId:String})');
    Object.assign(bound, { afterNs: `${rows.after.startedNs}`, afterId: rows.after.callId });
  }
  if (rows.positions !== undefined) {
    parts.push(
      'arrayExists((c, lo, hi) -> chain_id = c AND seq >= lo AND seq <= hi, {chains:Array(String)}, {lows:Array(UInt64)}, {highs:Array(UInt64)})'
    );
    bound.chains = rows.positions.map(({ chainId }) => chainId);
    bound.lows = rows.positions.map(({ fromSeq }) => Number(fromSeq));
    bound.highs = rows.positions.map(({ toSeq }) => Number(toSeq));
  }
  return { sql: parts.join(' AND '), params: bound };
}

export type RowFormat = 'jsonl' | 'csv' | 'parquet';

export interface RowQuery {
  readonly sql: string;
  readonly params: Readonly<Record<string, QueryParam>>;
  /** of the engine; the bytes of its answer are those of the file */
  readonly format: 'RawBLOB' | 'RowBinary' | 'CSV' | 'Parquet';
}

/** @param final whether a row may have versions. In CSV, text that a spreadsheet would run is made harmless. */
export function exportRowsQuery(
  visibility: Visibility,
  rows: ExportRows,
  columns: readonly string[],
  { final, format }: { readonly final: boolean; readonly format: RowFormat }
): RowQuery {
  const { from, params } = rowsInOrder(visibility, rows, columns, final);
  const query = (shown: readonly string[], engineFormat: RowQuery['format']): RowQuery => ({
    sql: `SELECT ${shown.join(', ')}\n${from}\n${ROW_SETTINGS}`,
    params,
    format: engineFormat,
  });
  const cells = columns.map((name) => ({ name, value: cell(name, visibility) }));
  if (format === 'jsonl') return query(jsonPieces(cells, '}\\n'), 'RawBLOB');
  const shown = format === 'csv' ? cells.map((one) => ({ ...one, value: csvCell(one) })) : cells;
  const named = shown.map(({ name, value }) => `${value} AS ${name}`);
  return query(named, format === 'csv' ? 'CSV' : 'Parquet');
}

/** What opening a payload needs of its call, in the order of `callsToOpenQuery`. */
export const CALL_TO_OPEN = [
  'call_id',
  'started_ns',
  'server',
  'payload_state',
  'request_sha256',
  'response_sha256',
  'body_bytes',
] as const;

/** Texts of RowBinary: the row as JSON without its closing brace, then `CALL_TO_OPEN`. */
export function callsToOpenQuery(
  visibility: Visibility,
  rows: ExportRows,
  columns: readonly string[],
  final: boolean
): RowQuery {
  const needed = ['server', 'payload_state', 'request_sha256', 'response_sha256', 'request_bytes', 'response_bytes'];
  const { from, params } = rowsInOrder(visibility, rows, [...columns, ...needed], final);
  const line = jsonPieces(
    columns.map((name) => ({ name, value: cell(name, visibility) })),
    ''
  );
  return {
    sql: `SELECT concat(${line.join(', ')}, ''), rows.call_id, toString(toUnixTimestamp64Nano(rows.started_at)), toString(rows.server),
    toString(rows.payload_state), rows.request_sha256, rows.response_sha256, toString(rows.request_bytes + rows.response_bytes)
${from}\n${ROW_SETTINGS}`,
    params,
    format: 'RowBinary',
  };
}

/** `rows`, oldest first, and `people` beside them where columns ask for them. */
function rowsInOrder(
  visibility: Visibility,
  rows: ExportRows,
  columns: readonly string[],
  final: boolean
): { readonly from: string; readonly params: RowQuery['params'] } {
  const { sql: where, params } = whereOf(visibility, rows);
  const people = columns.some((column) => column in PEOPLE);
  const stored = columns.filter((column) => !(column in PEOPLE));
  const read = [...new Set([...stored, 'started_at', 'call_id', ...(people ? ['user_key'] : [])])];
  const who = people
    ? '\nLEFT ANY JOIN (SELECT user_key, email, login, name FROM mcp_protected.principals FINAL) AS people ON rows.user_key = people.user_key'
    : '';
  const from = `FROM (SELECT ${read.join(', ')}
FROM mcp.calls${final ? ' FINAL' : ''}
WHERE ${where}
ORDER BY started_at, call_id) AS rows${who}`;
  return { from, params };
}

function csvCell({ name, value }: JsonMember): string {
  if (NUMBERS.test(name)) return value;
  const text = NESTED.has(name) ? `toJSONString(${value})` : `toString(${value})`;
  return `if(match(${text}, '${FORMULA}'), concat('''', ${text}), ${text})`;
}

function cell(column: string, visibility: Visibility): string {
  const name = PEOPLE[column];
  if (name === undefined) return `rows.${column}`;
  return visibility.identities ? `people.${name}` : `''`;
}

export interface Slice extends TimeWindow {
  /** as counted; there may be more by now */
  readonly rows: number;
  /** a row of it has versions */
  readonly final: boolean;
}

const MINUTE_NS = 60_000_000_000n;
const STEPS_NS = [MINUTE_NS, 10n * MINUTE_NS, 60n * MINUTE_NS, 24n * 60n * MINUTE_NS];
const MOST_STEPS = 20_000n;
const DAY_NS = 86_400_000_000_000n;

/**
 * Cuts a window into slices of about `rowsASlice` matching rows, oldest first: each is one query of bounded length, and
 * where an export can go on.
 */
export async function slicesOf(
  store: StoreReader,
  visibility: Visibility,
  rows: ExportRows,
  { rowsASlice, nowNs }: { readonly rowsASlice: number; readonly nowNs: bigint },
  options: QueryOptions = {}
): Promise<Slice[]> {
  if (matchesNothing(visibility, rows.filter)) return [];
  const { fromNs, toNs } = rows.window;
  const newest = toNs < nowNs + DAY_NS ? toNs : nowNs + DAY_NS;
  const { sql: where, params } = whereOf(visibility, rows);
  const range = rangeParams(rows.window);
  const [oldest] = await store.query<{ oldest_ns: string; n: string }>(
    `SELECT toString(toUnixTimestamp64Nano(min(started_at))) AS oldest_ns, toString(count()) AS n FROM mcp.calls WHERE ${IN_RANGE}\n${SETTINGS}`,
    range,
    options
  );
  if (oldest === undefined || oldest.n === '0') return [];
  const startNs = BigInt(oldest.oldest_ns);
  const spanNs = newest > startNs ? newest - startNs : MINUTE_NS;
  const stepNs = STEPS_NS.find((step) => spanNs / step < MOST_STEPS) ?? DAY_NS * 30n;
  const step = 'toString(intDiv(toUnixTimestamp64Nano(started_at), {stepNs:Int64})) AS step';
  // versions of a row are told from rows of the whole range: a filter may match one version and not the other
  const [counted, stored] = await Promise.all([
    store.query<{ step: string; n: string; whole: string }>(
      `SELECT ${step}, toString(countIf(${where})) AS n, toString(count()) AS whole
FROM mcp.calls FINAL WHERE ${IN_RANGE} GROUP BY step ORDER BY toInt64(step)\n${SETTINGS}`,
      { ...params, stepNs: `${stepNs}` },
      options
    ),
    store.query<{ step: string; n: string }>(
      `SELECT ${step}, toString(count()) AS n FROM mcp.calls WHERE ${IN_RANGE} GROUP BY step\n${SETTINGS}`,
      { ...range, stepNs: `${stepNs}` },
      options
    ),
  ]);
  const versions = new Map(stored.map((one) => [one.step, one.n]));
  const slices: Slice[] = [];
  let open = { fromNs, rows: 0, final: false };
  for (const { step: at, n, whole } of counted) {
    const stepStart = BigInt(at) * stepNs;
    if (open.rows > 0 && open.rows + Number(n) > rowsASlice && stepStart > open.fromNs) {
      slices.push({ ...open, toNs: stepStart });
      open = { fromNs: stepStart, rows: 0, final: false };
    }
    open = { fromNs: open.fromNs, rows: open.rows + Number(n), final: open.final || versions.get(at) !== whole };
  }
  if (open.rows > 0) slices.push({ ...open, toNs });
  return slices;
}

export interface ChainExtentOfRows {
  readonly chainId: string;
  readonly rows: number;
  readonly firstSeq: string;
  readonly lastSeq: string;
}

/** Where the rows of an export stand in the chains. */
export async function chainsOfRows(
  store: StoreReader,
  visibility: Visibility,
  rows: ExportRows,
  options: QueryOptions = {}
): Promise<ChainExtentOfRows[]> {
  if (matchesNothing(visibility, rows.filter)) return [];
  const { sql: where, params } = whereOf(visibility, rows);
  const found = await store.query<{ chain: string; n: string; first: string; last: string }>(
    `SELECT toString(chain_id) AS chain, toString(count()) AS n, toString(min(seq)) AS first, toString(max(seq)) AS last
FROM mcp.calls FINAL WHERE ${where} GROUP BY chain_id ORDER BY chain_id\n${SETTINGS}`,
    params,
    options
  );
  return found.map(({ chain, n, first, last }) => ({
    chainId: chain,
    rows: Number(n),
    firstSeq: first,
    lastSeq: last,
  }));
}

export interface PayloadSize {
  readonly rows: number;
  readonly bytes: number;
}

/** What can be opened of a window: rows with a sealed payload on servers that the caller audits, and its bytes. */
export async function payloadSize(
  store: StoreReader,
  visibility: Visibility,
  rows: ExportRows,
  options: QueryOptions = {}
): Promise<PayloadSize> {
  const servers = auditedServers(visibility);
  if (servers.length === 0 || matchesNothing(visibility, rows.filter)) return { rows: 0, bytes: 0 };
  const { sql: where, params } = whereOf(visibility, rows);
  const all = servers === '*';
  const [row] = await store.query<{ n: string; total: string }>(
    `SELECT toString(count()) AS n, toString(sum(request_bytes + response_bytes)) AS total
FROM mcp.calls FINAL WHERE ${where} AND startsWith(payload_state, 'sealed')${all ? '' : ' AND server IN {auditedServers:Array(String)}'}\n${SETTINGS}`,
    all ? params : { ...params, auditedServers: [...servers] },
    options
  );
  return { rows: Number(row?.n ?? 0), bytes: Number(row?.total ?? 0) };
}
