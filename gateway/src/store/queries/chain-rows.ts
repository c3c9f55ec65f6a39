/**
 * The questions of `gatelens verify` about records: is each row what its chain says? (chain-links.ts asks about links.)
 * The store does the work page by page, from its columns alone, and answers with counts and with what is wrong, so memory
 * stays the same however long the log is. The canonical form is made from record/fields.ts.
 */
import { GENESIS_HASH } from '../../record/canonical.ts';
import { ACCESS_FIELDS, CALL_FIELDS, TOOL_CHANGE_FIELDS, type Field } from '../../record/fields.ts';
import type { QueryOptions, StoreReader } from './reader.ts';

/** Pages are sized to take seconds; a cold disk may be slow. */
export const VERIFY_SETTINGS = 'SETTINGS max_execution_time = 300';
/** Examples an answer carries; counts are whole. */
export const EXAMPLES = 1000;

export interface RecordTable {
  readonly name: 'mcp.calls' | 'mcp.access_log' | 'mcp.tool_changes';
  readonly fields: readonly Field[];
  readonly idColumn: 'call_id' | 'access_id' | 'change_id';
  /** how long its rows are kept */
  readonly retention: 'metadata' | 'accessLog';
  /** which links of `mcp.chain` have their record here, by the name of their kind */
  readonly links: (kind: string) => string;
  /** when a row of a stream was replaced by that of its end; 0 for none */
  readonly closedSeq: string;
}

const CALLS: RecordTable = {
  name: 'mcp.calls',
  fields: CALL_FIELDS,
  idColumn: 'call_id',
  retention: 'metadata',
  links: (kind) => `${kind} NOT IN ('access', 'catalog')`,
  closedSeq: "maxIf(seq, kind = 'stream' AND phase = 'closed')",
};
const ACCESS_LOG: RecordTable = {
  name: 'mcp.access_log',
  fields: ACCESS_FIELDS,
  idColumn: 'access_id',
  retention: 'accessLog',
  links: (kind) => `${kind} = 'access'`,
  closedSeq: 'toUInt64(0)',
};

const TOOL_CHANGES: RecordTable = {
  name: 'mcp.tool_changes',
  fields: TOOL_CHANGE_FIELDS,
  idColumn: 'change_id',
  retention: 'metadata',
  links: (kind) => `${kind} = 'catalog'`,
  closedSeq: 'toUInt64(0)',
};
/** Every table of chained records. */
export const RECORD_TABLES: readonly RecordTable[] = [CALLS, ACCESS_LOG, TOOL_CHANGES];

/** A column as text of canonical form v1. */
function textInSql({ column, type }: Field): string {
  switch (type) {
    case 'strings':
      return `arrayStringConcat(arrayMap(x -> concat(toString(length(x)), ':', x), ${column}))`;
    case 'datetime_ns':
      return `toString(toUnixTimestamp64Nano(${column}))`;
    case 'bool':
      return `toString(toUInt8(${column}))`;
    default:
      return `toString(${column})`;
  }
}

/** An SQL expression that is the canonical form of a row. */
function canonicalFormSql(fields: readonly Field[]): string {
  const parts = fields
    .filter((field) => field.chained)
    .map((field) => `toString(length(${textInSql(field)})), ':', ${textInSql(field)}`);
  return `concat(${parts.join(', ')})`;
}

/**
 * `changed`: content, hash or time is not that of its link. `displaced`: another call is recorded at its position.
 * `unchained`: the chain has no such position. `unlinked`: the link before it is missing, so it cannot be recomputed.
 */
export type RowStatus = 'ok' | 'changed' | 'displaced' | 'unchained' | 'unlinked';

export interface RowExample {
  readonly chainId: string;
  readonly seq: bigint;
  readonly callId: string;
  readonly startedNs: bigint;
}

export interface CheckedRows {
  readonly status: RowStatus;
  readonly chainId: string;
  /** records; several rows are one when it was delivered again */
  readonly count: number;
  /** none for `ok` */
  readonly examples: readonly RowExample[];
}

/** Begins where `fromNs` says. @returns where the page after it begins; undefined: this is the last one */
export async function rowPageEnd(
  store: StoreReader,
  table: RecordTable,
  fromNs: bigint,
  pageRecords: number,
  options: QueryOptions = {}
): Promise<bigint | undefined> {
  const [row] = await store.query<{ end: string }>(
    `SELECT toString(toUnixTimestamp64Nano(started_at)) AS end FROM ${table.name}
WHERE started_at >= fromUnixTimestamp64Nano({fromNs:Int64}) ORDER BY started_at LIMIT 1 OFFSET {pageRecords:UInt32}
${VERIFY_SETTINGS}`,
    { fromNs: `${fromNs}`, pageRecords },
    options
  );
  if (row === undefined) return undefined;
  const endNs = BigInt(row.end);
  return endNs > fromNs ? endNs : endNs + 1n;
}

