/**
 * Verifies the hash chains of the audit log in the database: every record's hash is computed again from its row and the
 * hash before it, in the canonical form of record/canonical.ts, and held against `mcp.chain` and the signed checkpoints.
 * Names each record that is missing, changed, out of order or was put in; shows nothing of what it says. Checks no
 * signature: that needs the public key, not the store.
 */
import { GENESIS_HASH } from '../../record/canonical.ts';
import { ACCESS_FIELDS, CALL_FIELDS, type Field } from '../../record/fields.ts';
import { QUERY_SETTINGS, type StoreReader } from './reader.ts';

/** A column as text in canonical form v1. */
function textInSql({ column, type }: Field): string {
  switch (type) {
    case 'strings':
      return `arrayStringConcat(arrayMap(one -> concat(toString(length(one)), ':', one), ${column}))`;
    case 'datetime_ns':
      return `toString(toUnixTimestamp64Nano(${column}))`;
    case 'bool':
      return `toString(toUInt8(${column}))`;
    default:
      return `toString(${column})`;
  }
}

/** The canonical form of a row as an SQL expression over the columns of its table. */
export function canonicalFormInSql(fields: readonly Field[]): string {
  const parts = fields
    .filter((field) => field.chained)
    .map((field) => `toString(length(${textInSql(field)})), ':', ${textInSql(field)}`);
  return `concat(${parts.join(', ')})`;
}

export interface ChainExtent {
  readonly chainId: string;
  /** above 1 once the oldest links have expired */
  readonly firstSeq: bigint;
  readonly lastSeq: bigint;
}

export const CHAIN_FAULTS = [
  /** no link at the position before this one */
  'gap',
  /** two hashes at one position */
  'fork',
  /** the link is there, its record is not */
  'missing',
  /** the record's row is not what was hashed */
  'changed',
  /** a record without a link */
  'unchained',
  /** a signed checkpoint vouches for a hash that is not at its position, or lies beyond the end */
  'checkpoint',
] as const;
export type ChainFaultKind = (typeof CHAIN_FAULTS)[number];

export interface ChainFault {
  readonly fault: ChainFaultKind;
  readonly seq: bigint;
  /** call_id or access_id, `''` for gaps and checkpoints */
  readonly recordId: string;
}

export interface ChainVerdict extends ChainExtent {
  /** records whose hash was computed again and is right */
  readonly verified: number;
  readonly faults: readonly ChainFault[];
  /** more faults than were asked for */
  readonly truncated: boolean;
}

export interface VerifyOptions {
  /** Records that began earlier may have expired (ns since 1970): their rows are not missed. Default 0n: none has. */
  readonly keptSinceNs?: bigint;
  /** faults named at most; default 1000 */
  readonly maxFaults?: number;
  /** positions a query; default 100 000 */
  readonly windowSize?: number;
  readonly signal?: AbortSignal;
}

const EXTENTS = `SELECT chain_id, toString(min(seq)) AS first_seq, toString(max(seq)) AS last_seq
FROM mcp.chain GROUP BY chain_id ORDER BY chain_id
${QUERY_SETTINGS}`;

export async function listChains(store: StoreReader, signal?: AbortSignal): Promise<ChainExtent[]> {
  const rows = await store.query<{ chain_id: string; first_seq: string; last_seq: string }>(
    EXTENTS,
    {},
    signal === undefined ? {} : { signal }
  );
  return rows.map((row) => ({
    chainId: row.chain_id,
    firstSeq: BigInt(row.first_seq),
    lastSeq: BigInt(row.last_seq),
  }));
}

function recordsInSql(table: string, id: string, fields: readonly Field[]): string {
  return `SELECT seq, ${id} AS id, record_hash, ${canonicalFormInSql(fields)} AS form, 1 AS is_record
    FROM ${table} FINAL
    WHERE chain_id = {chainId:String} AND seq >= {fromSeq:UInt64} AND seq <= {toSeq:UInt64}`;
}

/**
 * One row a position and record. The `open` record of a stream has no row any more once the stream ended: the row of its
 * `closed` record replaced it, and only the link remains.
 */
