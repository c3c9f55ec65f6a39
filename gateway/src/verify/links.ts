/**
 * Walks one chain by its positions: gaps, forks, and links whose record is not there. Tells apart what is gone from what
 * has a reason not to be there: an opened stream whose row its end replaced, a record that retention removed.
 */
import {
  firstLinkFrom,
  knownIds,
  lackingLinks,
  linkPage,
  type LackingLinks,
  type LinkPage,
  type LinkRange,
} from '../store/queries/chain-links.ts';
import { EXAMPLES, RECORD_TABLES, type RecordTable } from '../store/queries/chain-rows.ts';
import type { Findings } from './finding.ts';
import type { ChainTally, VerifyOptions } from './verification.ts';

/** Clocks of gateway and store may differ. */
const CLOCK_SLACK_MS = 3_600_000;
/** Links are kept as long as the access log; the store removes them some time after. */
const LINK_SLACK_MS = 90 * 86_400_000;
/** Younger ones may be between two tables at this very moment. */
const IN_TRANSIT_MS = 60_000;
const TRANSIT_PAUSE_MS = 1500;
const NS_PER_MS = 1_000_000n;

interface Lacking {
  readonly table: RecordTable;
  readonly links: readonly LackingLinks[];
}

export class LinkWalk {
  readonly #options: VerifyOptions;
  readonly #chain: ChainTally;
  readonly #findings: Findings;
  readonly #asked: { readonly signal?: AbortSignal };
  readonly #nowNs: bigint;
  #newestNs = 0n;

  /** @param chain the chain's report, whose figures are filled in */
  constructor(options: VerifyOptions, chain: ChainTally, findings: Findings) {
    this.#options = options;
    this.#chain = chain;
    this.#findings = findings;
    this.#asked = options.signal === undefined ? {} : { signal: options.signal };
    this.#nowNs = BigInt(options.nowMs) * NS_PER_MS;
  }

  /** @param firstStartedNs claimed start of the first link that is kept */
  async run(firstStartedNs: bigint): Promise<void> {
    const { store, pageRecords = 20_000, onProgress } = this.#options;
    const chain = this.#chain;
    let beforeSeq = this.#beginningMayBeGone(firstStartedNs) ? chain.firstSeq - 1n : 0n;
    let checked = 0;
    for (let fromSeq = chain.firstSeq; ;) {
      const first = await firstLinkFrom(store, chain.chainId, fromSeq, this.#asked);
      if (first === undefined || first > chain.lastSeq) break;
      const end = first + BigInt(pageRecords) - 1n;
      const range = { chainId: chain.chainId, fromSeq: first, toSeq: end < chain.lastSeq ? end : chain.lastSeq };
      const page = await this.#page(range, beforeSeq);
      beforeSeq = page.lastSeq;
      if (page.newestNs > this.#newestNs) this.#newestNs = page.newestNs;
      fromSeq = range.toSeq + 1n;
      checked += page.positions;
      onProgress?.({ step: 'chain', chainId: chain.chainId, checked });
    }
  }

  async #page(range: LinkRange, beforeSeq: bigint): Promise<LinkPage> {
    let read = await this.#read(range, beforeSeq);
    if (this.#hasFresh(read.page, read.lacking)) {
      // One insert fills the tables one after the other; what is in between is looked at again.
      await (this.#options.pause ?? pause)(TRANSIT_PAUSE_MS);
      read = await this.#read(range, beforeSeq);
    }
    const { chainId } = range;
    for (const { fromSeq, toSeq, nextStartedNs } of read.page.gaps) {
      const positions = Number(toSeq - fromSeq + 1n);
      if (this.#isPending(nextStartedNs)) this.#chain.pending += positions;
      else
        this.#findings.add(
          { kind: 'missing', chainId, seq: fromSeq, ...(toSeq > fromSeq ? { toSeq } : {}) },
          positions
        );
    }
    for (const { seq, callIds } of read.page.forks) this.#findings.add({ kind: 'forked', chainId, seq, callIds });
    for (const { table, links } of read.lacking) await this.#name(table, links);
    return read.page;
  }

  async #read(range: LinkRange, beforeSeq: bigint): Promise<{ page: LinkPage; lacking: Lacking[] }> {
    const { store, retentionMs } = this.#options;
    const page = await linkPage(store, range, beforeSeq, this.#asked);
    const lacking: Lacking[] = [];
    for (const table of RECORD_TABLES) {
      const cutoffNs = this.#nowNs - BigInt(retentionMs[table.retention] - CLOCK_SLACK_MS) * NS_PER_MS;
      const expiry = { cutoffNs, newestBeforeNs: this.#newestNs };
      lacking.push({ table, links: await lackingLinks(store, table, range, expiry, this.#asked) });
    }
    return { page, lacking };
  }

  async #name(table: RecordTable, lacking: readonly LackingLinks[]): Promise<void> {
    const chain = this.#chain;
    for (const { status, count, examples } of lacking) {
      if (status === 'replaced') chain.replaced += count;
      if (status === 'expired') chain.expired += count;
      if (status !== 'absent') continue;
      const ids = examples.map(({ callId }) => callId);
      // A row whose time was changed stands elsewhere in the table, and is named there as changed.
      const elsewhere = await knownIds(this.#options.store, table, ids, this.#asked);
      for (const { seq, callId, startedNs } of examples) {
        if (elsewhere.has(callId)) continue;
        if (this.#isPending(startedNs)) chain.pending += 1;
        else this.#findings.add({ kind: 'missing', chainId: chain.chainId, seq, callId });
      }
      if (count > EXAMPLES) this.#findings.addUnnamed('missing', count - EXAMPLES);
    }
  }

  #hasFresh(page: LinkPage, lacking: readonly Lacking[]): boolean {
    const sinceNs = this.#nowNs - BigInt(IN_TRANSIT_MS) * NS_PER_MS;
    return (
      page.gaps.some(({ nextStartedNs }) => nextStartedNs >= sinceNs) ||
      lacking.some(({ links }) => links.some(({ examples }) => examples.some(({ startedNs }) => startedNs >= sinceNs)))
    );
  }

  #isPending(startedNs: bigint): boolean {
    const { settleMs = 0 } = this.#options;
    return settleMs > 0 && startedNs >= this.#nowNs - BigInt(settleMs) * NS_PER_MS;
  }

  /** Links, too, are removed at last: a chain may begin later than at 1 when what is kept of it begins long ago. */
  #beginningMayBeGone(firstStartedNs: bigint): boolean {
    const { retentionMs } = this.#options;
    return firstStartedNs < this.#nowNs - BigInt(Math.max(0, retentionMs.accessLog - LINK_SLACK_MS)) * NS_PER_MS;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