/**
 * Recomputes every physical row of the page, those too that a later version hides: whoever adds a second row beside the
 * true one is found before and after a merge. A row that follows a fork may follow either branch.
 * @param toNs exclusive; undefined: to the end
 */
export async function checkRows(
  store: StoreReader,
  table: RecordTable,
  fromNs: bigint,
  toNs: bigint | undefined,
  options: QueryOptions = {}
): Promise<CheckedRows[]> {
  const until = toNs === undefined ? '' : 'AND started_at < fromUnixTimestamp64Nano({toNs:Int64})';
  const page = `started_at >= fromUnixTimestamp64Nano({fromNs:Int64}) ${until}`;
  const rows = await store.query<{
    readonly status: RowStatus;
    readonly chain: string;
    readonly n: string;
    readonly list: readonly (readonly [string, string, string])[];
  }>(
    `SELECT status, chain, toString(uniqExact((row_seq, row_call, row_started))) AS n,
    arraySort(x -> x.3,
        groupUniqArrayIf(${EXAMPLES})((toString(row_seq), row_call, toString(row_started)), status != 'ok')) AS list
FROM (
    SELECT chain, row_seq, row_call, row_started, multiIf(
        empty(own_links), 'unchained',
        NOT arrayExists(x -> x.2 = row_call, own_links), 'displaced',
        NOT has(own_links, (row_hash, row_call, row_started)), 'changed',
        row_seq > 1 AND empty(previous_hashes), 'unlinked',
        arrayExists(x -> lower(hex(SHA256(concat(x, '\\n', form)))) = row_hash,
            if(row_seq = 1, ['${GENESIS_HASH}'], previous_hashes)), 'ok',
        'changed') AS status
    FROM (
        SELECT toString(chain_id) AS chain, seq AS row_seq, record_hash AS row_hash, ${table.idColumn} AS row_call,
            toUnixTimestamp64Nano(started_at) AS row_started, ${canonicalFormSql(table.fields)} AS form
        FROM ${table.name} WHERE ${page}
    ) AS rows
    LEFT JOIN (
        SELECT toString(chain_id) AS own_chain, seq AS own_seq,
            groupUniqArray((record_hash, call_id, toUnixTimestamp64Nano(started_at))) AS own_links
        FROM mcp.chain WHERE (chain_id, seq) IN (SELECT chain_id, seq FROM ${table.name} WHERE ${page})
        GROUP BY own_chain, own_seq
    ) AS own ON own_chain = chain AND own_seq = row_seq
    LEFT JOIN (
        SELECT toString(chain_id) AS previous_chain, seq + 1 AS next_seq, groupUniqArray(record_hash) AS previous_hashes
        FROM mcp.chain
        WHERE (chain_id, seq) IN (SELECT chain_id, toUInt64(if(seq = 0, 0, seq - 1)) FROM ${table.name} WHERE ${page})
        GROUP BY previous_chain, next_seq
    ) AS previous ON previous_chain = chain AND next_seq = row_seq
)
GROUP BY status, chain
${VERIFY_SETTINGS}`,
    { fromNs: `${fromNs}`, ...(toNs === undefined ? {} : { toNs: `${toNs}` }) },
    options
  );
  return rows.map(({ status, chain, n, list }) => ({
    status,
    chainId: chain,
    count: Number(n),
    examples: list.map(([seq, callId, started]) => ({
      chainId: chain,
      seq: BigInt(seq),
      callId,
      startedNs: BigInt(started),
    })),
  }));
}

/** Where calls were recorded, by `chainId|callId`; those that no chain knows are left out. */
export async function recordedPositions(
  store: StoreReader,
  callIds: readonly string[],
  options: QueryOptions = {}
): Promise<ReadonlyMap<string, readonly bigint[]>> {
  if (callIds.length === 0) return new Map();
  const rows = await store.query<{ chain: string; call: string; positions: readonly string[] }>(
    `SELECT toString(chain_id) AS chain, call_id AS call, arraySort(groupUniqArray(10)(seq)) AS positions
FROM mcp.chain WHERE call_id IN {callIds:Array(String)} GROUP BY chain, call
${VERIFY_SETTINGS}`,
    { callIds },
    options
  );
  return new Map(rows.map(({ chain, call, positions }) => [`${chain}|${call}`, positions.map(BigInt)]));
}
