/**
 * Checks what was signed: each checkpoint's Ed25519 signature, that the chain still has the signed hash at the signed
 * position, and that no more than the newest records lack a signature. A checkpoint whose key is not at hand proves
 * nothing and is a finding: who rewrites a chain can sign it, too, with a key of their own.
 */
import { verify, type KeyObject } from 'node:crypto';
import { GENESIS_HASH } from '../record/canonical.ts';
import { chainTail, checkpointPage, type CheckpointRow } from '../store/queries/chain-checkpoints.ts';
import type { StoreReader } from '../store/queries/reader.ts';
import type { Findings } from './finding.ts';
import type { ChainTally } from './verification.ts';

const PAGE = 2000;
/** A gateway signs every 15 s and at its end; what ended within this time may lack a signature. */
const UNSIGNED_NS = 120_000_000_000n;

export interface CheckpointOptions {
  readonly store: StoreReader;
  readonly publicKeys: ReadonlyMap<string, KeyObject>;
  readonly findings: Findings;
  readonly signal?: AbortSignal;
}

/** @param chain the chain's report; its checkpoints are filled in */
export async function verifyCheckpoints(chain: ChainTally, options: CheckpointOptions): Promise<void> {
  const { store, findings, signal } = options;
  const asked = signal === undefined ? {} : { signal };
  let valid = 0;
  let signedSeq = 0n;
  let fromSeq = 0n;
  for (;;) {
    const rows = await checkpointPage(store, chain.chainId, fromSeq, PAGE, asked);
    for (const row of wholePositions(rows)) {
      const problem = problemOf(row, chain, options.publicKeys);
      const seq = BigInt(row.seq);
      if (problem !== undefined) {
        findings.add({ kind: problem, chainId: chain.chainId, seq });
      } else {
        valid += 1;
        if (seq > signedSeq) signedSeq = seq;
      }
      fromSeq = seq + 1n;
    }
    if (rows.length < PAGE) break;
  }
  const tail = await chainTail(store, chain.chainId, signedSeq, asked);
  chain.checkpoints = { valid, signedSeq, unsignedRecords: tail.records };
  if (tail.spanNs > UNSIGNED_NS) {
    findings.add({ kind: 'unsigned', chainId: chain.chainId, seq: signedSeq + 1n, toSeq: chain.lastSeq });
  }
}

/** Without the last position of a full page, which may go on in the next one; unless it is the only one. */
function wholePositions(rows: readonly CheckpointRow[]): readonly CheckpointRow[] {
  const last = rows.at(-1)?.seq;
  if (rows.length < PAGE || rows[0]?.seq === last) return rows;
  return rows.filter((row) => row.seq !== last);
}

function problemOf(
  row: CheckpointRow,
  chain: ChainTally,
  publicKeys: ReadonlyMap<string, KeyObject>
): 'checkpoint_forged' | 'checkpoint_key_unknown' | 'checkpoint_contradicted' | undefined {
  const publicKey = publicKeys.get(row.key_id);
  if (publicKey === undefined) return 'checkpoint_key_unknown';
  const message = Buffer.from(`${chain.chainId}|${row.seq}|${row.hash}`);
  if (!verify(null, message, publicKey, Buffer.from(row.signature, 'base64'))) return 'checkpoint_forged';
  const seq = BigInt(row.seq);
  // a chain without records is signed at its beginning
  if (seq === 0n) return row.hash === GENESIS_HASH ? undefined : 'checkpoint_contradicted';
  // before the first link that is kept, and after the last one, nothing contradicts; what is missing there is named so
  if (row.chain_hashes.length === 0) return undefined;
  return row.chain_hashes.includes(row.hash) ? undefined : 'checkpoint_contradicted';
}
