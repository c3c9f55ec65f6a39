/**
 * The questions of `gatelens verify`: is each record what its chain says, and does each link of a chain have its record?
 * The store does the work page by page, from its columns alone, and answers with counts and with what is wrong, so memory
 * stays the same however long the log is. The canonical form is made from record/fields.ts; nothing here decides what a
 * finding means.
 */
import { GENESIS_HASH } from '../../record/canonical.ts';
import { ACCESS_FIELDS, CALL_FIELDS, type Field } from '../../record/fields.ts';
import type { QueryOptions, QueryParam, StoreReader } from './reader.ts';

/** Pages are sized to take seconds; a cold disk may be slow. */
const SETTINGS = 'SETTINGS max_execution_time = 300';
/** Examples an answer carries; counts are whole. */
export const EXAMPLES = 1000;

export interface RecordTable {
  readonly name: 'mcp.calls' | 'mcp.access_log';
  readonly fields: readonly Field[];
  readonly idColumn: 'call_id' | 'access_id';
  /** which links of `mcp.chain` have their record here, by the name of their kind */
  readonly links: (kind: string) => string;
  /** when a row of a stream was replaced by that of its end; 0 for none */
  readonly closedSeq: string;
}

export const CALLS: RecordTable = {
  name: 'mcp.calls',
  fields: CALL_FIELDS,
  idColumn: 'call_id',
  links: (kind) => `${kind} != 'access'`,
  closedSeq: "maxIf(seq, kind = 'stream' AND phase = 'closed')",
};
export const ACCESS_LOG: RecordTable = {
  name: 'mcp.access_log',
  fields: ACCESS_FIELDS,
  idColumn: 'access_id',
  links: (kind) => `${kind} = 'access'`,
  closedSeq: 'toUInt64(0)',
};

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
export function canonicalFormSql(fields: readonly Field[]): string {
  const parts = fields
    .filter((field) => field.chained)
    .map((field) => `toString(length(${textInSql(field)})), ':', ${textInSql(field)}`);
  return `concat(${parts.join(', ')})`;
}

export interface ChainExtent {
  readonly chainId: string;
  readonly links: number;
  readonly firstSeq: bigint;
  readonly lastSeq: bigint;
  /** claimed start of the first link, ns since 1970 */
  readonly firstStartedNs: bigint;
  readonly newestStartedNs: bigint;
}

interface ExtentRow {
  readonly chain: string;
  readonly links: string;
  readonly first_seq: string;
  readonly last_seq: string;
  readonly first_started: string;
  readonly newest_started: string;
}

export async function chainExtents(store: StoreReader, options: QueryOptions = {}): Promise<ChainExtent[]> {
  const rows = await store.query<ExtentRow>(
    `SELECT toString(chain_id) AS chain, toString(uniqExact(seq)) AS links, toString(min(seq)) AS first_seq,
    toString(max(seq)) AS last_seq, toString(toUnixTimestamp64Nano(argMin(started_at, seq))) AS first_started,
    toString(toUnixTimestamp64Nano(max(started_at))) AS newest_started
FROM mcp.chain GROUP BY chain_id ORDER BY chain_id
${SETTINGS}`,
    {},
    options
  );
  return rows.map((row) => ({
    chainId: row.chain,
    links: Number(row.links),
    firstSeq: BigInt(row.first_seq),
    lastSeq: BigInt(row.last_seq),
    firstStartedNs: BigInt(row.first_started),
    newestStartedNs: BigInt(row.newest_started),
  }));
}

/** Positions `fromSeq` to `toSeq`, both included, of one chain. */
export interface LinkRange {
  readonly chainId: string;
  readonly fromSeq: bigint;
  readonly toSeq: bigint;
}

const IN_LINK_RANGE = 'chain_id = {chainId:String} AND seq >= {fromSeq:UInt64} AND seq <= {toSeq:UInt64}';

function bound({ chainId, fromSeq, toSeq }: LinkRange): Record<string, QueryParam> {
  return { chainId, fromSeq: `${fromSeq}`, toSeq: `${toSeq}` };
}

