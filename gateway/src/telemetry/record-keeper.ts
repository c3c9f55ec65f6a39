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

const LOG_INTERVAL_MS = 60_000;
const DONE = Promise.resolve();

export class RecordKeeper {
  readonly counts: RecordCounts = { seen: 0, recorded: 0, lost: 0, refused: 0 };
  readonly #spool: Spool;
  readonly #policy: AuditPolicy;
  readonly #logger: Logger;
  readonly #monotonicMs: () => number;
  /** the last append failed: `async` waits again until one succeeds, so that it can refuse */
  #failing = false;
  #loggedAtMs = Number.NEGATIVE_INFINITY;

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

  /**
   * Appends in this tick.
   * @param records how many records the frames complete (an intent completes none)
   * @param onRefused called when the spool did not take them, whatever the policy says
   * @returns what the reply has to wait for; never an unhandled rejection
   */
  keep(frames: readonly SpoolFrame[], records: number, onRefused?: () => void): Promise<void> {
    const waits = this.#policy.durability === 'before-reply' || this.#failing;
    const kept = this.#append(frames).then(
      () => {
        this.#failing = false;
        this.counts.recorded += records;
      },
      (error: unknown) => {
        onRefused?.();
        this.#failed(records, waits, error);
      }
    );
    kept.catch(() => undefined);
    return waits ? kept : DONE;
  }

  /** For what could not even be made into frames: a failure like any other. */
  fail(records: number, error: unknown): Promise<void> {
    const failed = DONE.then(() => this.#failed(records, true, error));
    failed.catch(() => undefined);
    return failed;
  }

  #append(frames: readonly SpoolFrame[]): Promise<void> {
    try {
      return this.#spool.append(frames);
    } catch (cause) {
      return Promise.reject(new GatelensError('audit_unavailable', 'the spool took no append', { cause }));
    }
  }

  /** @param waits the reply has not left yet */
  #failed(records: number, waits: boolean, error: unknown): void {
    const pass = this.#policy.onFailure === 'pass' || !waits;
    this.#failing = true;
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
    if (this.#policy.onFailure === 'refuse') {
      throw new GatelensError(
        'audit_unavailable',
        'the audit log cannot be written; free disk space, see the gateway log',
        {
          cause: error,
        }
      );
    }
  }
}
