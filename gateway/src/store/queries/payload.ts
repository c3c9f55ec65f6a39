/**
 * The sealed payload of one call and the wrapped data keys that open it. Ciphertext only: opening is protection's work,
 * and only after the access was recorded. Asks for nothing unless the caller may open payloads of this server.
 */
import type { Visibility } from './visibility.ts';
import { coversPayloads } from './visibility.ts';
import type { QueryOptions, QueryParam, StoreReader } from './reader.ts';
import { QUERY_SETTINGS } from './reader.ts';
import { textRows } from './row-binary.ts';
import type { StoreStreams } from './row-stream.ts';

export interface SealedRow {
  readonly direction: 'request' | 'response';
  readonly v: number;
  readonly alg: string;
  readonly key_id: string;
  /** base64 */
  readonly nonce: string;
  readonly comp: string;
  readonly ciphertext: Uint8Array;
  /** hex SHA-256 of the ciphertext, as the gateway wrote it */
  readonly sha256: string;
  readonly digest: string;
}

/** As JSON has it. */
type StoredRow<Row extends SealedRow> = Omit<Row, 'ciphertext'> & { readonly ciphertext_base64: string };

export interface DataKeyRow {
  readonly key_id: string;
  readonly subject: string;
  readonly gateway: string;
  readonly epoch: string;
  readonly kek_id: string;
  /** base64; empty once destroyed */
  readonly wrapped_base64: string;
  readonly destroyed: boolean;
}

export interface SealedCall {
  readonly callId: string;
  /** ns since 1970, as text */
  readonly startedNs: string;
  readonly server: string;
}

interface SealedSizeRow {
  readonly call_id: string;
  /** of the body, before it was sealed */
  readonly body_bytes: number | string;
}

const SIZES = `SELECT call_id, sum(bytes) AS body_bytes
FROM mcp_protected.payload_events FINAL
WHERE started_at >= fromUnixTimestamp64Nano({fromNs:Int64}) - INTERVAL 1 SECOND
    AND started_at <= fromUnixTimestamp64Nano({toNs:Int64}) + INTERVAL 1 SECOND
    AND call_id IN {callIds:Array(String)} AND server IN {servers:Array(String)}
GROUP BY call_id
${QUERY_SETTINGS}`;

/** What is sealed is read where a call has it, so key columns come first: with FINAL the engine does not see that itself. */
const FROM_EVENTS_OF_MANY = `FROM mcp_protected.payload_events FINAL
PREWHERE started_at >= fromUnixTimestamp64Nano({fromNs:Int64}) - INTERVAL 1 SECOND
    AND started_at <= fromUnixTimestamp64Nano({toNs:Int64}) + INTERVAL 1 SECOND
    AND call_id IN {callIds:Array(String)}
WHERE server IN {servers:Array(String)}`;

/** The time finds the granule; a second either way forgives a gateway that rounds. */
const EVENTS = `SELECT direction, v, alg, key_id, nonce, comp, base64Encode(ciphertext) AS ciphertext_base64, sha256, digest
FROM mcp_protected.payload_events FINAL
WHERE started_at >= fromUnixTimestamp64Nano({startedNs:Int64}) - INTERVAL 1 SECOND
    AND started_at <= fromUnixTimestamp64Nano({startedNs:Int64}) + INTERVAL 1 SECOND
    AND call_id = {callId:String}
ORDER BY direction
LIMIT 2
${QUERY_SETTINGS}`;

const KEYS = `SELECT key_id, subject, gateway, epoch, kek_id, base64Encode(wrapped) AS wrapped_base64,
    toBool(toUnixTimestamp64Milli(destroyed_at) > 0) AS destroyed
FROM mcp_protected.data_keys FINAL
WHERE key_id IN {keyIds:Array(String)}
${QUERY_SETTINGS}`;

/** The routes refuse long before; this stands here so that no road leads around them. */
function requireAuditor(visibility: Visibility, server?: string): void {
  if (!coversPayloads(visibility, server)) throw new TypeError('payloads asked for without the right to open them');
}

