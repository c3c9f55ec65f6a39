/**
 * What `gatelens verify` says: a table of the chains, the findings, one last sentence; or the same as JSON, positions as
 * text, since they may exceed what a JSON number holds.
 */
import { meaningOf, type Finding } from '../verify/finding.ts';
import type { ChainReport, Verification } from '../verify/verification.ts';
import { textTable } from './text-table.ts';

/** Findings that are worth reading one by one; --json has them all. */
const LISTED = 100;

export function verificationText(result: Verification): string {
  const chains = textTable(
    ['chain', 'positions', 'recomputed', 'replaced', 'expired', 'pending', 'checkpoints', 'not yet signed'],
    result.chains.map((chain) => [
      chain.chainId,
      `${chain.firstSeq}-${chain.lastSeq}`,
      String(chain.verified),
      String(chain.replaced),
      String(chain.expired),
      String(chain.pending),
      String(chain.checkpoints.valid),
      String(chain.checkpoints.unsignedRecords),
    ])
  );
  if (result.findings.length === 0) return chains;
  const findings = textTable(
    ['finding', 'chain', 'position', 'call', 'what it means'],
    result.findings.slice(0, LISTED).map((one) => [one.kind, one.chainId, positionOf(one), callOf(one), meaningOf(one)])
  );
  return `${chains}\n${findings}`;
}

/** One sentence. */
export function verdict(result: Verification): string {
  const records = result.chains.reduce((sum, chain) => sum + chain.verified, 0);
  if (result.chains.length === 0) return 'There is no record in this store.';
  if (result.ok) return `Verified: ${records} records in ${result.chains.length} chain(s) are as they were recorded.`;
  const counts = [...result.counts].map(([kind, count]) => `${count} ${kind}`).join(', ');
  const more = result.findings.length > LISTED ? ` The first ${LISTED} are listed; --json has up to 1000.` : '';
  return `NOT verified: ${counts}. ${records} records are as they were recorded.${more}`;
}

export function verificationJson(result: Verification, checkedAt: Date): string {
  const document = {
    ok: result.ok,
    checkedAt: checkedAt.toISOString(),
    chains: result.chains.map(chainJson),
    counts: Object.fromEntries(result.counts),
    findings: result.findings.map((one) => ({
      kind: one.kind,
      chainId: one.chainId,
      seq: one.seq.toString(),
      ...(one.toSeq === undefined ? {} : { toSeq: one.toSeq.toString() }),
      ...(one.callId === undefined ? {} : { callId: one.callId }),
      ...(one.callIds === undefined ? {} : { callIds: one.callIds }),
      ...(one.recordedAt === undefined ? {} : { recordedAt: one.recordedAt.toString() }),
      meaning: meaningOf(one),
    })),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function chainJson(chain: ChainReport): object {
  const { firstSeq, lastSeq, checkpoints } = chain;
  return {
    ...chain,
    firstSeq: firstSeq.toString(),
    lastSeq: lastSeq.toString(),
    checkpoints: { ...checkpoints, signedSeq: checkpoints.signedSeq.toString() },
  };
}

function positionOf({ seq, toSeq }: Finding): string {
  return toSeq === undefined ? seq.toString() : `${seq}-${toSeq}`;
}

function callOf({ callId, callIds }: Finding): string {
  return callIds === undefined ? (callId ?? '') : callIds.join(' ');
}