/** First position at or after `fromSeq`; undefined: none. Jumps over gaps, however wide somebody made them. */
export async function firstLinkFrom(
  store: StoreReader,
  chainId: string,
  fromSeq: bigint,
  options: QueryOptions = {}
): Promise<bigint | undefined> {
  const [row] = await store.query<{ first: string }>(
    `SELECT toString(seq) AS first FROM mcp.chain WHERE chain_id = {chainId:String} AND seq >= {fromSeq:UInt64}
ORDER BY chain_id, seq LIMIT 1
${SETTINGS}`,
    { chainId, fromSeq: `${fromSeq}` },
    options
  );
  return row === undefined ? undefined : BigInt(row.first);
}

export interface LinkPage {
  readonly positions: number;
  readonly lastSeq: bigint;
  /** newest claimed start, ns since 1970 */
  readonly newestNs: bigint;
  readonly gaps: readonly { readonly fromSeq: bigint; readonly toSeq: bigint; readonly nextStartedNs: bigint }[];
  /** positions with more than one link, and the calls that stand there */
  readonly forks: readonly { readonly seq: bigint; readonly callIds: readonly string[] }[];
}

interface LinkPageRow {
  readonly positions: string;
  readonly last_seq: string;
  readonly newest: string;
  readonly gap_list: readonly (readonly [string, string, string])[];
  readonly fork_list: readonly (readonly [string, readonly string[]])[];
}

/** @param beforeSeq the last position known before this page */
export async function linkPage(
  store: StoreReader,
  range: LinkRange,
  beforeSeq: bigint,
  options: QueryOptions = {}
): Promise<LinkPage> {
  const [row] = await store.query<LinkPageRow>(
    `SELECT toString(count()) AS positions, toString(max(at)) AS last_seq, toString(max(started)) AS newest,
    groupArrayIf(${EXAMPLES})((toString(before + 1), toString(at - 1), toString(started)), at > before + 1) AS gap_list,
    groupArrayIf(${EXAMPLES})((toString(at), arraySort(call_ids)), variants > 1) AS fork_list
FROM (
    SELECT at, started, variants, call_ids, lagInFrame(at, 1, {beforeSeq:UInt64}) OVER (ORDER BY at) AS before
    FROM (
        SELECT seq AS at, max(toUnixTimestamp64Nano(started_at)) AS started, uniqExact(record_hash, call_id) AS variants,
            groupUniqArray(10)(call_id) AS call_ids
        FROM mcp.chain WHERE ${IN_LINK_RANGE} GROUP BY seq
    )
    ORDER BY at
)
${SETTINGS}`,
    { ...bound(range), beforeSeq: `${beforeSeq}` },
    options
  );
  if (row === undefined) return { positions: 0, lastSeq: beforeSeq, newestNs: 0n, gaps: [], forks: [] };
  return {
    positions: Number(row.positions),
    lastSeq: BigInt(row.last_seq),
    newestNs: BigInt(row.newest),
    gaps: row.gap_list.map(([from, to, next]) => ({
      fromSeq: BigInt(from),
      toSeq: BigInt(to),
      nextStartedNs: BigInt(next),
    })),
    forks: row.fork_list.map(([seq, callIds]) => ({ seq: BigInt(seq), callIds })),
  };
}

/**
 * What became of a record whose link has none: `replaced` by the record of its stream's end, `displaced` (its row stands
 * at another position, and is found there), `expired`, or `absent`.
 */
export type LackStatus = 'replaced' | 'displaced' | 'expired' | 'absent';

export interface LackingLinks {
  readonly status: LackStatus;
  readonly count: number;
  /** of `absent` only */
  readonly examples: readonly { readonly seq: bigint; readonly callId: string; readonly startedNs: bigint }[];
}

export interface Expiry {
  /** records begun before may have been removed by retention */
  readonly cutoffNs: bigint;
  /** newest claimed start of all links before this page: what expired is a beginning, not a hole */
  readonly newestBeforeNs: bigint;
}

