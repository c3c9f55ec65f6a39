/**
 * The questions of `gatelens verify` about a chain itself: which positions it has, where it has gaps or forks, and which
 * of its links lack their record, with the reason where there is one. Page by page, counts and examples only.
 */
import { EXAMPLES, VERIFY_SETTINGS, type RecordTable } from './chain-rows.ts';
import type { QueryOptions, QueryParam, StoreReader } from './reader.ts';

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
${VERIFY_SETTINGS}`,
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
${VERIFY_SETTINGS}`,
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
${VERIFY_SETTINGS}`,
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
${VERIFY_SETTINGS}`,
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
${VERIFY_SETTINGS}`,
    { callIds },
    options
  );
  return new Set(rows.map(({ found }) => found));
}
