/**
 * Walks the tables of records by their time: recomputes the hash of every row from its columns and holds it against its
 * chain. Names what was changed, what stands elsewhere than it was recorded, and what nobody recorded.
 */
import {
  checkRows,
  EXAMPLES,
  RECORD_TABLES,
  recordedPositions,
  rowPageEnd,
  type CheckedRows,
  type RecordTable,
  type RowExample,
} from '../store/queries/chain-rows.ts';
import type { Findings } from './finding.ts';
import type { ChainTally, VerifyOptions } from './verification.ts';

const IN_TRANSIT_MS = 60_000;
const TRANSIT_PAUSE_MS = 1500;
const NS_PER_MS = 1_000_000n;
/** 1900, the first time a DateTime64 holds: a row may have been moved anywhere. */
const EARLIEST_NS = -2_208_988_800_000_000_000n;

export class RowWalk {
  readonly #options: VerifyOptions;
  readonly #chains: ReadonlyMap<string, ChainTally>;
  readonly #findings: Findings;
  readonly #asked: { readonly signal?: AbortSignal };
  /** rows at a position that the chain gives to another call, or to none */
  readonly #strangers: RowExample[] = [];

  /** @param chains the chains' reports, whose figures are filled in */
  constructor(options: VerifyOptions, chains: ReadonlyMap<string, ChainTally>, findings: Findings) {
    this.#options = options;
    this.#chains = chains;
    this.#findings = findings;
    this.#asked = options.signal === undefined ? {} : { signal: options.signal };
  }

  async run(): Promise<void> {
    let checked = 0;
    for (const table of RECORD_TABLES) {
      for (let fromNs: bigint | undefined = EARLIEST_NS; fromNs !== undefined;) {
        const { store, pageRecords = 20_000 } = this.#options;
        const toNs: bigint | undefined = await rowPageEnd(store, table, fromNs, pageRecords, this.#asked);
        checked += await this.#page(table, fromNs, toNs);
        this.#options.onProgress?.({ step: 'records', checked });
        fromNs = toNs;
      }
    }
    await this.#nameStrangers();
  }

  async #page(table: RecordTable, fromNs: bigint, toNs: bigint | undefined): Promise<number> {
    const { store } = this.#options;
    let answers = await checkRows(store, table, fromNs, toNs, this.#asked);
    if (answers.some((one) => this.#isFresh(one))) {
      await (this.#options.pause ?? pause)(TRANSIT_PAUSE_MS);
      answers = await checkRows(store, table, fromNs, toNs, this.#asked);
    }
    let rows = 0;
    for (const answer of answers) {
      rows += answer.count;
      this.#take(answer);
    }
    return rows;
  }

  #take({ status, chainId, count, examples }: CheckedRows): void {
    const chain = this.#chains.get(chainId);
    if (status === 'ok') {
      if (chain !== undefined) chain.verified += count;
      return;
    }
    if (status === 'unchained' || status === 'displaced') {
      this.#strangers.push(...examples.slice(0, EXAMPLES - this.#strangers.length));
      this.#findings.addUnnamed('added', count - Math.min(count, EXAMPLES));
      return;
    }
    for (const { seq, callId } of examples) {
      // The first link that is kept follows one that expired.
      if (status === 'unlinked' && seq === chain?.firstSeq) continue;
      this.#findings.add({ kind: status, chainId, seq, callId });
    }
    this.#findings.addUnnamed(status, count - examples.length);
  }

  async #nameStrangers(): Promise<void> {
    const ids = [...new Set(this.#strangers.map(({ callId }) => callId))];
    const positions = await recordedPositions(this.#options.store, ids, this.#asked);
    for (const { chainId, seq, callId } of this.#strangers) {
      const recordedAt = positions.get(`${chainId}|${callId}`)?.find((position) => position !== seq);
      this.#findings.add({
        kind: recordedAt === undefined ? 'added' : 'reordered',
        chainId,
        seq,
        callId,
        ...(recordedAt === undefined ? {} : { recordedAt }),
      });
    }
  }

  #isFresh({ status, examples }: CheckedRows): boolean {
    const sinceNs = BigInt(this.#options.nowMs - IN_TRANSIT_MS) * NS_PER_MS;
    return status !== 'ok' && status !== 'changed' && examples.some(({ startedNs }) => startedNs >= sinceNs);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
