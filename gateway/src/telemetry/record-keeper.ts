/**
 * The last step of every record: hands frames to the spool and decides, when they cannot be kept, what the caller of
 * MCP gets to feel. `refuse`: the promise rejects with `audit_unavailable`. `pass`: it resolves, and the record counts
 * as lost. Nothing is lost without being counted and logged (once a minute).
 */
import { GatelensError, isGatelensError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Spool, SpoolFrame } from '../spool/spool.ts';

export interface AuditPolicy {
  /** `async`: replies do not wait for the disk, as long as the disk takes records */
  readonly durability: 'before-reply' | 'async';
  readonly onFailure: 'refuse' | 'pass';
}

/** Since start. */
export interface RecordCounts {
  /** records begun */
  seen: number;
  /** records made durable */
  recorded: number;
  /** records that could not be kept while their call passed */
  lost: number;
  /** records that could not be kept, so that their call was refused */
  refused: number;
}

/** Who wants to know what becomes of frames that belong together. */
export interface KeepRequest {
  /** how many records the frames complete (an intent completes none) */
  readonly records: number;
  /** a reply waits for it; else it has left, or will leave, before */
  readonly waits: boolean;
  /** The spool did not take the frames, whatever the policy says. Called before the next. */
  onUntaken?(): void;
  /** @param error undefined: on disk, or lost while the policy lets calls pass */
  onSettled?(error: GatelensError | undefined): void;
}

/** Appends that the spool writes together share its promise, and so do those who wait for them. */
interface Group {
  readonly appended: Promise<void>;
  readonly requests: KeepRequest[];
  /** of its frames, which are in memory until it is settled */
  bytes: number;
  readonly settled: Promise<void>;
}

const LOG_INTERVAL_MS = 60_000;
/** Of records that the disk has not taken yet. Beyond it `async` waits, too: a slow disk slows callers down, no memory fills up. */
const UNSETTLED_BYTES = 8 * 1024 * 1024;

export class RecordKeeper {
  readonly counts: RecordCounts = { seen: 0, recorded: 0, lost: 0, refused: 0 };
  readonly #spool: Spool;
  readonly #policy: AuditPolicy;
  readonly #logger: Logger;
  readonly #monotonicMs: () => number;
  /** the last append failed: `async` waits again until one succeeds, so that it can refuse */
  #failing = false;
  #unsettledBytes = 0;
  #loggedAtMs = Number.NEGATIVE_INFINITY;
  /** the newest */
  #group: Group | undefined;

  constructor(options: {
    readonly spool: Spool;
    readonly policy: AuditPolicy;
    readonly logger: Logger;
    readonly monotonicMs: () => number;
  }) {
    this.#spool = options.spool;
    this.#policy = options.policy;
    this.#logger = options.logger;
    this.#monotonicMs = options.monotonicMs;
  }

  /** Whether a reply has to wait for the disk, as things stand. */
  get waits(): boolean {
    return this.#policy.durability === 'before-reply' || this.#failing || this.#unsettledBytes > UNSETTLED_BYTES;
  }

  /**
   * Appends in this tick.
   * @returns what resolves when it is settled, whichever way
   */
  keep(frames: readonly SpoolFrame[], request: KeepRequest): Promise<void> {
    const appended = this.#append(frames);
    let group = this.#group;
    if (group?.appended !== appended) {
      const requests: KeepRequest[] = [];
      const done = (failure?: { readonly error: unknown }): void => {
        this.#unsettledBytes -= made.bytes;
        this.#settle(requests, failure);
      };
      const settled = appended.then(
        () => done(),
        (error: unknown) => done({ error })
      );
      const made: Group = { appended, requests, bytes: 0, settled };
      this.#group = group = made;
    }
    group.requests.push(request);
    for (const { bytes } of frames) {
      group.bytes += bytes.byteLength;
      this.#unsettledBytes += bytes.byteLength;
    }
    return group.settled;
  }

  /** For what could not even be made into frames: a failure like any other. */
  fail(request: KeepRequest, error: unknown): Promise<void> {
    return Promise.resolve().then(() => this.#settle([request], { error }));
  }

  #append(frames: readonly SpoolFrame[]): Promise<void> {
    try {
      return this.#spool.append(frames);
    } catch (cause) {
      return Promise.reject(new GatelensError('audit_unavailable', 'the spool took no append', { cause }));
    }
  }

  #settle(requests: readonly KeepRequest[], failure?: { readonly error: unknown }): void {
    this.#failing = failure !== undefined;
    for (const request of requests) {
      if (failure === undefined) {
        this.counts.recorded += request.records;
        request.onSettled?.(undefined);
      } else {
        request.onUntaken?.();
        request.onSettled?.(this.#failed(request, failure.error));
      }
    }
  }

  #failed({ records, waits }: KeepRequest, error: unknown): GatelensError | undefined {
    const pass = this.#policy.onFailure === 'pass' || !waits;
    if (pass) this.counts.lost += records;
    else this.counts.refused += records;
    const nowMs = this.#monotonicMs();
    if (nowMs - this.#loggedAtMs >= LOG_INTERVAL_MS) {
      this.#loggedAtMs = nowMs;
      const code = isGatelensError(error) ? error.code : 'internal';
      this.#logger.error(pass ? 'audit.records_lost' : 'audit.records_refused', {
        code,
        lost_total: this.counts.lost,
        refused_total: this.counts.refused,
      });
    }
    if (this.#policy.onFailure === 'pass') return undefined;
    return new GatelensError(
      'audit_unavailable',
      'the audit log cannot be written; free disk space, see the gateway log',
      { cause: error }
    );
  }
}