/** Records take their position at their end, so a position may be newer than its record by as much as it took. */
const OUT_OF_ORDER_NS = 7n * 86_400_000_000_000n;
const OUT_OF_ORDER_STREAM_NS = 90n * 86_400_000_000_000n;

/** Links of the page without a record at their position in `table`. */
export async function lackingLinks(
  store: StoreReader,
  table: RecordTable,
  range: LinkRange,
  expiry: Expiry,
  options: QueryOptions = {}
): Promise<LackingLinks[]> {
  const rows = await store.query<{
    readonly status: LackStatus;
    readonly n: string;
    readonly list: readonly (readonly [string, string, string])[];
  }>(
    `SELECT multiIf(closed_seq > link_seq AND link_kind = 'stream', 'replaced', notEmpty(at_seqs), 'displaced',
        link_started < {cutoffNs:Int64} AND newest_so_far < {cutoffNs:Int64}
            + if(link_kind = 'stream', ${OUT_OF_ORDER_STREAM_NS}, ${OUT_OF_ORDER_NS}), 'expired', 'absent') AS status,
    toString(count()) AS n,
    groupArrayIf(${EXAMPLES})((toString(link_seq), link_call, toString(link_started)), status = 'absent') AS list
FROM (
    SELECT link_seq, link_call, link_kind, link_started, at_seqs, closed_seq, newest_so_far
    FROM (
        SELECT seq AS link_seq, call_id AS link_call, toString(kind) AS link_kind, started_at AS link_at,
            toUnixTimestamp64Nano(started_at) AS link_started,
            greatest({newestBeforeNs:Int64}, max(toUnixTimestamp64Nano(started_at)) OVER (ORDER BY seq)) AS newest_so_far
        FROM (SELECT DISTINCT seq, call_id, kind, started_at FROM mcp.chain WHERE ${IN_LINK_RANGE})
    ) AS links
    LEFT JOIN (
        SELECT ${table.idColumn} AS row_call, started_at AS row_at, groupUniqArray(seq) AS at_seqs,
            ${table.closedSeq} AS closed_seq
        FROM ${table.name}
        WHERE chain_id = {chainId:String} AND (started_at, ${table.idColumn}) IN (
            SELECT started_at, call_id FROM mcp.chain WHERE ${IN_LINK_RANGE}
        )
        GROUP BY row_call, row_at
    ) AS rows ON row_call = link_call AND row_at = link_at
    WHERE ${table.links('link_kind')} AND NOT has(at_seqs, link_seq)
    ORDER BY link_seq
)
GROUP BY status
${SETTINGS}`,
    { ...bound(range), cutoffNs: `${expiry.cutoffNs}`, newestBeforeNs: `${expiry.newestBeforeNs}` },
    options
  );
  return rows.map(({ status, n, list }) => ({
    status,
    count: Number(n),
    examples: list.map(([seq, callId, started]) => ({ seq: BigInt(seq), callId, startedNs: BigInt(started) })),
  }));
}

/** Which of these ids the table has, whenever their rows say they began. */
export async function knownIds(
  store: StoreReader,
  table: RecordTable,
  callIds: readonly string[],
  options: QueryOptions = {}
): Promise<ReadonlySet<string>> {
  if (callIds.length === 0) return new Set();
  const rows = await store.query<{ found: string }>(
    `SELECT DISTINCT ${table.idColumn} AS found FROM ${table.name} WHERE ${table.idColumn} IN {callIds:Array(String)}
${SETTINGS}`,
    { callIds },
    options
  );
  return new Set(rows.map(({ found }) => found));
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
${SETTINGS}`,
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
    `SELECT status, chain, toString(count()) AS n,
    groupArrayIf(${EXAMPLES})((toString(row_seq), row_call, toString(row_started)), status != 'ok') AS list
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
${SETTINGS}`,
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
${SETTINGS}`,
    { callIds },
    options
  );
  return new Map(rows.map(({ chain, call, positions }) => [`${chain}|${call}`, positions.map(BigInt)]));
}
