/**
 * `gatelens verify`, without its command line: walks every chain, every record and every checkpoint of a store and tells
 * what is not as it was recorded. Reads only. Memory does not grow with the log: the store answers page by page, and of
 * the findings the first 1,000 are kept.
 */
import { linkHashes, signedChains } from '../store/queries/chain-checkpoints.ts';
import { chainExtents } from '../store/queries/chain-links.ts';
import { verifyCheckpoints } from './checkpoints.ts';
import { Findings } from './finding.ts';
import { LinkWalk } from './links.ts';
import { RowWalk } from './rows.ts';
import type { ChainReport, ChainTally, Verification, VerifyOptions } from './verification.ts';

const LISTED_FINDINGS = 1000;

/** @throws whatever the store's reader throws */
export async function verifyChains(options: VerifyOptions): Promise<Verification> {
  const { store, signal } = options;
  const asked = signal === undefined ? {} : { signal };
  const findings = new Findings(LISTED_FINDINGS);
  const signed = await signedChains(store, asked);
  const extents = await chainExtents(store, asked);
  const chains = new Map(
    extents.map((extent): [string, ChainTally] => [extent.chainId, newTally(extent.chainId, extent)])
  );
  for (const chainId of [...signed.keys(), ...(options.delivered ?? []).map((link) => link.chainId)]) {
    if (!chains.has(chainId)) chains.set(chainId, newTally(chainId));
  }
  for (const [chainId, chain] of chains) {
    const extent = extents.find((one) => one.chainId === chainId);
    if (extent !== undefined) await new LinkWalk(options, chain, findings).run(extent.firstStartedNs);
    await verifyCheckpoints(chain, { store, publicKeys: options.publicKeys, findings, ...asked });
    await verifyEnd(chain, extent?.newestStartedNs ?? 0n, signed.get(chainId) ?? 0n, options, findings);
  }
  await new RowWalk(options, chains, findings).run();
  const list = findings.settled();
  return {
    ok: findings.counts.size === 0,
    chains: [...chains.values()] satisfies ChainReport[],
    findings: list,
    counts: findings.counts,
  };
}

function newTally(chainId: string, extent?: { firstSeq: bigint; lastSeq: bigint; links: number }): ChainTally {
  return {
    chainId,
    firstSeq: extent?.firstSeq ?? 0n,
    lastSeq: extent?.lastSeq ?? 0n,
    links: extent?.links ?? 0,
    verified: 0,
    replaced: 0,
    expired: 0,
    pending: 0,
    checkpoints: { valid: 0, signedSeq: 0n, unsignedRecords: 0 },
  };
}

/**
 * A chain that was cut off at its end is whole in itself. What knows better: checkpoints, which come after what they
 * sign, and the spool of this machine, which remembers what the store has taken.
 */
async function verifyEnd(
  chain: ChainTally,
  newestNs: bigint,
  signedSeq: bigint,
  options: VerifyOptions,
  findings: Findings
): Promise<void> {
  const { chainId, lastSeq } = chain;
  const delivered = options.delivered?.find((link) => link.chainId === chainId);
  const knownSeq = delivered !== undefined && delivered.seq > signedSeq ? delivered.seq : signedSeq;
  if (knownSeq > lastSeq) {
    const positions = Number(knownSeq - lastSeq);
    // Behind a collector the newest may be on their way, as long as others arrive.
    const { settleMs = 0, nowMs } = options;
    if (settleMs > 0 && newestNs >= BigInt(nowMs - settleMs) * 1_000_000n) chain.pending += positions;
    else findings.add({ kind: 'missing', chainId, seq: lastSeq + 1n, toSeq: knownSeq }, positions);
  }
  if (delivered === undefined || delivered.seq === 0n) return;
  const hashes = await linkHashes(
    options.store,
    chainId,
    delivered.seq,
    options.signal === undefined ? {} : { signal: options.signal }
  );
  if (hashes.length > 0 && !hashes.includes(delivered.hash)) {
    findings.add({ kind: 'checkpoint_contradicted', chainId, seq: delivered.seq });
  }
}