const VERDICTS = `WITH
  links AS (
    SELECT seq, any(record_hash) AS hash, uniqExact(record_hash) AS hashes, any(call_id) AS id, any(kind) AS kind,
      any(started_at) AS started_at, 1 AS is_link
    FROM mcp.chain
    WHERE chain_id = {chainId:String} AND seq + 1 >= {fromSeq:UInt64} AND seq <= {toSeq:UInt64}
    GROUP BY seq
  ),
  records AS (
    ${recordsInSql('mcp.calls', 'call_id', CALL_FIELDS)}
    UNION ALL
    ${recordsInSql('mcp.access_log', 'access_id', ACCESS_FIELDS)}
  ),
  pairs AS (
    SELECT if(is_link, l.seq, r.seq) AS seq, if(is_record, r.id, l.id) AS id, l.hash AS hash, l.hashes AS hashes, l.kind AS kind,
      l.started_at AS started_at, is_link, is_record, r.record_hash AS record_hash, r.form AS form
    FROM (SELECT * FROM links WHERE seq >= {fromSeq:UInt64}) AS l FULL OUTER JOIN records AS r ON l.seq = r.seq
  ),
  verdicts AS (
    SELECT pairs.seq AS seq, pairs.id AS id,
      multiIf(
        NOT pairs.is_link, 'unchained',
        pairs.hashes > 1, 'fork',
        NOT before.is_link AND pairs.seq > {firstSeq:UInt64}, 'gap',
        NOT pairs.is_record AND pairs.kind = 'stream'
          AND pairs.id IN (SELECT call_id FROM mcp.calls WHERE chain_id = {chainId:String} AND kind = 'stream'), 'replaced',
        NOT pairs.is_record AND pairs.started_at < fromUnixTimestamp64Nano({keptSinceNs:Int64}), 'expired',
        NOT pairs.is_record, 'missing',
        pairs.record_hash != pairs.hash, 'changed',
        NOT before.is_link AND pairs.seq > 1, 'verified',
        lower(hex(SHA256(concat(if(pairs.seq = 1, '${GENESIS_HASH}', before.hash), '\\n', pairs.form)))) != pairs.hash, 'changed',
        'verified'
      ) AS verdict
    FROM pairs LEFT JOIN links AS before ON before.seq = pairs.seq - 1
  )
SELECT verdict, toUInt32(count()) AS positions, arraySort(groupArray({maxFaults:UInt32})((seq, id))) AS named
FROM verdicts
GROUP BY verdict
SETTINGS max_execution_time = 300, join_use_nulls = 0, output_format_json_named_tuples_as_objects = 0`;

const CHECKPOINTS = `SELECT toString(c.seq) AS seq
FROM (SELECT seq, record_hash FROM mcp.checkpoints WHERE chain_id = {chainId:String} AND seq >= {firstSeq:UInt64} AND seq > 0) AS c
LEFT ANTI JOIN (SELECT seq, record_hash FROM mcp.chain WHERE chain_id = {chainId:String}) AS l
  ON c.seq = l.seq AND c.record_hash = l.record_hash
ORDER BY c.seq LIMIT {maxFaults:UInt32}
SETTINGS max_execution_time = 300`;

const DEFAULT_MAX_FAULTS = 1000;
const DEFAULT_WINDOW = 100_000;

/** Reads the chain in windows of positions, so that its length does not matter to the memory of the store. */
export async function verifyChain(
  store: StoreReader,
  chain: ChainExtent,
  options: VerifyOptions = {}
): Promise<ChainVerdict> {
  const { maxFaults = DEFAULT_MAX_FAULTS, windowSize = DEFAULT_WINDOW, keptSinceNs = 0n, signal } = options;
  const asked = signal === undefined ? {} : { signal };
  const shared = { chainId: chain.chainId, firstSeq: `${chain.firstSeq}`, maxFaults: maxFaults + 1 };
  const faults: ChainFault[] = [];
  let verified = 0;
  for (let fromSeq = chain.firstSeq; fromSeq <= chain.lastSeq; fromSeq += BigInt(windowSize)) {
    const end = fromSeq + BigInt(windowSize) - 1n;
    const window = { fromSeq: `${fromSeq}`, toSeq: `${end < chain.lastSeq ? end : chain.lastSeq}` };
    const rows = await store.query<{ verdict: string; positions: number; named: [string | number, string][] }>(
      VERDICTS,
      { ...shared, ...window, keptSinceNs: `${keptSinceNs}` },
      asked
    );
    for (const { verdict, positions, named } of rows) {
      if (verdict === 'verified') verified += positions;
      if (!isFault(verdict)) continue;
      for (const [seq, id] of named) faults.push({ fault: verdict, seq: BigInt(seq), recordId: id });
    }
  }
  for (const { seq } of await store.query<{ seq: string }>(CHECKPOINTS, shared, asked)) {
    faults.push({ fault: 'checkpoint', seq: BigInt(seq), recordId: '' });
  }
  faults.sort((a, b) => (a.seq < b.seq ? -1 : a.seq > b.seq ? 1 : 0));
  return { ...chain, verified, faults: faults.slice(0, maxFaults), truncated: faults.length > maxFaults };
}

function isFault(verdict: string): verdict is ChainFaultKind {
  return (CHAIN_FAULTS as readonly string[]).includes(verdict);
}