export async function sealedPayload(
  store: StoreReader,
  visibility: Visibility,
  call: SealedCall,
  options: QueryOptions = {}
): Promise<SealedRow[]> {
  requireAuditor(visibility, call.server);
  const found = await store.query<StoredRow<SealedRow>>(
    EVENTS,
    { startedNs: call.startedNs, callId: call.callId },
    options
  );
  return found.map(withBytes);
}

function ofMany(visibility: Visibility, calls: readonly SealedCall[]): Record<string, QueryParam> {
  for (const { server } of calls) requireAuditor(visibility, server);
  const startedNs = calls.map((call) => BigInt(call.startedNs)).sort((a, b) => (a < b ? -1 : 1));
  return {
    fromNs: `${startedNs[0] ?? 0n}`,
    toNs: `${startedNs.at(-1) ?? 0n}`,
    callIds: calls.map((call) => call.callId),
    servers: [...new Set(calls.map((call) => call.server))],
  };
}

/** How much there is to open of each call; those of which nothing is kept are left out. */
export async function sealedSizes(
  store: StoreReader,
  visibility: Visibility,
  calls: readonly SealedCall[],
  options: QueryOptions = {}
): Promise<ReadonlyMap<string, number>> {
  if (calls.length === 0) return new Map();
  const rows = await store.query<SealedSizeRow>(SIZES, ofMany(visibility, calls), options);
  return new Map(rows.map((row) => [row.call_id, Number(row.body_bytes)]));
}

/** One sealed part of a call, with the call it belongs to. */
export type SealedRowOfCall = SealedRow & { readonly call_id: string };

export async function sealedPayloads(
  store: StoreReader,
  visibility: Visibility,
  calls: readonly SealedCall[],
  options: QueryOptions = {}
): Promise<SealedRowOfCall[]> {
  if (calls.length === 0) return [];
  const columns = `call_id, direction, v, alg, key_id, nonce, comp, base64Encode(ciphertext) AS ciphertext_base64, sha256, digest`;
  const sql = `SELECT ${columns}\n${FROM_EVENTS_OF_MANY}\n${QUERY_SETTINGS}`;
  const found = await store.query<StoredRow<SealedRowOfCall>>(sql, ofMany(visibility, calls), options);
  return found.map(withBytes);
}

function withBytes<Row extends SealedRow>({ ciphertext_base64, ...row }: StoredRow<Row>): Row {
  return { ...row, ciphertext: Buffer.from(ciphertext_base64, 'base64') } as unknown as Row;
}

/**
 * The same as bytes, for very many. @param settings limits of the query
 */
export async function streamedPayloads(
  streams: StoreStreams,
  visibility: Visibility,
  calls: readonly SealedCall[],
  options: QueryOptions,
  settings: string
): Promise<SealedRowOfCall[]> {
  if (calls.length === 0) return [];
  const sql = `SELECT call_id, toString(direction), key_id, nonce, toString(comp), ciphertext, sha256, digest, toString(alg), toString(v)
${FROM_EVENTS_OF_MANY}\n${settings}`;
  const bytes = streams.stream(sql, ofMany(visibility, calls), 'RowBinary', { ...options, awaited: true });
  const rows: SealedRowOfCall[] = [];
  for await (const [call, direction, key, nonce, comp, ciphertext = Buffer.alloc(0), ...rest] of textRows(bytes, 10)) {
    const [sha256, digest, alg, v] = rest.map(String);
    rows.push({
      call_id: String(call),
      direction: String(direction) as SealedRow['direction'],
      key_id: String(key),
      nonce: String(nonce),
      comp: String(comp),
      ciphertext,
      sha256: sha256 ?? '',
      digest: digest ?? '',
      alg: alg ?? '',
      v: Number(v),
    });
  }
  return rows;
}

/** @returns by key id */
export async function dataKeys(
  store: StoreReader,
  visibility: Visibility,
  keyIds: readonly string[],
  options: QueryOptions = {}
): Promise<ReadonlyMap<string, DataKeyRow>> {
  requireAuditor(visibility);
  if (keyIds.length === 0) return new Map();
  const rows = await store.query<DataKeyRow>(KEYS, { keyIds: [...new Set(keyIds)] }, options);
  return new Map(rows.map((row) => [row.key_id, row]));
}
