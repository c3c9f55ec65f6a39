/**
 * The sealed payload of one call and the wrapped data keys that open it. Ciphertext only: opening is protection's work,
 * and only after the access was recorded. Asks for nothing unless the caller may open payloads of this server.
 */
import type { Visibility } from './visibility.ts';
import { coversPayloads } from './visibility.ts';
import type { QueryOptions, StoreReader } from './reader.ts';
import { QUERY_SETTINGS } from './reader.ts';

export interface SealedRow {
  readonly direction: 'request' | 'response';
  readonly v: number;
  readonly alg: string;
  readonly key_id: string;
  /** base64 */
  readonly nonce: string;
  readonly comp: string;
  readonly ciphertext_base64: string;
  /** hex SHA-256 of the ciphertext, as the gateway wrote it */
  readonly sha256: string;
  readonly digest: string;
}

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
  return store.query<SealedRow>(EVENTS, { startedNs: call.startedNs, callId: call.callId }, options);
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
