/**
 * Checkpoints for `gatelens verify`: what was signed, what the chain has at that position now, and how much of a chain
 * came after its newest checkpoint. Checks no signature; verify/checkpoints.ts does.
 */
import { VERIFY_SETTINGS } from './chain-rows.ts';
import type { QueryOptions, StoreReader } from './reader.ts';

export interface CheckpointRow {
  readonly seq: string;
  readonly hash: string;
  readonly key_id: string;
  /** base64 */
  readonly signature: string;
  /** hashes the chain has at that position; none: the position is missing */
  readonly chain_hashes: readonly string[];
}

/** Chains that were signed and the last position of each: a chain that vanished as a whole is known from here. */
export async function signedChains(
  store: StoreReader,
  options: QueryOptions = {}
): Promise<ReadonlyMap<string, bigint>> {
  const rows = await store.query<{ chain: string; last: string }>(
    `SELECT toString(chain_id) AS chain, toString(max(seq)) AS last FROM mcp.checkpoints GROUP BY chain
${VERIFY_SETTINGS}`,
    {},
    options
  );
  return new Map(rows.map(({ chain, last }) => [chain, BigInt(last)]));
}

/** Every row, merged or not: a forged one beside a true one is seen. Begins at `fromSeq`. */
export async function checkpointPage(
  store: StoreReader,
  chainId: string,
  fromSeq: bigint,
  limit: number,
  options: QueryOptions = {}
): Promise<CheckpointRow[]> {
  return store.query<CheckpointRow>(
    `WITH page AS (
    SELECT seq AS at, record_hash AS signed_hash, toString(signing_key_id) AS key_id, signature
    FROM mcp.checkpoints WHERE chain_id = {chainId:String} AND seq >= {fromSeq:UInt64}
    GROUP BY ALL ORDER BY at, signed_hash, key_id, signature LIMIT {limit:UInt32}
)
SELECT toString(at) AS seq, signed_hash AS hash, key_id, signature, chain_hashes
FROM page
LEFT JOIN (
    SELECT seq AS link_seq, groupUniqArray(record_hash) AS chain_hashes FROM mcp.chain
    WHERE chain_id = {chainId:String} AND seq IN (SELECT at FROM page) GROUP BY link_seq
) AS links ON link_seq = at
ORDER BY at, hash, key_id, signature
${VERIFY_SETTINGS}`,
    { chainId, fromSeq: `${fromSeq}`, limit },
    options
  );
}

export interface ChainTail {
  readonly records: number;
  /** ns between the ends of its first and last real record; 0 when there are none */
  readonly spanNs: bigint;
}

/** Records after `seq`: how many, and over what time they ended. Rows of the demo's made-up past do not count. */
export async function chainTail(
  store: StoreReader,
  chainId: string,
  seq: bigint,
  options: QueryOptions = {}
): Promise<ChainTail> {
  const part = (
    table: string,
    duration: string
  ): string => `SELECT toInt128(toUnixTimestamp64Nano(started_at)) + ${duration} AS ended
    FROM ${table} WHERE chain_id = {chainId:String} AND seq > {seq:UInt64} AND NOT demo`;
  const [row] = await store.query<{ n: string; span: string }>(
    `SELECT toString(count()) AS n, toString(max(ended) - min(ended)) AS span
FROM (${part('mcp.calls', 'duration')} UNION ALL ${part('mcp.access_log', 'duration')} UNION ALL ${part('mcp.tool_changes', '0')})
${VERIFY_SETTINGS}`,
    { chainId, seq: `${seq}` },
    options
  );
  return { records: Number(row?.n ?? 0), spanNs: BigInt(row?.span ?? 0) };
}

/** Hashes the chain has at one position. */
export async function linkHashes(
  store: StoreReader,
  chainId: string,
  seq: bigint,
  options: QueryOptions = {}
): Promise<readonly string[]> {
  const rows = await store.query<{ hash: string }>(
    `SELECT DISTINCT record_hash AS hash FROM mcp.chain WHERE chain_id = {chainId:String} AND seq = {seq:UInt64}
${VERIFY_SETTINGS}`,
    { chainId, seq: `${seq}` },
    options
  );
  return rows.map(({ hash }) => hash);
}
