/**
 * What one run of `gatelens verify` is given and what it tells. Everything comes in from outside: it opens no store,
 * reads no key file, knows no clock.
 */
import type { KeyObject } from 'node:crypto';
import type { StoreReader } from '../store/queries/reader.ts';
import type { Finding, FindingKind } from './finding.ts';

/** What a spool of this machine knows of its chain: the store has taken everything up to here. */
export interface DeliveredLink {
  readonly chainId: string;
  readonly seq: bigint;
  readonly hash: string;
}

export interface VerifyOptions {
  readonly store: StoreReader;
  /** Ed25519, by the id that checkpoints carry */
  readonly publicKeys: ReadonlyMap<string, KeyObject>;
  readonly retentionMs: { readonly metadata: number; readonly accessLog: number };
  /** milliseconds since 1970 */
  readonly nowMs: number;
  /** records begun later than this ago may still be on their way to the store: missing ones are pending; default 0 */
  readonly settleMs?: number;
  readonly delivered?: readonly DeliveredLink[];
  /** records a page; default 20,000 */
  readonly pageRecords?: number;
  readonly onProgress?: (progress: VerifyProgress) => void;
  /** waits before a fresh finding is looked at again; default a timer */
  readonly pause?: (ms: number) => Promise<void>;
  readonly signal?: AbortSignal;
}

export interface VerifyProgress {
  readonly step: 'chain' | 'records';
  readonly chainId?: string;
  /** checked so far in this step */
  readonly checked: number;
}

export interface ChainReport {
  readonly chainId: string;
  readonly firstSeq: bigint;
  readonly lastSeq: bigint;
  /** positions of the chain */
  readonly links: number;
  /** rows recomputed and found to be what was recorded */
  readonly verified: number;
  /** opened streams whose row was replaced by that of their end */
  readonly replaced: number;
  /** removed by retention */
  readonly expired: number;
  /** not there yet, and young enough to be on their way */
  readonly pending: number;
  readonly checkpoints: {
    readonly valid: number;
    /** last position under a valid signature */
    readonly signedSeq: bigint;
    /** records after it */
    readonly unsignedRecords: number;
  };
}

export interface Verification {
  readonly ok: boolean;
  readonly chains: readonly ChainReport[];
  /** the first 1,000, by chain and position */
  readonly findings: readonly Finding[];
  readonly counts: ReadonlyMap<FindingKind, number>;
}

/** `ChainReport` while it is being made. */
export type ChainTally = { -readonly [Key in keyof ChainReport]: ChainReport[Key] };
