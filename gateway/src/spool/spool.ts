/**
 * The seam between the record and the disk. Frames are OTLP export requests, already serialised (and sealed where they
 * carry payload); the spool makes them durable in groups, chains them, and ships them later. It never looks inside.
 */

/** `metadata` goes to /v1/traces, `payload` to /v1/logs at another endpoint with another token. */
export type SpoolStream = 'metadata' | 'payload';

/** An OTLP export request that is to reach the store. Concatenated frames of one stream are again one OTLP request. */
export interface RecordFrame {
  readonly type: 'record';
  readonly stream: SpoolStream;
  /** ExportTraceServiceRequest or ExportLogsServiceRequest, protobuf */
  readonly bytes: Uint8Array;
  /** the call whose intent this frame settles; omitted when it settles none */
  readonly settles?: string;
  /** position and hash of a chained record */
  readonly link?: ChainLink;
  /** start of the record, ns since 1970, for `oldest unshipped` */
  readonly startedAtNs: bigint;
}

/** Written at arrival; becomes an `interrupted` record when no frame settles it before the process dies. */
export interface IntentFrame {
  readonly type: 'intent';
  readonly callId: string;
  /** opaque metadata from which the record can be made after a crash; no payload */
  readonly bytes: Uint8Array;
}

export type SpoolFrame = RecordFrame | IntentFrame;

export interface ChainLink {
  readonly seq: bigint;
  /** hex */
  readonly hash: string;
}

export interface Chain {
  readonly id: string;
  head(): ChainLink;
  /**
   * Gives the next position in this tick; the frame must be appended in the same tick, that is, without an `await`
   * between. A link not appended by then is given to the next record, and its late append is rejected.
   */
  next(canonicalForm: string): ChainLink;
}

/** Counted since start. */
export interface SpoolStats {
  /** chained records made durable, and those found waiting at start: `recorded - shipped` wait or were set aside */
  readonly recorded: number;
  /** chained records the store accepted */
  readonly shipped: number;
  /** frames refused because the disk failed or the cap was reached */
  readonly refused: number;
  /** requests of one frame that the store refuses for good; files in `set-aside/`, older ones included */
  readonly setAsideBatches: number;
  /** bytes on disk not yet shipped */
  readonly backlogBytes: number;
  /** 0n if nothing waits */
  readonly oldestUnshippedNs: bigint;
  readonly fdatasyncs: number;
  /** calls with an intent and no completion yet */
  readonly openIntents: number;
  /** unreadable ranges found on disk */
  readonly damagedRanges: number;
  /** requests that were answered by no delivery and are repeated */
  readonly shipRetries: number;
}

export interface Spool {
  readonly chain: Chain;
  /**
   * Appends all frames, in order, atomically with respect to a crash between them, and resolves after fdatasync. Their
   * bytes are copied before it returns.
   * Rejects with GatelensError `spool_full` (cap) or `audit_unavailable` (disk error); then none of them counts and the
   * chain head is back at the last durable record.
   */
  append(frames: readonly SpoolFrame[]): Promise<void>;
  stats(): SpoolStats;
  /** Flushes, stops shipping, releases the lock. */
  close(): Promise<void>;
}
